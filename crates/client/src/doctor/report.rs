//! [`DoctorReport`]: the contents of a bug report, without anything confidential.
//!
//! No text of a setting, path, tenant or response is copied into it. It consists of numbers, of
//! words from this program, and of the vendor's part of a host name, so that no secret has to be
//! searched for.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Diagnosis, Likelihood};
use crate::settings::{Explained, SettingsError};

/// The domain whose subdomains are the vendor's regions.
const VENDOR: &str = ".paloaltonetworks.com";

/// A report for the project's issue tracker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DoctorReport {
    /// Version of this crate.
    pub version: &'static str,
    /// Operating system, as Rust names it.
    pub os: &'static str,
    /// Processor architecture, as Rust names it.
    pub arch: &'static str,
    /// Instructions that change how signatures are computed, where the processor has them.
    pub processor: Vec<&'static str>,
    /// Versions of the programs that commands start; `None` for a program that is not found.
    pub programs: Vec<ProgramInfo>,
    /// The settings; `None` if the configuration cannot be read.
    pub settings: Option<Vec<SettingState>>,
    /// The findings of the examination; `None` if there was no examination.
    pub findings: Option<Vec<ReportedFinding>>,
}

/// A program that commands start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProgramInfo {
    /// The program's name.
    pub name: &'static str,
    /// Its version, in digits and full stops.
    pub version: Option<String>,
}

/// Whether a setting is set, and the kind of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingState {
    /// The setting's name, such as `key_id`.
    pub setting: &'static str,
    /// Whether it is set, or its value if that identifies nobody.
    pub state: String,
    /// The kind of its source.
    pub from: Option<&'static str>,
    /// How many other sources also set it.
    pub overridden: usize,
}

/// A finding without its evidence, which quotes settings and responses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedFinding {
    /// The code of the cause.
    pub cause: &'static str,
    /// The title of the cause.
    pub title: &'static str,
    /// How certain it is.
    pub certainty: Likelihood,
}

impl DoctorReport {
    /// Collects a report from the settings in force, and from an examination if there was one.
    pub fn new(
        settings: Result<Vec<Explained>, SettingsError>,
        diagnosis: Option<&Diagnosis>,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            processor: processor(),
            programs: ["git", "curl"]
                .map(|name| ProgramInfo { name, version: version(name) })
                .into(),
            settings: settings.ok().map(|settings| settings.iter().map(state).collect()),
            findings: diagnosis.map(findings),
        }
    }

    /// The report as Markdown, for an issue.
    pub fn markdown(&self) -> String {
        let mut out = String::from("| | |\n|---|---|\n");
        let mut row = |name: &str, value: &str| {
            let _ = writeln!(out, "| {name} | {value} |");
        };
        row("cortexkey", self.version);
        row("system", &format!("{} {}", self.os, self.arch));
        row("processor", &or(&self.processor.join(", "), "no special instructions"));
        for program in &self.programs {
            row(program.name, program.version.as_deref().unwrap_or("not found"));
        }
        match &self.settings {
            None => row("settings", "the configuration cannot be read"),
            Some(settings) => {
                for setting in settings {
                    row(&format!("`{}`", setting.setting), &setting.shown());
                }
            }
        }
        match &self.findings {
            None => row("examination", "none"),
            Some(findings) if findings.is_empty() => row("examination", "no problem found"),
            Some(findings) => {
                for finding in findings {
                    let certainty = finding.certainty.code();
                    row("found", &format!("{} (`{}`, {certainty})", finding.title, finding.cause));
                }
            }
        }
        out
    }
}

impl SettingState {
    fn shown(&self) -> String {
        let mut out = self.state.clone();
        if let Some(from) = self.from {
            let _ = write!(out, ", from {from}");
        }
        if self.overridden > 0 {
            let _ = write!(out, ", overrides {} more", self.overridden);
        }
        out
    }
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

fn state(explained: &Explained) -> SettingState {
    let value = explained.value.as_deref();
    let state = match (explained.setting, value) {
        (_, None) if explained.note.is_some() => "not set, or invalid".to_owned(),
        (_, None) => "not set".to_owned(),
        ("fqdn", Some(host)) => kind_of_host(host),
        ("level" | "timeout_ms" | "retries", Some(value)) if is_harmless(value) => value.to_owned(),
        _ => "set".to_owned(),
    };
    SettingState {
        setting: explained.setting,
        state,
        from: explained.origin.as_deref().map(kind_of_origin),
        overridden: explained.overridden.len(),
    }
}

/// A level or a number.
fn is_harmless(value: &str) -> bool {
    let is_number = value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number || matches!(value.to_ascii_lowercase().as_str(), "standard" | "advanced")
}

/// A description of a host, without the part that names an organisation.
fn kind_of_host(address: &str) -> String {
    let host = address.split("://").last().unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    if host == "localhost" || host.starts_with("127.") || address.contains("//[::1]") {
        return "this machine".to_owned();
    }
    let Some((first, domain)) = host.split_once('.') else { return "a host".to_owned() };
    let region = domain.strip_suffix(&VENDOR[1..]).unwrap_or_default();
    // Such as `xdr.us.`: short labels only, so that no label of an organisation is shown.
    let is_region = region.split('.').filter(|label| !label.is_empty()).all(|label| {
        label.len() <= 4
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if !domain.ends_with(&VENDOR[1..]) || !is_region {
        return "a host outside the vendor's domain".to_owned();
    }
    let prefix = if first.starts_with("api-") { "api-" } else { "" };
    format!("`{prefix}[tenant].{domain}`")
}

/// The kind of a setting's source; the source itself may name a person.
fn kind_of_origin(origin: &str) -> &'static str {
    let kinds = [
        ("the argument", "an argument"),
        ("the environment variable", "a variable"),
        ("the profile", "a profile"),
        ("the configuration", "the configuration"),
        ("the key file", "a key file"),
        ("the key_command", "a program"),
        ("standard input", "standard input"),
        ("the default", "the default"),
    ];
    let known = kinds.iter().find(|(begins, _)| origin.starts_with(begins));
    known.map_or("another place", |(_, kind)| kind)
}

fn findings(diagnosis: &Diagnosis) -> Vec<ReportedFinding> {
    let found = diagnosis.findings.iter().map(|finding| ReportedFinding {
        cause: finding.cause.code(),
        title: finding.cause.title(),
        certainty: finding.certainty,
    });
    found.collect()
}

fn processor() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let features = [
            ("sha", std::arch::is_x86_feature_detected!("sha")),
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx512vbmi2", std::arch::is_x86_feature_detected!("avx512vbmi2")),
        ];
        features.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        let has = std::arch::is_aarch64_feature_detected!("sha2");
        if has { vec!["sha2"] } else { Vec::new() }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}

/// The first word of a program's output that is a version.
fn version(program: &str) -> Option<String> {
    let mut command = cortexkey_system::command(program);
    let output = command.arg("--version").stdin(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_version = |word: &&str| {
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        word.len() <= 20 && word.contains('.') && word.split('.').all(digits)
    };
    text.split_whitespace().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_host_is_shortened_to_its_tenant() {
        for (host, shown) in [
            (
                "https://api-acme.xdr.us.paloaltonetworks.com",
                "`api-[tenant].xdr.us.paloaltonetworks.com`",
            ),
            ("acme.crtx.eu.paloaltonetworks.com", "`[tenant].crtx.eu.paloaltonetworks.com`"),
            (
                "https://a.secretorg.xdr.us.paloaltonetworks.com",
                "a host outside the vendor's domain",
            ),
            ("xsoar.acme.example", "a host outside the vendor's domain"),
            ("https://paloaltonetworks.com.evil.example", "a host outside the vendor's domain"),
            ("http://127.0.0.1:8080", "this machine"),
            ("acme", "a host"),
        ] {
            assert_eq!(kind_of_host(host), shown, "{host}");
        }
    }

    #[test]
    fn values_that_are_not_known_to_be_harmless_are_not_shown() {
        for value in ["advanced", "Standard", "60000"] {
            assert!(is_harmless(value), "{value}");
        }
        for value in ["acme", "advanced acme", "1234567890", "12a"] {
            assert!(!is_harmless(value), "{value}");
        }
    }
}

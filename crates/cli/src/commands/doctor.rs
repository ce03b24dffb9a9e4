//! `cortexkey doctor`: diagnoses why a call is refused.

use std::path::{Path, PathBuf};

use cortexkey_client::doctor::{
    Diagnosis, DoctorReport, Likelihood, LiveOptions, examine, examine_requests, read_requests,
};
use cortexkey_client::{
    Connection, ExplicitSettings, RawKey, SettingOrigin, SettingsError, explain,
};
use serde_json::json;

use crate::connection::{SETTINGS, SingleCallArgs, failure};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::text::{self, BAD, BOLD, DIM, Format, GOOD};

/// The most bytes of captured requests that are read.
const REQUEST_BYTES_MAX: u64 = 1024 * 1024;

/// Diagnose why a call is refused
///
/// A tenant answers every authentication error with the same 401. Without --request, the doctor
/// makes the first API call with your settings, changes one thing at a time, and reports what
/// helps. With --request, it examines requests that another client sent, and sends nothing.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// Examine refused requests in this file: HTTP, `curl -v` output or JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,

    /// Also send a key that is set as Advanced as if it were Standard, in the clear
    #[arg(long)]
    try_standard: bool,

    /// Use this profile's key to look up what the tenant knows about the refused key
    #[arg(long, value_name = "PROFILE")]
    ask: Option<String>,

    /// Print a report for a bug report: versions, platform, and settings without their values
    ///
    /// It names no tenant, profile, file, program or key, and quotes no response. It is Markdown, unless
    /// --format json is set.
    #[arg(long)]
    report: bool,

    /// With --report: make no call
    #[arg(long, requires = "report", conflicts_with_all = ["request", "ask", "try_standard"])]
    offline: bool,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    connection: SingleCallArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey doctor --profile siem
  cortexkey doctor --profile siem --ask admin
  curl -v … 2>&1 | cortexkey doctor --request - --key-file siem.key --level advanced
  cortexkey doctor --request heads.txt
  cortexkey doctor --report --offline

docs/troubleshooting.md lists all causes.

Exit codes: 0 no problem found, or --report; 1 a problem found; 2 usage error; 3 the requests cannot be read.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let diagnosis = match &args.request {
        _ if args.offline => None,
        Some(path) => Some(requests(args, path)?),
        None => Some(live(args)?),
    };
    if args.report {
        return report(args, diagnosis.as_ref());
    }
    let diagnosis = diagnosis.unwrap_or_default();
    let text = match args.format {
        Format::Json => text::json(&json!({
            "version": 1,
            "healthy": diagnosis.is_healthy(),
            "steps": diagnosis.steps,
            "findings": diagnosis.findings,
        })),
        Format::Text => show(&diagnosis),
    };
    text::print(&text)?;
    Ok(if diagnosis.is_healthy() { Exit::Done } else { Exit::Findings })
}

fn report(args: &Args, diagnosis: Option<&Diagnosis>) -> Result<Exit, Failure> {
    let environment = |name: &str| std::env::var_os(name);
    let report = DoctorReport::new(explain(&args.connection.given(), &environment), diagnosis);
    let text = match args.format {
        Format::Json => text::json(&json!({ "version": 1, "report": report })),
        Format::Text => report.markdown(),
    };
    text::print(&text)?;
    Ok(Exit::Done)
}

fn live(args: &Args) -> Result<Diagnosis, Failure> {
    let environment = |name: &str| std::env::var_os(name);
    let helper = match &args.ask {
        None => None,
        Some(profile) => {
            let given =
                ExplicitSettings { profile: Some(profile.clone()), ..ExplicitSettings::default() };
            let found = Connection::resolve(&given, &environment, &mut std::io::empty());
            let found = found.map_err(|error| match error {
                // The profile was named by another option here.
                SettingsError::NoProfile { path, known, .. } => {
                    let origin = SettingOrigin::Argument("--ask");
                    failure(&SettingsError::NoProfile { origin, path, known })
                }
                error => failure(&error),
            });
            Some(found?.client())
        }
    };
    let options = LiveOptions { try_standard: args.try_standard, helper: helper.as_ref() };
    Ok(examine(&args.connection.given(), &environment, &mut std::io::stdin(), &options))
}

fn requests(args: &Args, path: &Path) -> Result<Diagnosis, Failure> {
    let is_stdin = path.as_os_str() == "-";
    if is_stdin && args.connection.key_is_on_stdin() {
        return Err(Failure::usage_error(
            "both the key and the requests are read from standard input",
        )
        .help("give the key with --key-file or CORTEXKEY_API_KEY"));
    }
    let bytes = input::read(path, "requests", REQUEST_BYTES_MAX)?;
    let requests = read_requests(&bytes)
        .map_err(|error| Failure::because(Exit::NoInput, path.display(), &error))?;
    let given = args.connection.given();
    let environment = |name: &str| std::env::var_os(name);
    // Without a key, fewer causes can be found.
    let found = RawKey::resolve(&given, &environment, &mut std::io::stdin())
        .map_err(|error| failure(&error))?;
    let key = found.key.as_ref().map(|key| key.as_slice());
    Ok(examine_requests(&requests, key, found.level))
}

fn show(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    for step in &diagnosis.steps {
        out += &format!("{DIM}- {step}{DIM:#}\n");
    }
    if diagnosis.is_healthy() {
        return out + &format!("{GOOD}no problem found{GOOD:#}\n");
    }
    for finding in &diagnosis.findings {
        let sure = match finding.certainty {
            Likelihood::Certain => "",
            Likelihood::Likely => " (likely)",
            Likelihood::Possible => " (possible)",
        };
        let cause = finding.cause;
        let title = finding.cause.title();
        out += &format!(
            "{BAD}{BOLD}{title}{BOLD:#}{BAD:#}{sure} {DIM}[{cause}]{DIM:#}\n  {}\n  {}\n",
            finding.evidence, finding.remedy
        );
    }
    out
}

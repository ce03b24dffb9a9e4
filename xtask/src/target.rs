//! [`Target`]: a platform that a release is built for, and how to build for it on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, check};
use crate::{setup, tools};

/// What a release is built for. Those for macOS need its own linker, and so a machine with macOS.
pub(crate) const TARGETS: [&str; 7] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-pc-windows-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// The oldest glibc that programs and libraries run with: of RHEL 7, and so of RHEL 8 and 9, Debian 11 and
/// Ubuntu 20.04.
pub(crate) const GLIBC: &str = "2.17";

/// A target by its triple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(String);

impl Target {
    /// The target of this name, where a release has it.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if TARGETS.contains(&name) {
            return Ok(Self(name.to_owned()));
        }
        Err(format!("no release is built for {name}; there are: {}", TARGETS.join(", ")))
    }

    /// What rustc builds for here.
    pub(crate) fn host() -> Result<Self, String> {
        let version = check(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(|host| Self(host.to_owned())).ok_or_else(|| "rustc names no host".into())
    }

    pub(crate) fn triple(&self) -> &str {
        &self.0
    }

    /// The processor, as the triple has it.
    pub(crate) fn processor(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    pub(crate) fn is_linux(&self) -> bool {
        self.0.contains("-linux-")
    }

    pub(crate) fn is_musl(&self) -> bool {
        self.0.ends_with("-musl")
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.0.contains("-windows-")
    }

    /// Whether this machine runs programs for this target.
    pub(crate) fn runs_here(&self) -> bool {
        let is_this_system = (cfg!(target_os = "linux") && self.is_linux())
            || (cfg!(target_os = "macos") && self.is_macos());
        is_this_system && self.processor() == std::env::consts::ARCH
    }

    pub(crate) fn is_macos(&self) -> bool {
        self.0.ends_with("-apple-darwin")
    }

    /// The target as Zig has it, for Linux.
    pub(crate) fn zig(&self) -> String {
        let libc = if self.is_musl() { "musl".to_owned() } else { format!("gnu.{GLIBC}") };
        format!("{}-linux-{libc}", self.processor())
    }

    /// How the name of an archive ends.
    pub(crate) fn archive_end(&self) -> &'static str {
        if self.is_windows() { "zip" } else { "tar.gz" }
    }

    /// A program of binutils or gcc that works for this target.
    pub(crate) fn binutil(&self, name: &str) -> String {
        if self.processor() == std::env::consts::ARCH {
            name.to_owned()
        } else {
            format!("{}-linux-gnu-{name}", self.processor())
        }
    }

    /// The cargo that builds for this target; its arguments begin with the subcommand. Zig links for Linux,
    /// so that the result does not depend on this machine's libraries.
    pub(crate) fn cargo(&self, root: &Path, subcommand: &str) -> Result<Command, String> {
        setup::target(self.triple())?;
        let mut build = cargo(root);
        if self.is_linux() {
            let programs = tools::environment(root, "release")?;
            build.arg(match subcommand {
                "build" => "zigbuild",
                other => return Err(format!("zig does not run cargo {other}")),
            });
            let triple = self.triple();
            let versioned = if self.is_musl() { String::new() } else { format!(".{GLIBC}") };
            build.args(["--target", &format!("{triple}{versioned}")]);
            tools::put_first(&mut build, programs)?;
        } else {
            build.args([subcommand, "--target", self.triple()]);
        }
        Ok(build)
    }

    /// Where cargo puts what it builds for this target in a profile.
    pub(crate) fn folder(&self, target_dir: &Path, profile: &str) -> PathBuf {
        let profile = if profile == "dev" { "debug" } else { profile };
        target_dir.join(self.triple()).join(profile)
    }
}

/// Builds without the places of this machine's files, which panic messages would have, and with these flags.
pub(crate) fn without_paths(root: &Path, build: &mut Command, flags: &[&str]) {
    let home = |name: &str, otherwise: &str| {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        std::env::var_os(name).map_or_else(|| home.join(otherwise), PathBuf::from)
    };
    let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    let mut all = vec![remap(root, "cortexkey"), remap(&home("CARGO_HOME", ".cargo"), "cargo")];
    all.extend(flags.iter().map(|flag| (*flag).to_owned()));
    build.env("CARGO_ENCODED_RUSTFLAGS", all.join("\u{1f}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_know_their_parts() {
        let musl = Target::named("aarch64-unknown-linux-musl").unwrap();
        assert_eq!((musl.processor(), musl.zig().as_str()), ("aarch64", "aarch64-linux-musl"));
        assert!(musl.is_linux() && musl.is_musl() && !musl.is_windows() && !musl.is_macos());
        let gnu = Target::named("x86_64-unknown-linux-gnu").unwrap();
        assert_eq!(gnu.zig(), format!("x86_64-linux-gnu.{GLIBC}"));
        let windows = Target::named("x86_64-pc-windows-gnu").unwrap();
        assert_eq!(windows.archive_end(), "zip");
        Target::named("x86_64-pc-windows-msvc").unwrap_err();
    }
}

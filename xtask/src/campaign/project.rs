//! Campaigns about the project: versions, features and interfaces of the crates, coverage, the site, Terraform.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::cargo;
use crate::{setup, tools};

/// In a copy, so that the lock file here stays as it is.
pub(super) fn minimal_versions(root: &Path) -> Vec<Command> {
    let copy = crate::run::target_dir(root).join("minimal-versions");
    let mut remove = Command::new("rm");
    remove.arg("-rf").arg(&copy);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--no-hardlinks"]).arg(root).arg(&copy);
    let in_copy = |arguments: &[&str]| {
        let mut command = cargo(&copy);
        command.args(arguments);
        command
    };
    let mut update = in_copy(&["update", "--quiet", "-Z", "direct-minimal-versions"]);
    // The option of cargo is not stable; it does not affect the compiler.
    update.env("RUSTC_BOOTSTRAP", "1");
    vec![remove, clone, update, in_copy(&["check", "--workspace", "--all-targets"])]
}

pub(super) fn features(root: &Path) -> Vec<Command> {
    let program = tool(root, "cargo-hack");
    let mut hack = Command::new(program);
    hack.args(["hack", "check", "--locked", "--workspace", "--feature-powerset", "--no-dev-deps"]);
    // It removes the development dependencies from the manifests while it runs, and restores them.
    hack.args(["--exclude", "cortexkey-fuzz", "--exclude", "cortexkey-benches"]).current_dir(root);
    vec![hack]
}

/// A program of the set `campaign`; if it cannot be installed, running it reports that.
fn tool(root: &Path, name: &str) -> PathBuf {
    tools::environment(root, "campaign").map_or_else(
        |error| {
            eprintln!("{error}");
            name.into()
        },
        |programs| programs.join(name),
    )
}

pub(super) fn watch(root: &Path) -> Vec<Command> {
    setup::promtool();
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--package", "cortexkey"]);
    let python = tools::environment(root, "watch").map_or_else(
        |error| {
            eprintln!("{error}");
            "python3".into()
        },
        |programs| programs.join("python"),
    );
    let mut test = Command::new(python);
    test.arg("crates/cli/tests/watch.py").arg(crate::run::target_dir(root).join("debug/cortexkey"));
    test.arg(root).current_dir(root);
    vec![build, test]
}

pub(super) fn semver(root: &Path) -> Vec<Command> {
    let mut last = Command::new("git");
    last.args(["describe", "--tags", "--abbrev=0", "--match", "v*"]).current_dir(root);
    // Before the first release, nothing can break.
    let Ok(tag) = crate::run::check(&mut last) else {
        println!("there is no release to compare with");
        return Vec::new();
    };
    let (install, program) = tools::from_crates(root, "cargo-semver-checks", "0.51.0");
    let mut checks = Command::new(program);
    checks.args(["semver-checks", "--workspace", "--baseline-rev", tag.trim()]).current_dir(root);
    vec![install, checks]
}

pub(super) fn public_api(root: &Path) -> Vec<Command> {
    let mut again = cargo(root);
    again.args(["xtask", "public-api"]);
    vec![again]
}

pub(super) fn coverage(root: &Path) -> Vec<Command> {
    let mut again = cargo(root);
    again.args(["xtask", "coverage"]);
    vec![again]
}

pub(super) fn docs_browser(root: &Path) -> Vec<Command> {
    let mut docs = cargo(root);
    docs.args(["xtask", "docs"]);
    let folder = crate::run::target_dir(root).join("docs-browser");
    let mut copy = Command::new("cp");
    copy.args(["-rT"]).arg(root.join("xtask/node")).arg(&folder);
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    install.current_dir(&folder);
    let mut look = Command::new("node");
    look.arg("look.mjs").arg(crate::site::folder(root)).current_dir(&folder);
    vec![docs, copy, install, look]
}

pub(super) fn terraform(root: &Path) -> Vec<Command> {
    let mut again = cargo(root);
    again.args(["xtask", "examples", "terraform"]);
    vec![again]
}

pub(super) fn console(root: &Path) -> Vec<Command> {
    let mut tests = cargo(root);
    tests.args(["xtask", "console-tests", "--all"]);
    vec![tests]
}

pub(super) fn console_strings(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--locked", "-p", "cortexkey-console", "--test", "it", "--", "--ignored"]);
    test.arg("ten_thousand_strings");
    vec![test]
}

pub(super) fn console_streams(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "--locked", "-p", "cortexkey-console", "--test", "it", "--"]);
    test.args(["--ignored", "--nocapture", "five_hundred_streams"]);
    vec![test]
}

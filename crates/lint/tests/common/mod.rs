//! Folders with policies and definitions, and the linter's results for them.

#![allow(dead_code, reason = "each test program needs some of these")]

use std::fs;
use std::path::Path;

use cortexkey_lint::files::{Options, RunOutcome, run};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Severity, Timestamp};
use tempfile::TempDir;

pub(crate) const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n";

pub(crate) fn key(name: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, owner: team-{name} }}\n\
         spec:\n  securityLevel: advanced\n  comment: For this test\n  lifetime: 90d\n  roles: [Viewer]\n  scope:\n    \
         assets: {{ mode: none }}\n    casesAndIssues: {{ mode: none }}\n    \
         endpoints: {{ mode: none }}\n"
    )
}

/// A message without the names of temporary folders.
pub(crate) fn stable(message: &str) -> String {
    let temp = format!("{}/.tmp", std::env::temp_dir().display());
    let mut parts = message.split(&temp);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + "FOLDER" + part.trim_start_matches(|c: char| c.is_ascii_alphanumeric())
    })
}

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Ends the search upwards, whatever is above the temporary folder.
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        write(folder.path(), path, text.as_bytes());
    }
    folder
}

/// Runs git in a folder, with a test user's name.
pub(crate) fn git(folder: &Path, args: &[&str]) {
    let mut git = cortexkey_system::command("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    git.args(["-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]);
    git.args(["-c", "protocol.file.allow=always"]);
    let output = git.args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with everything committed.
pub(crate) fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text.as_bytes());
    }
    git(folder.path(), &["init", "--quiet"]);
    commit(folder.path());
    folder
}

/// Commits everything, including ignored files.
pub(crate) fn commit(folder: &Path) {
    git(folder, &["add", "--all", "--force"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", "a"]);
}

pub(crate) fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub(crate) fn lint_with(
    folder: &Path,
    paths: &[&str],
    change: impl FnOnce(&mut Options),
) -> RunOutcome {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut options = Options::new(folder, now);
    options.paths = paths.iter().map(Into::into).collect();
    change(&mut options);
    run(&options, &mut std::io::empty())
}

pub(crate) fn lint(folder: &TempDir, paths: &[&str]) -> RunOutcome {
    lint_with(folder.path(), paths, |_| {})
}

pub(crate) fn found(outcome: &RunOutcome) -> Vec<String> {
    let report = outcome.report.as_ref().unwrap();
    let text = report.render(Format::Concise, false);
    // Test names are short, and files have the names that each test needs.
    let reported = |line: &&str| !line.contains("[N002 ") && !line.contains("[N003 ");
    let lines = text.lines().rev().skip(1).filter(reported).map(str::to_owned).collect::<Vec<_>>();
    lines.into_iter().rev().collect()
}

pub(crate) fn code(outcome: &RunOutcome) -> u8 {
    outcome.exit_code(Severity::Error)
}

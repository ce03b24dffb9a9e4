//! Publishes a release: crates, wheels, the Go module's tag, and the release on GitHub.
//!
//! Each step gets its token from the workflow for that run only. Each can be repeated: what is
//! already published is skipped.

use std::path::Path;
use std::process::Command;

use super::{files, files_ending};
use crate::run::{cargo, check};
use crate::tools;

/// Publishes the crates; cargo finds the order.
pub(super) fn crates(root: &Path) -> Result<(), String> {
    check(cargo(root).args(["publish", "--workspace", "--locked"])).map(drop)
}

/// Publishes the wheels to PyPI, with a token that PyPI issues to this workflow.
pub(super) fn wheels(root: &Path) -> Result<(), String> {
    let mut publish = Command::new(tools::environment(root, "release")?.join("uv"));
    publish.args(["publish", "--no-config", "--trusted-publishing", "always"]);
    check(publish.args(files_ending(root, ".whl")?)).map(drop)
}

/// Tags the Go module, which is in a folder and so has its own tag, and creates the release.
pub(super) fn github(root: &Path, tag: &str) -> Result<(), String> {
    let gh = |arguments: &[&str]| {
        let mut gh = Command::new("gh");
        gh.args(arguments).current_dir(root);
        gh
    };
    let commit = check(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root))?;
    let reference = format!("ref=refs/tags/go/{tag}");
    let sha = format!("sha={}", commit.trim());
    let existing = format!("repos/{{owner}}/{{repo}}/git/ref/tags/go/{tag}");
    if check(&mut gh(&["api", &existing])).is_err() {
        let new = ["api", "repos/{owner}/{repo}/git/refs", "--field", &reference, "--field", &sha];
        check(&mut gh(&new))?;
    }
    let notes = files(root).join("NOTES.md");
    let mut create =
        gh(&["release", "create", tag, "--verify-tag", "--title", tag, "--notes-file"]);
    create.arg(&notes);
    for end in [".whl", ".tar.gz", ".zip", ".deb", ".rpm", ".tgz", ".cdx.json", "SHA256SUMS"] {
        create.args(files_ending(root, end)?);
    }
    check(&mut create).map(drop)
}

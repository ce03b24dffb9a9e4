//! `cargo xtask release`: what `.github/workflows/release.yml` runs, in the order of its jobs.
//!
//! `build` makes this platform's files, `verify` checks all platforms' files against the commit, and the
//! others publish them. Files are under `target/release-files`. `docs/releasing.md` has the whole list.

mod build;
mod publish;
mod sbom;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::target_dir;

/// Runs a step.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["build"] => build::run(root),
        ["pin"] => verify::write_pins(root),
        ["verify", tag] => verify::run(root, tag),
        ["crates"] => publish::crates(root),
        ["wheels"] => publish::wheels(root),
        ["github", tag] => publish::github(root, tag),
        _ => Err("release takes one of: build, pin, verify TAG, crates, wheels, github TAG".into()),
    }
}

/// The version of every crate, wheel and archive.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of the files of a release.
fn files(root: &Path) -> PathBuf {
    target_dir(root).join("release-files")
}

/// The files with this ending, in order.
fn files_ending(root: &Path, end: &str) -> Result<Vec<PathBuf>, String> {
    let folder = files(root);
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(format!("{}: no file ends in {end}", folder.display()));
    }
    Ok(found)
}

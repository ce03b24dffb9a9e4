//! `cargo xtask release`: what `.github/workflows/release.yml` runs, in the order of its jobs.
//!
//! `build` makes this platform's files, `verify` checks all platforms' files against the commit, and the
//! others publish them. Files are under `target/release-files`. `docs/releasing.md` has the whole list.

mod binary;
mod build;
mod pack;
mod packages;
mod publish;
pub(crate) mod recipes;
mod sbom;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::capi;
use crate::run::{check, target_dir};
use crate::target::Target;

/// Runs a step.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["build", targets @ ..] => build::run(root, &named(targets)?, "dist"),
        // The same files from a build that takes less time, to see that they are in order.
        ["rehearse", targets @ ..] => build::run(root, &named(targets)?, "dev"),
        ["go-bundle"] => go_bundle(root),
        ["recipes"] => recipes::run(root),
        ["recipes", "--check"] => recipes::check_templates(root),
        ["pin"] => verify::write_pins(root),
        ["verify", tag] => verify::run(root, tag),
        ["crates"] => publish::crates(root),
        ["wheels"] => publish::wheels(root),
        ["github", tag] => publish::github(root, tag),
        _ => Err("release takes one of: build [TARGET…], rehearse [TARGET…], go-bundle, recipes [--check], pin, verify TAG, crates, wheels, github TAG".into()),
    }
}

/// The Go module with the libraries of all platforms that were built.
fn go_bundle(root: &Path) -> Result<(), String> {
    let files = files(root);
    let folder = capi::bundle::of_folder(root, &files)?;
    let name = format!("{}.tar.gz", folder.file_name().unwrap_or_default().display());
    copy(&folder.with_file_name(&name), &files.join(&name))?;
    println!("{}", files.join(name).display());
    Ok(())
}

/// The targets of these names; this machine's where there is none.
fn named(names: &[&str]) -> Result<Vec<Target>, String> {
    if names.is_empty() {
        return Ok(vec![Target::host()?]);
    }
    names.iter().map(|name| Target::named(name)).collect()
}

/// The time of the commit, in seconds: what is made from the same sources has the same time in it.
fn commit_time(root: &Path) -> Result<String, String> {
    let mut log = Command::new("git");
    log.args(["log", "-1", "--format=%ct"]).current_dir(root);
    Ok(check(&mut log)?.trim().to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display())).map(drop)
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

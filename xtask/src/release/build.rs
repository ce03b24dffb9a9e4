//! `cargo xtask release build`: the files of this platform.
//!
//! A wheel everywhere; on Linux, where the library's package is built, also that and the bill of
//! materials.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{VERSION, files, sbom};
use crate::capi;
use crate::run::check;
use crate::tools;

/// Builds into an empty folder.
pub(super) fn run(root: &Path) -> Result<(), String> {
    let folder = files(root);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    wheel(root, &folder)?;
    if cfg!(target_os = "linux") {
        library(root, &folder)?;
        let bill = folder.join(format!("cortexkey-{VERSION}-{}.cdx.json", std::env::consts::ARCH));
        let text = sbom::cyclonedx(root)?;
        fs::write(&bill, text).map_err(|error| format!("{}: {error}", bill.display()))?;
    }
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        println!("{}", entry.path().display());
    }
    Ok(())
}

/// On Linux Zig links for a glibc that every supported distribution has.
fn wheel(root: &Path, folder: &Path) -> Result<(), String> {
    let programs = tools::environment(root, "release")?;
    let mut build = Command::new(programs.join("maturin"));
    build.args(["build", "--quiet", "--locked", "--out"]).arg(folder).current_dir(root);
    if cfg!(target_os = "linux") {
        build.args(["--zig", "--compatibility", "manylinux2014"]);
    }
    // maturin finds Zig as a package of its own Python.
    build.env("VIRTUAL_ENV", programs.parent().unwrap_or(&programs));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    build.env("PATH", std::env::join_paths(path).map_err(|error| error.to_string())?);
    // The same sources give the same archive at any time.
    build.env("SOURCE_DATE_EPOCH", commit_time(root)?);
    check(&mut build).map(drop)
}

fn commit_time(root: &Path) -> Result<String, String> {
    let mut log = Command::new("git");
    log.args(["log", "-1", "--format=%ct"]).current_dir(root);
    Ok(check(&mut log)?.trim().to_owned())
}

fn library(root: &Path, folder: &Path) -> Result<(), String> {
    let packed = capi::dist::dist(root)?;
    let name = packed.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let archive = format!("{name}.tar.gz");
    let from = packed.with_file_name(&archive);
    fs::copy(&from, folder.join(&archive))
        .map_err(|error| format!("{}: {error}", from.display()))
        .map(drop)
}

//! The archive of the command for a target: the program, its manual pages and completions, the licences and the
//! bill of materials.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, copy, pack, sbom};
use crate::run::{cargo, check, target_dir};
use crate::target::Target;
use crate::text_file;

/// The shells that the command has completions for, and what their files are called.
const COMPLETIONS: [(&str, &str); 4] = [
    ("bash", "cortexkey.bash"),
    ("zsh", "_cortexkey"),
    ("fish", "cortexkey.fish"),
    ("powershell", "_cortexkey.ps1"),
];
const TEXTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds and packs; the folder that was packed.
pub(super) fn archive(
    root: &Path,
    target: &Target,
    profile: &str,
    files: &Path,
) -> Result<PathBuf, String> {
    let program = build(root, target, profile)?;
    let name = format!("cortexkey-{VERSION}-{}", target.triple());
    let folder = target_dir(root).join("release").join(&name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    copy(&program, &folder.join(program.file_name().unwrap_or_default()))?;
    for text in TEXTS {
        copy(&root.join(text), &folder.join(text))?;
    }
    let printer = if target.runs_here() { program } else { program_of_this_machine(root)? };
    documents(&printer, &folder)?;
    let bill = sbom::cyclonedx(root, target.triple())?;
    for place in [folder.join("cortexkey.cdx.json"), files.join(format!("{name}.cdx.json"))] {
        text_file::write(&place, &bill)?;
    }
    pack::archive(root, &folder, &files.join(format!("{name}.{}", target.archive_end())))?;
    Ok(folder)
}

fn build(root: &Path, target: &Target, profile: &str) -> Result<PathBuf, String> {
    let output = target_dir(root).join("release-build");
    let mut build = target.cargo(root, "build")?;
    build.args(["--quiet", "--locked", "-p", "cortexkey", "--profile", profile]);
    crate::target::without_paths(root, &mut build, &[]);
    check(build.env("CARGO_TARGET_DIR", &output))?;
    let name = if target.is_windows() { "cortexkey.exe" } else { "cortexkey" };
    Ok(target.folder(&output, profile).join(name))
}

/// A program that runs here, where the target's does not.
fn program_of_this_machine(root: &Path) -> Result<PathBuf, String> {
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
    Ok(target_dir(root).join("debug").join(if cfg!(windows) {
        "cortexkey.exe"
    } else {
        "cortexkey"
    }))
}

/// Manual pages and completions, which are the same for every target.
fn documents(program: &Path, folder: &Path) -> Result<(), String> {
    let man = folder.join("man");
    let completions = folder.join("completions");
    for new in [&man, &completions] {
        fs::create_dir_all(new).map_err(|error| format!("{}: {error}", new.display()))?;
    }
    check(Command::new(program).arg("man").arg(&man))?;
    for (shell, name) in COMPLETIONS {
        let text = check(Command::new(program).args(["completions", shell]))?;
        let place = completions.join(name);
        text_file::write(&place, &text)?;
    }
    Ok(())
}

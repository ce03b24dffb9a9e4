//! Tools from PyPI, each set of them in an environment of its own under the build folder, and from
//! crates.io and npm.
//!
//! A set of PyPI is a file in `xtask/python`: `NAME.in` states the versions, and `NAME.txt` pins all that they
//! need by digest (`uv pip compile --universal --generate-hashes NAME.in -o NAME.txt` renews it).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{check, target_dir};
use crate::text_file;

/// The environment's folder of programs. It is installed if it is missing or its pins changed.
pub(crate) fn environment(root: &Path, name: &str) -> Result<PathBuf, String> {
    let pins = root.join("xtask/python").join(format!("{name}.txt"));
    let text = text_file::read(&pins)?;
    let folder = target_dir(root).join(format!("python-{name}"));
    let stamp = folder.join("installed.txt");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(programs);
    }
    check(Command::new(python()).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(programs.join("python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    install.args(["--only-binary", ":all:", "--require-hashes", "--requirement"]).arg(&pins);
    check(&mut install)?;
    text_file::write(&stamp, &text)?;
    Ok(programs)
}

/// Installs what a folder's `package-lock.json` pins by digest, without running scripts of
/// packages.
pub(crate) fn npm(folder: &Path) -> Result<(), String> {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    check(npm.current_dir(folder)).map(drop)
}

/// What installs a program of crates.io into the build folder unless it is there, and the program.
pub(crate) fn from_crates(root: &Path, name: &str, version: &str) -> (Command, PathBuf) {
    let folder = target_dir(root).join("cargo-tools");
    let mut install = Command::new("cargo");
    install.args(["install", "--quiet", "--locked", "--version", version, "--root"]);
    install.arg(&folder).arg(name);
    (install, folder.join("bin").join(name))
}

/// Puts a folder of programs before the others on a command's search path.
pub(crate) fn put_first(command: &mut Command, programs: PathBuf) -> Result<(), String> {
    // What maturin and cargo-zigbuild look for is a package of their own Python.
    command.env("VIRTUAL_ENV", programs.parent().unwrap_or(&programs));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).map_err(|error| error.to_string())?);
    Ok(())
}

pub(crate) fn python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

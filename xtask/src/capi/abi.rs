//! Checks the binary interface against its stored description, `crates/capi/abi/`.
//!
//! The description is made from the header as a C compiler sees it: a library of empty functions
//! with its prototypes, described by `abidw`. Other checks ensure that the real library has the
//! same functions and that Rust's structures match the header.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{abi_version, functions};
use crate::run::{capture, check, target_dir};

/// Compares the header with the stored description; with `renew` writes the description.
pub(crate) fn run(root: &Path, renew: bool) -> Result<(), String> {
    let stored = stored(root)?;
    let described = describe(root, &root.join("include"))?;
    if renew {
        fs::create_dir_all(stored.parent().unwrap_or(root)).map_err(|e| e.to_string())?;
        return fs::copy(&described, &stored).map(drop).map_err(|e| e.to_string());
    }
    compare(&stored, &described)
}

/// Compares the installed header with the stored description.
pub(crate) fn check_installed(root: &Path, prefix: &Path) -> Result<(), String> {
    compare(&stored(root)?, &describe(root, &prefix.join("include"))?)
}

fn stored(root: &Path) -> Result<PathBuf, String> {
    Ok(root.join(format!("crates/capi/abi/libcortexkey.so.{}.xml", abi_version(root)?)))
}

/// abidiff's exit code is a set of bits: 1 and 2 are errors of its own, 4 a change, 8 an
/// incompatible change.
fn compare(stored: &Path, described: &Path) -> Result<(), String> {
    let mut abidiff = Command::new("abidiff");
    let ran = capture(abidiff.arg(stored).arg(described));
    if ran.success {
        return Ok(());
    }
    Err(format!(
        "the binary interface is not the stored one.\n{}\nWhere only functions were added, `cargo \
         xtask abi --renew`; where a parameter, a field or a function changed or went, raise \
         CXK_ABI_VERSION first",
        ran.all()
    ))
}

/// Describes the header by a library whose functions do nothing.
fn describe(root: &Path, include: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("abi");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let header = fs::read_to_string(include.join("cortexkey.h")).map_err(|e| e.to_string())?;
    let mut text = String::from("#include \"cortexkey.h\"\n");
    for (prototype, name) in header.split("\nCXK_API").skip(1).zip(functions(root)?) {
        let prototype = prototype.split(';').next().unwrap_or_default();
        let returns = prototype.split(name.as_str()).next().unwrap_or_default();
        let returns = returns.trim().trim_start_matches("CXK_MUST_USE").trim();
        let body = if returns == "void" { "" } else { "return 0;" };
        let prototype = prototype.replace("CXK_MUST_USE", "");
        let _ = writeln!(text, "CXK_API {} {{ {body} }}", prototype.trim());
    }
    // Structures that functions take as void pointers would not be reached; there are none.
    let source = folder.join("shell.c");
    let library = folder.join("libcortexkey.so");
    fs::write(&source, text).map_err(|e| e.to_string())?;
    let soname = format!("-Wl,-soname,libcortexkey.so.{}", abi_version(root)?);
    let mut compile = Command::new("gcc");
    compile.args(["-std=c11", "-g", "-shared", "-fPIC", &soname, "-I"]).arg(include);
    for (path, shown) in [(include, "include"), (folder.as_path(), ".")] {
        compile.arg(format!("-ffile-prefix-map={}={shown}", path.display()));
    }
    check(compile.arg("-o").arg(&library).arg(&source).current_dir(&folder))?;
    let description = folder.join("described.xml");
    let mut abidw = Command::new("abidw");
    abidw.args(["--no-comp-dir-path", "--no-corpus-path", "--no-show-locs"]);
    check(abidw.arg("--out-file").arg(&description).arg(&library))?;
    Ok(description)
}

//! Checks the libraries as files: their names, versions, and dependencies.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::{abi_version, functions};
use crate::run::check;
use crate::target::{GLIBC, Target};

/// The largest size of the shared library.
const SHARED_BYTES_MAX: u64 = 700_000;
/// What the shared library may depend on at run time: glibc, whose parts were separate libraries
/// before 2.34.
const NEEDED: [&str; 5] =
    ["libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libpthread.so.0", "libdl.so.2"];
/// What it may depend on with musl, which is a single library.
const NEEDED_MUSL: [&str; 1] = ["libc.so"];

/// Checks the shared library.
pub(crate) fn check_shared(root: &Path, library: &Path, target: &Target) -> Result<(), String> {
    let abi = abi_version(root)?;
    let refuse = |why: String| Err(format!("{}: {why}", library.display()));
    let dynamic = readelf(library, &["--dynamic"])?;
    if !dynamic.contains(&format!("soname: [libcortexkey.so.{abi}]")) {
        return refuse("the SONAME is missing or wrong".into());
    }
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    for line in needed {
        let name = line.split(['[', ']']).nth(1).unwrap_or_default();
        let may_need = if target.is_musl() { &NEEDED_MUSL[..] } else { &NEEDED };
        if !may_need.contains(&name) {
            return refuse(format!("it needs {name} when it runs"));
        }
    }
    for (mark, what) in
        [("(TEXTREL)", "text relocations"), ("(RPATH)", "an RPATH"), ("(RUNPATH)", "a RUNPATH")]
    {
        if dynamic.contains(mark) {
            return refuse(format!("it has {what}"));
        }
    }
    if !dynamic.contains("BIND_NOW") {
        return refuse("it does not bind all names at load time (-z now)".into());
    }
    if let Some(newer) = newer_glibc(&readelf(library, &["--version-info"])?) {
        return refuse(format!("it needs {newer}, and glibc {GLIBC} does not have it"));
    }
    let segments = readelf(library, &["--program-headers"])?;
    if !segments.contains("GNU_RELRO") {
        return refuse("it has no RELRO".into());
    }
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).unwrap_or_default();
    if !stack.contains("RW ") {
        return refuse("its stack is executable, or not marked as non-executable".into());
    }
    let symbols = readelf(library, &["--dyn-syms"])?;
    let mut exported = BTreeSet::new();
    for line in symbols.lines().filter(|line| line.contains(" GLOBAL ") || line.contains(" WEAK "))
    {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Number, value, size, type, binding, visibility, section, name.
        let [_, _, _, _, _, _, section, name, ..] = fields.as_slice() else { continue };
        if ["UND", "ABS"].contains(section) {
            continue;
        }
        let Some(function) = name.strip_suffix(&format!("@@CXK_{abi}")) else {
            return refuse(format!("{name} does not have the version CXK_{abi}"));
        };
        exported.insert(function.to_owned());
    }
    same(&exported, root).or_else(&refuse)?;
    let bytes = std::fs::metadata(library).map_err(|e| e.to_string())?.len();
    if bytes > SHARED_BYTES_MAX {
        return refuse(format!("its size is {bytes} bytes; the limit is {SHARED_BYTES_MAX}"));
    }
    no_paths(root, library)
}

/// A required version of glibc's symbols that is newer than the oldest supported glibc. Weak
/// requirements are allowed.
fn newer_glibc(versions: &str) -> Option<&str> {
    let number = |text: &str| -> Option<Vec<u32>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    let needed = versions.lines().filter(|line| !line.contains("WEAK"));
    let mut names = needed.filter_map(|line| line.split_once("Name: GLIBC_"));
    names.find_map(|(_, name)| {
        let name = name.split_whitespace().next()?;
        // A name that is not a number is not a known version.
        (number(name).is_none_or(|version| Some(version) > number(GLIBC))).then_some(name)
    })
}

/// Checks the archive: one object, and only the header's global names.
pub(crate) fn check_archive(root: &Path, archive: &Path) -> Result<(), String> {
    let members = check(Command::new("ar").arg("t").arg(archive))?;
    if members.lines().count() != 1 {
        return Err(format!("{}: it has several objects: {members}", archive.display()));
    }
    let symbols = check(Command::new("nm").args(["-g", "--defined-only", "-j"]).arg(archive))?;
    let exported: BTreeSet<String> =
        symbols.lines().filter(|l| !l.is_empty() && !l.ends_with(':')).map(str::to_owned).collect();
    same(&exported, root).map_err(|why| format!("{}: {why}", archive.display()))?;
    no_paths(root, archive)
}

fn same(exported: &BTreeSet<String>, root: &Path) -> Result<(), String> {
    let declared: BTreeSet<String> = functions(root)?.into_iter().collect();
    if *exported == declared {
        return Ok(());
    }
    let more: Vec<_> = exported.difference(&declared).collect();
    let less: Vec<_> = declared.difference(exported).collect();
    Err(format!("it exports {more:?}, which the header does not declare, and lacks {less:?}"))
}

/// Panic messages contain source paths; none may be from this machine.
fn no_paths(root: &Path, library: &Path) -> Result<(), String> {
    let bytes = std::fs::read(library).map_err(|e| e.to_string())?;
    let home = std::env::var("HOME").unwrap_or_else(|_| "/nowhere".into());
    for path in [root.to_string_lossy().into_owned() + "/", home + "/.cargo"] {
        if bytes.windows(path.len()).any(|window| window == path.as_bytes()) {
            return Err(format!("{}: it contains the path {path}", library.display()));
        }
    }
    Ok(())
}

fn readelf(library: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut readelf = Command::new("readelf");
    check(readelf.arg("-W").args(arguments).arg(library).env("LC_ALL", "C"))
}

#[cfg(test)]
mod tests {
    use super::newer_glibc;

    #[test]
    fn a_newer_glibc_is_detected() {
        let line = |name: &str, flags: &str| {
            format!("  0x0010:   Name: {name}  Flags: {flags}  Version: 3\n")
        };
        let fine = line("GLIBC_2.2.5", "none") + &line("GLIBC_2.17", "none");
        assert_eq!(newer_glibc(&fine), None);
        assert_eq!(newer_glibc(&(fine.clone() + &line("GLIBC_2.18", "WEAK"))), None);
        let newer = fine.clone() + &line("GLIBC_2.17.1", "none");
        assert_eq!(newer_glibc(&newer), Some("2.17.1"));
        assert_eq!(newer_glibc(&(fine.clone() + &line("GLIBC_2.35", "none"))), Some("2.35"));
        assert_eq!(newer_glibc(&(fine + &line("GLIBC_ABI_DT_RELR", "none"))), Some("ABI_DT_RELR"));
    }
}

//! The C library as released: built from one object, packed, and checked.

pub(crate) mod abi;
pub(crate) mod bundle;
pub(crate) mod dist;
pub(crate) mod elf;
pub(crate) mod ends;
pub(crate) mod installed;
mod library;
mod misuse;
mod packaged;
pub(crate) mod speed;

use std::fs;
use std::path::Path;
use std::thread;

use installed::Installed;

/// What a program links besides the archive: libraries that are part of glibc from 2.34 on.
pub(crate) const STATIC_LIBS: &str = "-lpthread -ldl";

/// Runs all tests of an installed library; how many there are.
pub(crate) fn run(root: &Path, installed: &Installed) -> Result<u64, String> {
    let header = fs::read_to_string(installed.prefix.join("include/cortexkey.h"))
        .map_err(|e| format!("the installed header: {e}"))?;
    let (program, calls) = misuse::program(&header)?;
    let misuse = installed.work.join("misuse.c");
    fs::write(&misuse, program).map_err(|e| format!("{}: {e}", misuse.display()))?;
    // On both processors: neither half writes a program of the other's.
    let (plain, more) = thread::scope(|scope| {
        let plain = scope.spawn(|| installed.plain_and_watched(&misuse));
        let more = installed.sanitized_and_linked(root, &misuse);
        let more = more.and_then(|done| Ok(done + packaged::run(root, installed)?));
        (plain.join().unwrap_or_else(|_| Err("a thread panicked".into())), more)
    });
    Ok(calls as u64 + plain? + more?)
}

/// The functions that the header declares, in its order.
pub(crate) fn functions(root: &Path) -> Result<Vec<String>, String> {
    let path = root.join("include/cortexkey.h");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.split("\nCXK_API").skip(1).map(|text| name(text).to_owned()).collect())
}

/// The number of the binary interface, as the header has it.
pub(crate) fn abi_version(root: &Path) -> Result<String, String> {
    let path = root.join("include/cortexkey.h");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("#define CXK_ABI_VERSION "));
    line.map(str::to_owned).ok_or_else(|| "the header has no CXK_ABI_VERSION".into())
}

/// The word before the first opening parenthesis.
fn name(prototype: &str) -> &str {
    let head = prototype.split('(').next().unwrap_or_default();
    head.rsplit([' ', '*', '\n']).next().unwrap_or_default()
}

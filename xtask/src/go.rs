//! How the Go module finds the C library that was just built, without installing it.
//!
//! It refuses to write outside the target folder, and to describe a library that is not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{cargo, check, target_dir};

/// What a program links besides a Rust archive, as `rustc --print native-static-libs` says.
const STATIC_LIBS: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

/// Builds the C library for release, and prints where pkg-config finds it.
pub(crate) fn print_pkg_config_dir(root: &Path) -> Result<(), String> {
    let mut build = cargo(root);
    check(build.args(["build", "--release", "--locked", "-p", "cortexkey-capi"]))?;
    println!("{}", pkg_config_dir(root, &target_dir(root), "release")?.display());
    Ok(())
}

/// Writes `cortexkey.pc` for the library of a profile's folder (`debug`, `release`) and returns
/// the folder for `PKG_CONFIG_PATH`. Programs link the archive, so they run from anywhere.
///
/// It needs `cargo build -p cortexkey-capi` before it, and the program `pkg-config` after it. Go
/// links each test anew, so it sees a new archive; but it asks pkg-config only when it compiles
/// the package, so another folder needs another flag, such as
/// `-gcflags=github.com/cortexkey/cortexkey/go/internal/capi=-D=FOLDER`.
pub(crate) fn pkg_config_dir(
    root: &Path,
    target_dir: &Path,
    profile: &str,
) -> Result<PathBuf, String> {
    let archive = target_dir.join(profile).join("libcortexkey.a");
    if !archive.is_file() {
        return Err(format!(
            "there is no {}; build it first: cargo build -p cortexkey-capi",
            archive.display()
        ));
    }
    let folder = target_dir.join(profile).join("pkgconfig");
    let file = folder.join("cortexkey.pc");
    let text = description(&root.join("include"), &archive)?;
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(folder)
}

fn description(include: &Path, archive: &Path) -> Result<String, String> {
    let (include, archive) = (word(include)?, word(archive)?);
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!(
        "Name: cortexkey\n\
         Description: Signs requests to Palo Alto Networks Cortex APIs (not installed)\n\
         Version: {version}\n\
         Cflags: -I{include}\n\
         Libs: {archive} {STATIC_LIBS}\n"
    ))
}

/// A path as a word of a `.pc` file.
fn word(path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path)
        .map_err(|error| format!("cannot find {}: {error}", path.display()))?;
    match path.to_str() {
        // Go's compiler flags and pkg-config's quoting do not agree on spaces.
        Some(text) if !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err(format!(
            "{} has a space or is not UTF-8; use a target folder without (CARGO_TARGET_DIR)",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_the_archive_itself() {
        let text = description(Path::new("/r/include"), Path::new("/t/debug/libcortexkey.a"));
        let text = text.unwrap();
        assert!(text.contains("\nLibs: /t/debug/libcortexkey.a -lgcc_s"), "{text}");
        assert!(text.contains("-I/r/include\n"), "{text}");
    }

    #[test]
    fn spaces_and_missing_archives_are_refused() {
        assert!(word(Path::new("/a b")).unwrap_err().contains("/a b has a space"));
        let error = pkg_config_dir(Path::new("/r"), Path::new("/nowhere"), "debug").unwrap_err();
        assert!(error.contains("cargo build -p cortexkey-capi"), "{error}");
    }
}

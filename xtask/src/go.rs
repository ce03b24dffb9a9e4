//! How the Go module finds the C library that was just built, without installing it.
//!
//! It refuses to write outside the target folder, and to describe a library that is not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a program links besides a Rust archive, as `rustc --print native-static-libs` says.
const STATIC_LIBS: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

/// Writes `cortexkey.pc` for the library of a profile's folder (`debug`, `release`) and returns
/// the folder for `PKG_CONFIG_PATH`. Programs link the archive, so they run from anywhere.
///
/// It needs `cargo build -p cortexkey-capi` before it, and the program `pkg-config` after it.
pub(crate) fn pkg_config_dir(
    root: &Path,
    target_dir: &Path,
    profile: &str,
) -> Result<PathBuf, String> {
    let archive = target_dir.join(profile).join("libcortexkey.a");
    let stamp = stamp(&archive)?;
    let folder = target_dir.join(profile).join("pkgconfig");
    let file = folder.join("cortexkey.pc");
    let text = description(&root.join("include"), &archive, &stamp)?;
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(folder)
}

fn description(include: &Path, archive: &Path, stamp: &str) -> Result<String, String> {
    let (include, archive) = (word(include)?, word(archive)?);
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!(
        "Name: cortexkey\n\
         Description: Signs requests to Palo Alto Networks Cortex APIs (not installed)\n\
         Version: {version}\n\
         Cflags: -I{include} -DCXK_ARCHIVE_STAMP={stamp}\n\
         Libs: {archive} {STATIC_LIBS}\n"
    ))
}

/// When the archive was written. Go keeps what it built by the flags it built with and does not
/// look into an archive, so a new archive needs new flags.
fn stamp(archive: &Path) -> Result<String, String> {
    let written = fs::metadata(archive).and_then(|about| about.modified()).map_err(|error| {
        format!("{}: {error}; build it first: cargo build -p cortexkey-capi", archive.display())
    })?;
    let since = written.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(since.as_nanos().to_string())
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
        let text = description(Path::new("/r/include"), Path::new("/t/debug/libcortexkey.a"), "5");
        let text = text.unwrap();
        assert!(text.contains("\nLibs: /t/debug/libcortexkey.a -lgcc_s"), "{text}");
        assert!(text.contains("-I/r/include -DCXK_ARCHIVE_STAMP=5\n"), "{text}");
    }

    #[test]
    fn spaces_and_missing_archives_are_refused() {
        assert!(word(Path::new("/a b")).unwrap_err().contains("/a b has a space"));
        let error = pkg_config_dir(Path::new("/r"), Path::new("/nowhere"), "debug").unwrap_err();
        assert!(error.contains("cargo build -p cortexkey-capi"), "{error}");
    }
}

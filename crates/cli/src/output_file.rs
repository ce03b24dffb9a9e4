//! Writes the files that the user names. A link in a repository never leads out of it.

use std::fs;
use std::io;
use std::path::Path;

use cortexkey_system::{Links, PendingFile, WriteOptions, link_boundary, replace, stays};

/// Replaces a file as a whole, following links within its repository. A pipe or device is written directly, since it has
/// no content to lose.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    stays(path)?;
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return fs::write(path, bytes);
    }
    let root = link_boundary(path);
    let links = root.as_deref().map_or(Links::Follow, Links::Within);
    Ok(replace(path, bytes, WriteOptions::new(links))?)
}

/// Writes a new file; [`io::ErrorKind::AlreadyExists`] if the path exists.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    stays(path)?;
    Ok(PendingFile::begin(path, WriteOptions::new(Links::Refuse))?.create(bytes)?)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_link_to_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        fs::write(&real, "old").unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        write(Path::new("/dev/null"), b"new").unwrap();
        assert!(write(folder.path(), b"new").is_err());
        assert_eq!(create(&link, b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        create(&folder.path().join("other"), b"x").unwrap();
    }
}

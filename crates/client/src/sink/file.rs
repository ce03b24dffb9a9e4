//! [`NewFile`]: a file that takes a key, made before the key exists and put in its place at once.
//!
//! It refuses rights for group and others, and to leave half a key where a whole one stood.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::SinkError;

/// A file beside the one that it will be. Dropped without a key, it is removed.
pub(super) struct NewFile {
    file: File,
    place: PathBuf,
    to: PathBuf,
    replace: bool,
}

impl NewFile {
    pub(super) fn beside(to: &Path, replace: bool) -> Result<Self, SinkError> {
        let failed = |error| SinkError::File { path: to.to_owned(), error };
        if !replace && to.symlink_metadata().is_ok() {
            return Err(SinkError::Exists { path: to.to_owned() });
        }
        let name = to.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        if to.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        // Always the same name, so that what an interrupted run left behind is found and removed.
        let mut own = std::ffi::OsString::from(".");
        own.push(name);
        own.push(".cortexkey-new");
        let place = to.with_file_name(own);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = create(&place).map_err(failed)?;
        Ok(Self { file, place, to: to.to_owned(), replace })
    }

    /// Writes the key, and puts the file where it belongs, or elsewhere.
    pub(super) fn finish(mut self, key: &[u8], elsewhere: Option<&Path>) -> Result<(), SinkError> {
        if let Some(to) = elsewhere {
            to.clone_into(&mut self.to);
        }
        self.write(key).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                SinkError::Exists { path: self.to.clone() }
            } else {
                SinkError::File { path: self.to.clone(), error }
            }
        })
    }

    fn write(&mut self, key: &[u8]) -> io::Result<()> {
        self.file.write_all(key)?;
        self.file.sync_all()?;
        if self.replace {
            fs::rename(&self.place, &self.to)?;
        } else {
            // A rename would take the place of a file that came meanwhile.
            fs::hard_link(&self.place, &self.to)?;
        }
        sync_folder(&self.to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a rename there is none any more.
        let _ = fs::remove_file(&self.place);
    }
}

#[cfg(unix)]
fn create(place: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)
}

#[cfg(not(unix))]
fn create(place: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(place)
}

/// A name in a folder is on the disk once the folder is.
#[cfg(unix)]
pub(crate) fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_the_owners_alone_and_in_place_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        NewFile::beside(&path, false).unwrap().finish(b"one", None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(NewFile::beside(&path, false), Err(SinkError::Exists { .. })));

        // What an interrupted run left behind is in nobody's way, and goes.
        fs::write(folder.path().join(".key.cortexkey-new"), b"left").unwrap();
        NewFile::beside(&path, true).unwrap().finish(b"two", None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");

        drop(NewFile::beside(&folder.path().join("other"), false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let new = NewFile::beside(&path, false).unwrap();
        fs::write(&path, b"somebody's").unwrap();
        assert!(matches!(new.finish(b"mine", None), Err(SinkError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"somebody's");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_before_there_is_a_key() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("no/such/folder"), folder.path().to_owned()] {
            assert!(matches!(NewFile::beside(&path, true), Err(SinkError::File { .. })));
        }
    }
}

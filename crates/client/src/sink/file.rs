//! [`NewFile`]: a file for a key, tried before the key exists and put in place atomically.
//!
//! In a sink's folder each key's file has a companion that names the key's tenant, so that a
//! rotation replaces only its own tenant's file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cortexkey_system::{Links, PendingFile, WriteError, WriteOptions, replace};

use super::SinkError;

/// The ending of the file that names a key's tenant; its name starts with a dot.
const OWNER: &str = ".cortexkey-tenant";
const OWNER_BYTES_MAX: u64 = 4096;

/// A file that was tried and can take a key.
pub(super) struct NewFile {
    path: PathBuf,
    replace: bool,
}

impl NewFile {
    /// A file at a path that the user named. If it is to be replaced, links are followed: the file
    /// that others read gets the key.
    pub(super) fn at(path: &Path, replace: bool) -> Result<Self, SinkError> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(SinkError::Exists { path: path.to_owned() });
        }
        let file = Self { path: path.to_owned(), replace };
        // Removed at once: a run that is killed before it has a key leaves nothing behind.
        file.begin()?;
        Ok(file)
    }

    fn begin(&self) -> Result<PendingFile, WriteError> {
        let links = if self.replace { Links::Follow } else { Links::Refuse };
        PendingFile::begin(&self.path, WriteOptions::new(links).private().durable())
    }

    pub(super) fn finish(self, key: &[u8]) -> Result<(), SinkError> {
        let pending = self.begin()?;
        Ok(if self.replace { pending.replace(key) } else { pending.create(key) }?)
    }
}

/// Checks that a file that the user named is not another tenant's key in a sink's folder.
pub(super) fn check_owner(path: &Path, tenant: &str) -> Result<(), SinkError> {
    match owner(path) {
        Some(owner) if owner != tenant && path.symlink_metadata().is_ok() => {
            Err(SinkError::Foreign { path: path.to_owned(), owner: Some(owner) })
        }
        _ => Ok(()),
    }
}

/// A file in a sink's folder.
pub(super) struct InFolder {
    file: NewFile,
    folder: PathBuf,
    tenant: String,
}

impl InFolder {
    /// The file for a name. An existing one is replaced only if it belongs to this tenant.
    pub(super) fn named(folder: &Path, name: &str, tenant: &str) -> Result<Self, SinkError> {
        let path = folder.join(name);
        let there = path.symlink_metadata().is_ok();
        if there {
            match owner(&path) {
                Some(owner) if owner == tenant => {}
                owner => return Err(SinkError::Foreign { path, owner }),
            }
        }
        let file = NewFile::at(&path, there)?;
        Ok(Self { file, folder: folder.to_owned(), tenant: tenant.to_owned() })
    }

    /// A file whose name is known only once the key is; an existing file is never replaced.
    pub(super) fn unnamed(folder: &Path, tenant: &str) -> Result<Self, SinkError> {
        let file = NewFile { path: folder.join("new-key"), replace: false };
        file.begin()?;
        Ok(Self { file, folder: folder.to_owned(), tenant: tenant.to_owned() })
    }

    pub(super) fn finish(mut self, key: &[u8], name: &str) -> Result<(), SinkError> {
        let path = self.folder.join(name);
        if !self.file.replace && path.symlink_metadata().is_ok() {
            return Err(SinkError::Exists { path });
        }
        // Written first, so that a key is never stored without its tenant.
        let line = format!("{}\n", self.tenant);
        let how = WriteOptions::new(Links::Replace).private().durable();
        replace(&owner_path(&path), line.as_bytes(), how)?;
        self.file.path = path;
        self.file.finish(key)
    }
}

/// The tenant that a key's file belongs to; `None` if unknown.
fn owner(path: &Path) -> Option<String> {
    let path = owner_path(path);
    if path.is_symlink() {
        return None;
    }
    let text = String::from_utf8(cortexkey_system::read(&path, OWNER_BYTES_MAX).ok()?).ok()?;
    Some(text.trim_end().to_owned())
}

fn owner_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(OWNER);
    path.with_file_name(name)
}

impl From<WriteError> for SinkError {
    fn from(error: WriteError) -> Self {
        let path = error.path().to_owned();
        match error {
            WriteError::Exists { .. } => Self::Exists { path },
            other => Self::File { path, error: other.into() },
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_private_and_replaced_atomically() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        NewFile::at(&path, false).unwrap().finish(b"one").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(NewFile::at(&path, false), Err(SinkError::Exists { .. })));
        NewFile::at(&path, true).unwrap().finish(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");

        drop(NewFile::at(&folder.path().join("other"), false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let new = NewFile::at(&path, false).unwrap();
        fs::write(&path, b"somebody's").unwrap();
        assert!(matches!(new.finish(b"mine"), Err(SinkError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"somebody's");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_to_the_file_that_others_read_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        let link = folder.path().join("link");
        fs::write(&real, b"old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        NewFile::at(&link, true).unwrap().finish(b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn only_a_regular_file_receives_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(cortexkey_system::command("mkfifo").arg(&fifo).status().unwrap().success());
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        for path in [
            folder.path().join("no/such/folder"),
            folder.path().to_owned(),
            fifo,
            link,
            "/dev/null".into(),
            "/dev/stdout".into(),
            "/dev/fd/1".into(),
            "/proc/self/fd/1".into(),
        ] {
            let refused = NewFile::at(&path, true).err();
            assert!(matches!(refused, Some(SinkError::File { .. })), "{}", path.display());
        }
    }

    #[test]
    fn only_the_tenants_own_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let put = |key: &[u8], tenant: &str| {
            InFolder::named(folder.path(), "svc", tenant).and_then(|file| file.finish(key, "svc"))
        };
        put(b"eu", "https://api-eu.example").unwrap();
        put(b"eu again", "https://api-eu.example").unwrap();
        assert!(matches!(put(b"us", "https://api-us.example"), Err(SinkError::Foreign { .. })));
        assert_eq!(fs::read(folder.path().join("svc")).unwrap(), b"eu again");

        let us = check_owner(&folder.path().join("svc"), "https://api-us.example");
        assert!(matches!(us, Err(SinkError::Foreign { owner: Some(_), .. })));

        // A file of unknown origin may be in use.
        fs::write(folder.path().join("key-7"), b"somebody's").unwrap();
        let named = InFolder::named(folder.path(), "key-7", "https://api-eu.example");
        assert!(matches!(named, Err(SinkError::Foreign { .. })));
        let unnamed = InFolder::unnamed(folder.path(), "https://api-eu.example").unwrap();
        assert!(matches!(unnamed.finish(b"new", "key-7"), Err(SinkError::Exists { .. })));
        assert_eq!(fs::read(folder.path().join("key-7")).unwrap(), b"somebody's");
    }
}

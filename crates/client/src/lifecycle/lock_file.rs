//! [`LockFile`]: the lock file on disk, locked while it is changed.
//!
//! It has one holder at a time. Each change is on disk before the announced step starts. A file
//! with mistakes is an error.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::plan;
use cortexkey_manifest::lock::{FILE_NAME, Lock, LockedKey, LockedTenant, read};
use cortexkey_manifest::yaml::{YamlLimits, parse};
use cortexkey_manifest::{Problem, ProblemKind, decode, quote};
use cortexkey_system::{Links, WriteOptions, read_within, replace};
use thiserror::Error;

const LOCK_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the state of a renewal is recorded before each step.
pub trait RenewalJournal {
    /// Writes the state; it is on disk when this returns.
    fn save(&mut self, entry: &LockedKey) -> Result<(), LockFileError>;
}

/// A lock file, held exclusively.
pub struct LockFile {
    path: PathBuf,
    lock: Lock,
    /// The folder holds the lock, because each change replaces the file.
    _held: Option<File>,
}

/// Why a lock file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// It cannot be read.
    #[error("the lock file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// It cannot be written.
    #[error(
        "the lock file {} cannot be written\nhelp: run the same command again once it can be written: it \
         finishes what was begun",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// Another run holds it.
    #[error("another run holds the lock file {}\nhelp: wait until it ends", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// It has mistakes.
    #[error(
        "the lock file {} has a mistake in line {line}: {message}\nhelp: take the version that was \
         committed last",
        path.display()
    )]
    Mistake {
        /// The file.
        path: PathBuf,
        /// The line of the first, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl LockFile {
    /// Reads a lock file without locking it; an empty one if there is no such file. A link that leads
    /// out of the repository is an error.
    pub fn read(path: &Path) -> Result<Lock, LockFileError> {
        let failed = |error| LockFileError::Read { path: path.to_owned(), error };
        let bytes = match read_within(path, LOCK_BYTES_MAX) {
            Err(error) if error.is_missing() => return Ok(Lock::default()),
            bytes => bytes.map_err(|error| failed(error.into()))?,
        };
        let decoded = decode(bytes);
        let limits = YamlLimits {
            bytes: usize::try_from(LOCK_BYTES_MAX).unwrap_or(usize::MAX),
            ..YamlLimits::default()
        };
        let parsed = parse(&decoded.text, &limits);
        let tree = parsed.tree;
        let mistake = |problem: &Problem| LockFileError::Mistake {
            path: path.to_owned(),
            line: tree.position(problem.span.start).line,
            message: problem.message.clone(),
        };
        if let Some(problem) = decoded.problem.iter().chain(&parsed.problems).next() {
            return Err(mistake(problem));
        }
        let [document] = tree.documents() else {
            let message = "expected one document";
            let place = cortexkey_manifest::Span::default();
            return Err(mistake(&Problem::new(ProblemKind::WrongType, place, message)));
        };
        let lowered = read(&tree, *document);
        if let Some(problem) = lowered.problems.first() {
            return Err(mistake(problem));
        }
        let lock = lowered.lock.unwrap_or_default();
        // A merge may have combined entries; a key that is replaced in one of them may be the current
        // one of another.
        let reused = lock.reused_ids().first().map(|reused| {
            let message = format!(
                "{} and {} have the same key {}",
                quote(reused.first),
                quote(reused.name),
                reused.id
            );
            mistake(&Problem::new(ProblemKind::BadValue, reused.place, message))
        });
        reused.map_or(Ok(lock), Err)
    }

    /// Reads a lock file and locks it.
    pub fn hold(path: &Path) -> Result<Self, LockFileError> {
        let held = hold_folder(path)?;
        Ok(Self { lock: Self::read(path)?, path: path.to_owned(), _held: held })
    }

    /// The nearest lock file from a folder upwards, within its repository.
    pub fn nearest(folder: &Path) -> Option<PathBuf> {
        for folder in folder.ancestors() {
            let path = folder.join(FILE_NAME);
            // One that cannot be read is not a missing one.
            if path.symlink_metadata().is_ok() {
                return Some(path);
            }
            if folder.join(".git").exists() {
                return None;
            }
        }
        None
    }

    /// A tenant's name in a lock file; a child's name is followed by the child's id.
    pub fn tenant(name: &str, child: Option<&str>) -> String {
        plan::place(name, child)
    }

    /// The child's id in a tenant's name; `None` for a tenant that is not a child.
    pub fn child_of(tenant: &str) -> Option<&str> {
        plan::child_of(tenant)
    }

    /// The contents.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A definition's entry; an empty one if there is none.
    pub fn entry(&self, tenant: &str, name: &str) -> LockedKey {
        self.lock.key(tenant, name).cloned().unwrap_or_default()
    }

    /// Sets or removes an entry, and writes the file.
    pub fn set(
        &mut self,
        tenant: &str,
        host: &str,
        name: &str,
        entry: Option<LockedKey>,
    ) -> Result<(), LockFileError> {
        let of_tenant = self
            .lock
            .tenants
            .entry(tenant.to_owned())
            .or_insert_with(|| LockedTenant { host: host.to_owned(), keys: BTreeMap::new() });
        // An empty entry, as after a failed first generation, is removed.
        match entry.filter(|entry| !entry.is_empty()) {
            Some(entry) => of_tenant.keys.insert(name.to_owned(), entry),
            None => of_tenant.keys.remove(name),
        };
        if of_tenant.keys.is_empty() {
            self.lock.tenants.remove(tenant);
        }
        self.write()
    }

    /// Where the state of a definition's renewal is recorded.
    pub fn journal<'a>(
        &'a mut self,
        tenant: &'a str,
        host: impl Into<Cow<'a, str>>,
        name: &'a str,
    ) -> LockFileEntry<'a> {
        LockFileEntry { file: self, tenant, host: host.into(), name }
    }

    fn write(&self) -> Result<(), LockFileError> {
        let how = WriteOptions::new(Links::Replace).durable();
        let written = replace(&self.path, self.lock.to_yaml().as_bytes(), how);
        written
            .map_err(|error| LockFileError::Write { path: self.path.clone(), error: error.into() })
    }
}

/// One entry of a held lock file.
pub struct LockFileEntry<'a> {
    file: &'a mut LockFile,
    tenant: &'a str,
    host: Cow<'a, str>,
    name: &'a str,
}

impl RenewalJournal for LockFileEntry<'_> {
    fn save(&mut self, entry: &LockedKey) -> Result<(), LockFileError> {
        self.file.set(self.tenant, &self.host, self.name, Some(entry.clone()))
    }
}

#[cfg(unix)]
pub(crate) fn hold_folder(path: &Path) -> Result<Option<File>, LockFileError> {
    use std::fs::TryLockError;

    let failed = |error| LockFileError::Read { path: path.to_owned(), error };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(LockFileError::Held { path: path.to_owned() }),
        // Some network file systems do not support such locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A folder cannot be locked on Windows.
#[cfg(windows)]
pub(crate) fn hold_folder(path: &Path) -> Result<Option<File>, LockFileError> {
    match cortexkey_system::hold(path) {
        Ok(Some(file)) => Ok(Some(file)),
        Ok(None) => Err(LockFileError::Held { path: path.to_owned() }),
        Err(error) => Err(LockFileError::Read { path: path.to_owned(), error }),
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use cortexkey_core::auth::KeyId;

    use super::*;

    #[test]
    fn a_link_is_replaced_and_its_target_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::write(place("victim"), "somebody's").unwrap();
        let path = place("cortexkey.lock");
        std::os::unix::fs::symlink(place("victim"), &path).unwrap();
        let mut file = LockFile { path: path.clone(), lock: Lock::default(), _held: None };
        let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
        file.set("eu", "api-acme.example", "svc", Some(entry)).unwrap();
        assert_eq!(fs::read_to_string(place("victim")).unwrap(), "somebody's");
        assert!(path.symlink_metadata().unwrap().is_file());
        assert_eq!(LockFile::read(&path).unwrap().key("eu", "svc").unwrap().id, KeyId::new(7));
    }

    /// As after a merge: one entry replaced the key that the other has.
    #[test]
    fn a_key_of_two_definitions_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let with = |of_b: &str| {
            let text = format!(
                "apiVersion: cortexkey/v1\nkind: Lock\ntenants:\n  eu:\n    host: h\n    keys:\n      \
                 svc-a: {{ id: 5 }}\n      svc-b: {{ {of_b} }}\n"
            );
            fs::write(&path, text).unwrap();
            LockFile::read(&path)
        };
        let after = "after: \"2026-01-01T00:00:00Z\"";
        for of_b in ["id: 5".to_owned(), format!("id: 6, retiring: [{{ id: 5, {after} }}]")] {
            let read = with(&of_b);
            assert!(matches!(read, Err(LockFileError::Mistake { line: 8, .. })), "{read:?}");
        }
        with(&format!("id: 6, doubtful: [7], retiring: [{{ id: 7, {after} }}]")).unwrap();
    }
}

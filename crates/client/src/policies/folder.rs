//! [`PolicyFolder`]: reads and writes the copies and the lock file in a policy's folder without following
//! links.
//!
//! A contributor to the repository controls `.cortexkey`, so nothing in it may redirect a read,
//! write or deletion to a file outside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_manifest::policy::Pinned;
use cortexkey_manifest::policy::pinned::{FOLDER, LOCK, PolicyLock};
use cortexkey_system::{Links, WriteOptions, replace};
use sha2::{Digest as _, Sha256};

use super::error::PolicyUpdateError;

/// What git does with the copies.
const ATTRIBUTES: &str = ".cortexkey/.gitattributes";
/// Nothing, whatever `core.autocrlf` says.
const AS_THEY_ARE: &[u8] = b"* -text\n";

/// The folder of a policy, which contains its copies.
pub(super) struct PolicyFolder<'a> {
    folder: &'a Path,
    /// The size of the largest file that is read, in bytes.
    limit: usize,
}

impl<'a> PolicyFolder<'a> {
    pub(super) fn open(folder: &'a Path, limit: usize) -> Result<Self, PolicyUpdateError> {
        let place = Self { folder, limit };
        place.check_folders(Path::new(FOLDER))?;
        Ok(place)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The lock; empty if there is none.
    pub(super) fn lock(&self) -> Result<PolicyLock, PolicyUpdateError> {
        let Some(bytes) = self.read(LOCK)? else { return Ok(PolicyLock::default()) };
        let lock = core::str::from_utf8(&bytes).ok().and_then(PolicyLock::parse);
        lock.ok_or_else(|| PolicyUpdateError::Lock { path: self.path(LOCK) })
    }

    /// The bytes of a copy that matches the lock file.
    pub(super) fn held(
        &self,
        pinned: &Pinned,
        lock: &PolicyLock,
    ) -> Result<Option<Vec<u8>>, PolicyUpdateError> {
        let copy = pinned.copy();
        let bytes = match self.read(&copy) {
            // An unreadable file, such as a copy that grew too large, counts as no copy.
            Err(PolicyUpdateError::Read { .. }) => None,
            read => read?,
        };
        let expected = lock.digests.get(&copy);
        Ok(bytes.filter(|bytes| expected == Some(&hex::encode(Sha256::digest(bytes)))))
    }

    /// Writes a file below the policy's folder.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PolicyUpdateError> {
        let below = Path::new(name).parent().unwrap_or(Path::new(""));
        // Checked first, because creating folders follows links.
        self.check_folders(below)?;
        let path = self.folder.join(below);
        fs::create_dir_all(&path).map_err(|error| PolicyUpdateError::Folder { path, error })?;
        let empty = self.folder.as_os_str().is_empty();
        let root = if empty { Path::new(".") } else { self.folder };
        let how = WriteOptions::new(Links::Within(root)).durable();
        replace(&self.path(name), bytes, how).map_err(PolicyUpdateError::Write)
    }

    /// Writes the lock, or removes an empty one; with the attributes that keep git from changing line
    /// endings, because copies are compared byte by byte.
    pub(super) fn write_lock(&self, lock: &PolicyLock) -> Result<(), PolicyUpdateError> {
        let attributes = self.read(ATTRIBUTES)?;
        if lock.digests.is_empty() {
            if attributes.is_some_and(|bytes| bytes == AS_THEY_ARE) {
                self.remove(&self.path(ATTRIBUTES))?;
            }
            return self.remove(&self.path(LOCK));
        }
        if attributes.is_none() {
            self.write(ATTRIBUTES, AS_THEY_ARE)?;
        }
        self.write(LOCK, lock.to_string().as_bytes())
    }

    /// Removes copies that the lock does not list, and the folders that this empties.
    pub(super) fn remove_others(&self, lock: &PolicyLock) -> Result<(), PolicyUpdateError> {
        self.others(lock)?.iter().try_for_each(|path| self.remove(path))
    }

    /// The copies that the lock file does not list. Links and other files do not count as copies.
    fn others(&self, lock: &PolicyLock) -> Result<Vec<PathBuf>, PolicyUpdateError> {
        self.check_folders(Path::new(FOLDER))?;
        let mut open = vec![self.path(FOLDER)];
        let mut others = Vec::new();
        while let Some(at) = open.pop() {
            let failed = |error| PolicyUpdateError::Folder { path: at.clone(), error };
            let entries = match fs::read_dir(&at) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(failed)?,
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                // This does not follow a link.
                let path = entry.path();
                let kind = entry.file_type().map_err(failed)?;
                let name = path.strip_prefix(self.folder).unwrap_or(&path).to_string_lossy();
                let is_listed = lock.digests.contains_key(&name.replace('\\', "/"));
                if kind.is_dir() {
                    open.push(path);
                } else if kind.is_file() && pinned_name(&path) && !is_listed {
                    others.push(path);
                }
            }
        }
        Ok(others)
    }

    /// Removes a file, and then the empty folders up to `.cortexkey`.
    fn remove(&self, path: &Path) -> Result<(), PolicyUpdateError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(PolicyUpdateError::Remove { path: path.to_owned(), error });
            }
            _ => {}
        }
        let top = self.path(LOCK);
        let top = top.parent().unwrap_or(&top);
        // A folder that is not empty cannot be removed.
        for above in path.ancestors().skip(1).take_while(|above| above.starts_with(top)) {
            if fs::remove_dir(above).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of a regular file within the limit; `None` if it is missing.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PolicyUpdateError> {
        self.check_folders(Path::new(name).parent().unwrap_or(Path::new("")))?;
        let path = self.path(name);
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_symlink() => return Err(PolicyUpdateError::Link { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        match bounded(&path, self.limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(PolicyUpdateError::Read { path, error }),
        }
    }

    /// Checks that each folder on a path below the policy's folder is missing or a real folder.
    fn check_folders(&self, below: &Path) -> Result<(), PolicyUpdateError> {
        let mut path = self.folder.to_path_buf();
        for part in below {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(about) if about.is_dir() => {}
                Ok(_) => return Err(PolicyUpdateError::Link { path }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(PolicyUpdateError::Folder { path, error }),
            }
        }
        Ok(())
    }
}

/// Whether a file has the name of a copy.
fn pinned_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "policy")
}

/// The bytes of a regular file of at most `limit` bytes. Never blocks on a pipe or device.
pub(super) fn bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    Ok(cortexkey_system::read(path, limit as u64)?)
}

/// The repositories of a policy's folder and, for a policy of a submodule, of the working folder. None
/// if the policy is in no repository.
pub(super) fn repositories(folder: &Path) -> Vec<PathBuf> {
    let Some(own) = repository(folder) else { return Vec::new() };
    [own].into_iter().chain(repository(Path::new("."))).collect()
}

/// The repository that a folder is in, with links resolved.
fn repository(folder: &Path) -> Option<PathBuf> {
    let real = real_folder(folder).ok()?;
    let found = real.ancestors().find(|at| at.join(".git").symlink_metadata().is_ok());
    found.map(Path::to_path_buf)
}

/// Checks that a policy is in one of the repositories, as is the folder where its copies would be.
pub(super) fn check_inside(
    repositories: &[PathBuf],
    path: &Path,
    folder: &Path,
) -> Result<(), PolicyUpdateError> {
    for real in [fs::canonicalize(path), real_folder(folder)] {
        let real =
            real.map_err(|error| PolicyUpdateError::Read { path: path.to_owned(), error })?;
        // Files in `.git` do not count as files of the repository.
        let holds = |root: &PathBuf| {
            let below = real.strip_prefix(root);
            below.is_ok_and(|below| below.iter().all(|part| part != ".git"))
        };
        if !repositories.is_empty() && !repositories.iter().any(holds) {
            return Err(PolicyUpdateError::Leaves { path: path.to_owned() });
        }
    }
    Ok(())
}

fn real_folder(folder: &Path) -> io::Result<PathBuf> {
    let here = folder.as_os_str().is_empty();
    fs::canonicalize(if here { Path::new(".") } else { folder })
}

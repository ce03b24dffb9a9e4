//! [`PolicyUpdate`]: fetches policies from elsewhere into copies beside the policy that extends them.
//!
//! Everything is fetched and checked before anything is written, and the lock is written last: a run
//! that is stopped anywhere leaves copies that the linter accepts, or none that it does not.

mod git;
mod oci;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_manifest::policy::pinned::{FOLDER, LOCK, PolicyLock, Source};
use cortexkey_manifest::policy::{Parent, Pinned, read};
use cortexkey_manifest::yaml::{Limits, parse_bytes};
use cortexkey_system::{Links, Write, WriteError, replace};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use git::GitError;
pub use oci::OciError;

/// How many policies one policy may stand on, as the linter reads them.
const FILES_MAX: usize = 64;

/// A policy from elsewhere that was fetched, or is in its place already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPolicy {
    /// Where it comes from.
    pub pinned: Pinned,
    /// Its copy.
    pub copy: PathBuf,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether the copy or its digest was not there before.
    pub is_new: bool,
}

/// Why policies could not be fetched. Nothing was written, unless it is an error of writing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyUpdateError {
    /// A policy of this repository cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// A policy has a mistake, so that it is not known what it extends.
    #[error("{what} is no valid policy: {message}")]
    Invalid {
        /// The file, or where it comes from.
        what: String,
        /// The first mistake.
        message: String,
    },
    /// A policy from elsewhere names a file outside of its source.
    #[error("{what} extends {path}, which is not in its repository")]
    Outside {
        /// Where it comes from.
        what: String,
        /// The path that it names.
        path: String,
    },
    /// There are too many.
    #[error("the policy stands on more than {FILES_MAX} files")]
    TooMany,
    /// A git repository did not give it.
    #[error("cannot fetch {what}")]
    Git {
        /// What was fetched.
        what: String,
        /// What went wrong.
        #[source]
        error: GitError,
    },
    /// A registry did not give it.
    #[error("cannot fetch {what}")]
    Oci {
        /// What was fetched.
        what: String,
        /// What went wrong.
        #[source]
        error: OciError,
    },
    /// A copy that was fetched before has other bytes now.
    #[error(
        "{what} has another digest than the lock says; a commit or digest never changes, so look into \
         this before you delete the lock"
    )]
    Changed {
        /// What was fetched.
        what: String,
    },
    /// The lock cannot be understood.
    #[error("{} is no lock of policies; restore it, or delete it and run this again", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
    },
    /// A copy or the lock cannot be written.
    #[error(transparent)]
    Write(WriteError),
    /// A folder cannot be created.
    #[error("cannot create {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
}

/// What a policy and the policies of this repository that it extends take from elsewhere.
pub struct PolicyUpdate {
    limits: Limits,
    /// The folders of policies, each with what is extended from there.
    wanted: BTreeMap<PathBuf, BTreeSet<Pinned>>,
}

impl PolicyUpdate {
    /// Reads a policy and the local policies that it extends. Nothing is fetched.
    pub fn of(policy: &Path, limits: Limits) -> Result<Self, PolicyUpdateError> {
        let mut update = Self { limits, wanted: BTreeMap::new() };
        let (mut open, mut seen) = (vec![policy.to_owned()], BTreeSet::new());
        while let Some(path) = open.pop() {
            let failed = |error| PolicyUpdateError::Read { path: path.clone(), error };
            if !seen.insert(fs::canonicalize(&path).map_err(failed)?) {
                continue;
            }
            if seen.len() > FILES_MAX {
                return Err(PolicyUpdateError::TooMany);
            }
            let size = fs::metadata(&path).map_err(failed)?;
            if !size.is_file() || size.len() > limits.bytes as u64 {
                return Err(failed(io::Error::other("it is no file, or larger than the limit")));
            }
            let bytes = fs::read(&path).map_err(failed)?;
            let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            for parent in parents(&path.display().to_string(), bytes, &update.limits)? {
                match parent {
                    Parent::Local(name) if name.starts_with("builtin:") => {}
                    Parent::Local(name) => open.push(folder.join(name)),
                    Parent::Pinned(pinned) => {
                        update.wanted.entry(folder.clone()).or_default().insert(pinned);
                    }
                }
            }
        }
        Ok(update)
    }

    /// Whether nothing comes from elsewhere.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Fetches what is missing, writes copies and locks, and forgets what is in no use with `prune`.
    pub fn run(&self, prune: bool) -> Result<Vec<FetchedPolicy>, PolicyUpdateError> {
        let mut all = Vec::new();
        for (folder, wanted) in &self.wanted {
            let old = old_lock(folder)?;
            let fetched = self.fetch(folder, wanted, &old)?;
            let mut lock = if prune { PolicyLock::default() } else { old.clone() };
            for (pinned, bytes) in &fetched {
                let copy = pinned.copy();
                let sha256 = hex::encode(Sha256::digest(bytes));
                let place = folder.join(&copy);
                let is_same = old.digests.get(&copy) == Some(&sha256)
                    && fs::read(&place).is_ok_and(|old| old == *bytes);
                if !is_same {
                    write(folder, &place, bytes)?;
                }
                lock.digests.insert(copy, sha256.clone());
                let pinned = pinned.clone();
                all.push(FetchedPolicy { pinned, copy: place, sha256, is_new: !is_same });
            }
            if lock != old {
                write(folder, &folder.join(LOCK), lock.to_string().as_bytes())?;
            }
            if prune {
                remove_others(folder, &lock)?;
            }
        }
        Ok(all)
    }

    /// Checks that all copies are there and as the lock says, without the network.
    pub fn check(&self) -> Result<Vec<Pinned>, PolicyUpdateError> {
        let mut missing = Vec::new();
        for (folder, wanted) in &self.wanted {
            let lock = old_lock(folder)?;
            let mut open: Vec<Pinned> = wanted.iter().cloned().collect();
            let mut seen = BTreeSet::new();
            while let Some(pinned) = open.pop() {
                if !seen.insert(pinned.clone()) {
                    continue;
                }
                match held(folder, &pinned, &lock, &self.limits) {
                    Some(bytes) => open.extend(self.parents_of(&pinned, bytes)?),
                    None => missing.push(pinned),
                }
            }
        }
        Ok(missing)
    }

    /// All policies that are wanted with those that they extend, and their bytes.
    fn fetch(
        &self,
        folder: &Path,
        wanted: &BTreeSet<Pinned>,
        lock: &PolicyLock,
    ) -> Result<BTreeMap<Pinned, Vec<u8>>, PolicyUpdateError> {
        let mut repositories = git::Repositories::default();
        let mut fetched = BTreeMap::new();
        let mut open: Vec<Pinned> = wanted.iter().cloned().collect();
        while let Some(pinned) = open.pop() {
            if fetched.contains_key(&pinned) {
                continue;
            }
            if fetched.len() >= FILES_MAX {
                return Err(PolicyUpdateError::TooMany);
            }
            let what = pinned.to_string();
            // What is there and as the lock says is not fetched again.
            let bytes = match held(folder, &pinned, lock, &self.limits) {
                Some(bytes) => bytes,
                None => match &pinned.source {
                    Source::Oci { registry, repository, digest } => {
                        oci::fetch(registry, repository, digest, self.limits.bytes)
                            .map_err(|error| PolicyUpdateError::Oci { what: what.clone(), error })?
                    }
                    Source::Git { url, rev } => repositories
                        .read(url, rev, &pinned.path, self.limits.bytes)
                        .map_err(|error| PolicyUpdateError::Git { what: what.clone(), error })?,
                    _ => continue,
                },
            };
            let known = lock.digests.get(&pinned.copy());
            if known.is_some_and(|known| *known != hex::encode(Sha256::digest(&bytes))) {
                return Err(PolicyUpdateError::Changed { what });
            }
            open.extend(self.parents_of(&pinned, bytes.clone())?);
            fetched.insert(pinned, bytes);
        }
        Ok(fetched)
    }

    /// What a policy from elsewhere extends, apart from built-in policies.
    fn parents_of(
        &self,
        pinned: &Pinned,
        bytes: Vec<u8>,
    ) -> Result<Vec<Pinned>, PolicyUpdateError> {
        let what = pinned.to_string();
        let mut all = Vec::new();
        for parent in parents(&what, bytes, &self.limits)? {
            match parent {
                Parent::Local(name) if name.starts_with("builtin:") => {}
                Parent::Local(path) => {
                    let sibling = pinned.sibling(&path);
                    let what = what.clone();
                    all.push(sibling.ok_or(PolicyUpdateError::Outside { what, path })?);
                }
                Parent::Pinned(pinned) => all.push(pinned),
            }
        }
        Ok(all)
    }
}

/// What a policy extends.
fn parents(what: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Vec<Parent>, PolicyUpdateError> {
    let invalid = |message: &str| PolicyUpdateError::Invalid {
        what: what.to_owned(),
        message: message.to_owned(),
    };
    let parsed = parse_bytes(bytes, limits);
    if let Some(problem) = parsed.problems.first() {
        return Err(invalid(&problem.message));
    }
    let document = parsed.tree.documents().first().copied();
    let document = document.ok_or_else(|| invalid("it is empty"))?;
    let lowered = read(&parsed.tree, document);
    if let Some(problem) = lowered.problems.first() {
        return Err(invalid(&problem.message));
    }
    let policy = lowered.policy.ok_or_else(|| invalid("it is another kind of document"))?;
    Ok(policy.extends.into_iter().map(|parent| parent.value).collect())
}

/// The bytes of a copy that is as the lock says.
fn held(folder: &Path, pinned: &Pinned, lock: &PolicyLock, limits: &Limits) -> Option<Vec<u8>> {
    let copy = pinned.copy();
    let expected = lock.digests.get(&copy)?;
    let place = folder.join(copy);
    let about = fs::metadata(&place).ok()?;
    if !about.is_file() || about.len() > limits.bytes as u64 {
        return None;
    }
    fs::read(place).ok().filter(|bytes| hex::encode(Sha256::digest(bytes)) == *expected)
}

fn old_lock(folder: &Path) -> Result<PolicyLock, PolicyUpdateError> {
    let path = folder.join(LOCK);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(PolicyLock::default()),
        Err(error) => Err(PolicyUpdateError::Read { path, error }),
        Ok(text) => PolicyLock::parse(&text).ok_or(PolicyUpdateError::Lock { path }),
    }
}

/// Writes a file below the policy's folder; no link leads out of it.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), PolicyUpdateError> {
    let below = path.parent().unwrap_or(folder);
    let failed = |error| PolicyUpdateError::Folder { path: below.to_owned(), error };
    fs::create_dir_all(below).map_err(failed)?;
    let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let how = Write::new(Links::Within(root)).durable();
    replace(path, bytes, how).map_err(PolicyUpdateError::Write)
}

/// Removes copies that the lock does not list.
fn remove_others(folder: &Path, lock: &PolicyLock) -> Result<(), PolicyUpdateError> {
    let mut open = vec![folder.join(FOLDER)];
    while let Some(at) = open.pop() {
        let failed = |error| PolicyUpdateError::Folder { path: at.clone(), error };
        for entry in fs::read_dir(&at).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            if kind.is_dir() {
                open.push(path);
            } else if !lock.digests.contains_key(&name.replace('\\', "/")) {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
    }
    Ok(())
}

//! [`PolicyUpdate`]: fetches remote policies into copies next to the policy that extends
//! them.
//!
//! Everything is fetched and checked before anything is written, and the lock file is written last.
//! A run that is interrupted at any point leaves only copies that the linter accepts.

mod error;
mod folder;
mod git;
mod oci;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cortexkey_manifest::policy::pinned::{PinnedSource, PolicyLock};
use cortexkey_manifest::policy::{Pinned, PolicyParent, is_builtin, read};
use cortexkey_manifest::yaml::{YamlLimits, parse_bytes};
use error::FILES_MAX;
use folder::PolicyFolder;
use sha2::{Digest as _, Sha256};

pub use error::PolicyUpdateError;
pub use git::GitError;
pub use oci::OciError;

/// A remote policy that was fetched, or whose copy already exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPolicy {
    /// Its source.
    pub pinned: Pinned,
    /// Its copy.
    pub copy: PathBuf,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether the copy or its digest is new.
    pub is_new: bool,
}

/// The remote policies that a policy extends, directly or through policies of this
/// repository.
pub struct PolicyUpdate {
    limits: YamlLimits,
    /// The folder of each policy, with the remote policies that it extends.
    wanted: BTreeMap<PathBuf, BTreeSet<Pinned>>,
}

impl PolicyUpdate {
    /// Reads a policy and the local policies that it extends. Nothing is fetched.
    pub fn for_policy(policy: &Path, limits: YamlLimits) -> Result<Self, PolicyUpdateError> {
        let mut update = Self { limits, wanted: BTreeMap::new() };
        // Included even without a pinned parent, so that its last copies can be pruned.
        update.wanted.entry(folder_of(policy)).or_default();
        let repositories = folder::repositories(&folder_of(policy));
        let mut open = vec![policy.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            let failed = |error| PolicyUpdateError::Read { path: path.clone(), error };
            if !seen.insert(fs::canonicalize(&path).map_err(failed)?) {
                continue;
            }
            if seen.len() > FILES_MAX {
                return Err(PolicyUpdateError::TooMany);
            }
            let folder = folder_of(&path);
            folder::check_inside(&repositories, &path, &folder)?;
            let bytes = folder::bounded(&path, limits.bytes).map_err(failed)?;
            for parent in parents(&path.display().to_string(), bytes, &update.limits)? {
                match parent {
                    PolicyParent::Local(name) if is_builtin(&name) => {}
                    PolicyParent::Local(name) => open.push(folder.join(name)),
                    PolicyParent::Pinned(pinned) => {
                        update.wanted.entry(folder.clone()).or_default().insert(pinned);
                    }
                }
            }
        }
        Ok(update)
    }

    /// Whether there is no remote policy.
    pub fn is_empty(&self) -> bool {
        self.wanted.values().all(BTreeSet::is_empty)
    }

    /// Fetches what is missing, writes copies and locks, and removes unused copies with `prune`.
    pub fn run(&self, prune: bool) -> Result<Vec<FetchedPolicy>, PolicyUpdateError> {
        let mut folders = Vec::new();
        for (folder, wanted) in &self.wanted {
            if wanted.is_empty() && !prune {
                continue;
            }
            let place = PolicyFolder::open(folder, self.limits.bytes)?;
            let old = place.lock()?;
            let fetched = self.fetch(wanted, Some((&place, &old)))?;
            folders.push((place, old, fetched));
        }
        let mut all = Vec::new();
        for (place, old, fetched) in folders {
            let mut lock = if prune { PolicyLock::default() } else { old.clone() };
            for (pinned, bytes) in fetched {
                let copy = pinned.copy();
                let is_new = place.held(&pinned, &old)?.as_ref() != Some(&bytes);
                if is_new {
                    place.write(&copy, &bytes)?;
                }
                let sha256 = digest(&bytes);
                lock.digests.insert(copy.clone(), sha256.clone());
                all.push(FetchedPolicy { pinned, copy: place.path(&copy), sha256, is_new });
            }
            if lock != old {
                place.write_lock(&lock)?;
            }
            if prune {
                place.remove_others(&lock)?;
            }
        }
        Ok(all)
    }

    /// Returns the policies whose copies are missing or differ from the lock file, without the
    /// network.
    pub fn check(&self) -> Result<Vec<Pinned>, PolicyUpdateError> {
        let mut missing = Vec::new();
        for (folder, wanted) in self.wanted.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            let place = PolicyFolder::open(folder, self.limits.bytes)?;
            let lock = place.lock()?;
            let mut open: Vec<Pinned> = wanted.iter().cloned().collect();
            let mut seen = BTreeSet::new();
            while let Some(pinned) = open.pop() {
                if !seen.insert(pinned.clone()) {
                    continue;
                }
                match place.held(&pinned, &lock)? {
                    Some(bytes) => open.extend(self.parents_of(&pinned, bytes)?),
                    None => missing.push(pinned),
                }
            }
        }
        Ok(missing)
    }

    /// Fetches everything again, writes nothing, and returns the policies whose copies are missing
    /// or differ. A change to both a copy and its digest in the lock file is detected only here.
    pub fn verify(&self) -> Result<Vec<Pinned>, PolicyUpdateError> {
        let mut different = Vec::new();
        for (folder, wanted) in self.wanted.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            let place = PolicyFolder::open(folder, self.limits.bytes)?;
            let lock = place.lock()?;
            for (pinned, bytes) in self.fetch(wanted, None)? {
                if place.held(&pinned, &lock)? != Some(bytes) {
                    different.push(pinned);
                }
            }
        }
        Ok(different)
    }

    /// All requested policies and those that they extend, with their bytes. If `held` is given, a
    /// copy that matches the lock file is not fetched again.
    fn fetch(
        &self,
        wanted: &BTreeSet<Pinned>,
        held: Option<(&PolicyFolder, &PolicyLock)>,
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
            let copy = match held {
                Some((place, lock)) => place.held(&pinned, lock)?,
                None => None,
            };
            let bytes = match copy {
                Some(bytes) => bytes,
                None => match &pinned.source {
                    PinnedSource::Oci { registry, repository, digest } => {
                        oci::fetch(registry, repository, digest, self.limits.bytes)
                            .map_err(|error| PolicyUpdateError::Oci { what: what.clone(), error })?
                    }
                    PinnedSource::Git { url, rev } => repositories
                        .read(url, rev, &pinned.path, self.limits.bytes)
                        .map_err(|error| PolicyUpdateError::Git { what: what.clone(), error })?,
                    _ => continue,
                },
            };
            let known = held.and_then(|(_, lock)| lock.digests.get(&pinned.copy()));
            if known.is_some_and(|known| *known != digest(&bytes)) {
                return Err(PolicyUpdateError::Changed { what });
            }
            open.extend(self.parents_of(&pinned, bytes.clone())?);
            fetched.insert(pinned, bytes);
        }
        Ok(fetched)
    }

    /// What a remote policy extends, apart from built-in policies.
    fn parents_of(
        &self,
        pinned: &Pinned,
        bytes: Vec<u8>,
    ) -> Result<Vec<Pinned>, PolicyUpdateError> {
        let what = pinned.to_string();
        let mut all = Vec::new();
        for parent in parents(&what, bytes, &self.limits)? {
            match parent {
                PolicyParent::Local(name) if is_builtin(&name) => {}
                PolicyParent::Local(path) => {
                    let sibling = pinned.sibling(&path);
                    let what = what.clone();
                    all.push(sibling.ok_or(PolicyUpdateError::Outside { what, path })?);
                }
                PolicyParent::Pinned(pinned) => all.push(pinned),
            }
        }
        Ok(all)
    }
}

/// What a policy extends.
fn parents(
    what: &str,
    bytes: Vec<u8>,
    limits: &YamlLimits,
) -> Result<Vec<PolicyParent>, PolicyUpdateError> {
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

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

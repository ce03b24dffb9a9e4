//! Decides whether a key's definition is gone. It is not gone while the work tree, the index or
//! `HEAD` of its repository contains it, wherever it is and whatever hides it from the corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{FILE_NAME, LockedKey};

use super::boundary::Boundary;
use super::git;
use super::listing::Listing;
use super::names::may_define;
use super::paths::shown;
use super::{Options, RunError, home, open};
use crate::model::{Claim, CorpusFile, LockedKeys, may_claim};
use crate::policy::Policy;

/// All definitions of a repository, including those that no run checks.
#[derive(Debug, Default)]
pub struct DefinitionFiles {
    found: Vec<FoundFile>,
    /// Files that may define any key, since they cannot be read.
    unread: Vec<String>,
    /// Key ids of lock files, by the tenant's name.
    locked: BTreeMap<String, Vec<KeyId>>,
    /// Whether a lock file, which may list any key, cannot be read.
    has_unread_lock: bool,
}

#[derive(Debug)]
struct FoundFile {
    name: String,
    /// `None` if the definition names none.
    tenant: Option<String>,
    place: String,
}

impl DefinitionFiles {
    /// Searches the repository of a policy. An error says why that is impossible.
    pub fn find(options: &Options, policy: &Policy) -> Result<Self, RunError> {
        let boundary = Boundary::around(&home(options, policy))?;
        if !boundary.is_repository {
            return Err(RunError::new("the definitions are in no git repository"));
        }
        let listing = Listing::read(&boundary)?;
        let mut all = Self::default();
        for (path, why) in &listing.unseen {
            all.unread.push(format!("{}: {}", shown(&options.folder, path), why.help()));
        }
        for file in &listing.files {
            if file.is_link != Some(true) {
                all.take_file(options, &file.path);
            }
        }
        for root in &listing.roots {
            all.committed(options, root)?;
        }
        Ok(all)
    }

    /// Adds a file of the work tree. One that cannot be read may define any key.
    fn take_file(&mut self, options: &Options, path: &Path) {
        match open::search(path, &options.limits) {
            Ok(bytes) => self.take(options, path, "the work tree", bytes),
            // Git still lists a file that was deleted.
            Err(open::OpenError::System(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(why) if may_define(path) || is_lock(path) => {
                self.unread.push(why.message(&shown(&options.folder, path)));
                self.has_unread_lock |= is_lock(path);
            }
            Err(_) => {}
        }
    }

    fn committed(&mut self, options: &Options, root: &Path) -> Result<(), RunError> {
        let head = git::head(root)?;
        let index = git::index(root)?;
        let files = index.iter().map(|file| (file, "the index"));
        let files = files.chain(head.iter().map(|file| (file, "HEAD")));
        // Most files are the same on both sides, and each content is read once.
        let mut known = BTreeSet::new();
        let files: Vec<_> =
            files.filter(|((path, id), _)| known.insert((id, is_lock(path)))).collect();
        let ids: Vec<&str> = files.iter().map(|((_, id), _)| id.as_str()).collect();
        git::each_blob(root, &ids, open::SEARCHED_BYTES_MAX, &mut |nth, bytes| {
            let Some(((path, _), side)) = files.get(nth) else { return };
            let path = root.join(path);
            match bytes {
                Some(bytes) => self.take(options, &path, side, bytes),
                None if may_define(&path) || is_lock(&path) => {
                    let name = shown(&options.folder, &path);
                    self.unread.push(format!("{name} in {side} is too large"));
                    self.has_unread_lock |= is_lock(&path);
                }
                None => {}
            }
        })
    }

    fn take(&mut self, options: &Options, path: &Path, side: &str, bytes: Vec<u8>) {
        let name = shown(&options.folder, path);
        if is_lock(path) {
            let lock = LockedKeys::new(name, bytes, &options.limits);
            self.has_unread_lock |= !lock.problems.is_empty();
            for (tenant, locked) in lock.lock.tenants {
                let ids = locked.keys.values().flat_map(LockedKey::ids);
                self.locked.entry(tenant).or_default().extend(ids);
            }
            return;
        }
        if !may_claim(&bytes) {
            return;
        }
        let place = format!("{name} in {side}");
        let file = CorpusFile::new(name, bytes, &options.limits);
        if file.claim() == Claim::No {
            return;
        }
        if !has_all_names(&file) {
            self.unread.push(format!("{place} cannot be read"));
        }
        for definition in file.documents.iter().filter_map(|found| found.definition.as_ref()) {
            if let Some(name) = definition.name() {
                let tenant = definition.tenant().map(str::to_owned);
                self.found.push(FoundFile { name: name.to_owned(), tenant, place: place.clone() });
            }
        }
    }

    /// Why the definition of a key may still exist; `None` if it is gone.
    #[must_use]
    pub fn why_kept(&self, tenant: &str, name: &str) -> Option<String> {
        let is_it = |found: &&FoundFile| {
            found.name == name && found.tenant.as_deref().is_none_or(|of| of == tenant)
        };
        let found = self.found.iter().find(is_it).map(|found| {
            format!("its definition is in {}; delete it there and commit that", found.place)
        });
        found.or_else(|| {
            let unread = self.unread.first()?;
            Some(format!("its definition may be in a file that cannot be read: {unread}"))
        })
    }

    /// Whether any lock file, committed or in the work tree, lists a key of a tenant, or cannot be
    /// read.
    #[must_use]
    pub fn has_locked(&self, tenant: &str, id: KeyId) -> bool {
        self.has_unread_lock || self.locked.get(tenant).is_some_and(|ids| ids.contains(&id))
    }
}

fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FILE_NAME)
}

/// Whether the name of each key that a file defines could be read.
fn has_all_names(file: &CorpusFile) -> bool {
    let mut keys = file.documents.iter().map(|document| document.definition.as_ref());
    file.problems.is_empty() && keys.all(|key| key.is_some_and(|key| key.name().is_some()))
}

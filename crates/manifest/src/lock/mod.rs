//! The lock file, `cortexkey.lock`: the key id of each definition in each tenant.
//!
//! It is committed, so no field may contain a secret. The tools write it, with one key per line if
//! nothing is in progress, so that changes of two branches merge.
//!
//! ```yaml
//! apiVersion: cortexkey/v1
//! kind: Lock
//! tenants:
//!   prod-eu:
//!     host: api-acme.xdr.us.paloaltonetworks.com
//!     keys:
//!       svc-siem-export-prod: { id: 17, applied: v2-9f2c…, unreferenced: false }
//! ```

mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_core::auth::KeyId;

use crate::{Problem, Span};

pub use crate::format::LOCK_KIND as KIND;
pub use read::read;

/// The name of the lock file, which is next to the policy.
pub const FILE_NAME: &str = "cortexkey.lock";

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Tenants by their name in the policy; a child tenant is `NAME@ID` with the child's id.
    pub tenants: BTreeMap<String, LockedTenant>,
}

/// The keys of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTenant {
    /// The host of its API. Key ids have no meaning elsewhere.
    pub host: String,
    /// Keys by the name of their definition.
    pub keys: BTreeMap<String, LockedKey>,
}

/// The key of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedKey {
    /// The position of the entry's name, if it was read from a file.
    pub place: Span,
    /// The key id; absent while the first key is being generated.
    pub id: Option<KeyId>,
    /// A digest of the definition as last applied; it distinguishes drift from a changed
    /// definition.
    pub applied: Option<String>,
    /// The value last sent for cases and issues that reference no known object: the tenant stores
    /// it and never returns it.
    pub unreferenced: Option<bool>,
    /// A new key that is being generated.
    pub pending: Option<PendingKey>,
    /// Keys of interrupted runs that may have been delivered. They stay until a newer key is
    /// delivered.
    pub doubtful: Vec<KeyId>,
    /// Replaced keys in their grace period.
    pub retiring: Vec<Retiring>,
}

/// A new key that is being generated. Until its id is known, its expiry identifies it: no other key
/// of the tenant has the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingKey {
    /// When the new key expires, in milliseconds since 1970.
    pub expires_ms: u64,
    /// A digest of its level, roles and comment.
    pub request_digest: String,
    /// The id of the key that signs the request.
    pub by: KeyId,
    /// Keys that had the same expiry, to the second, before the request was sent.
    pub besides: Vec<KeyId>,
    /// The new key's id, once it is known.
    pub id: Option<KeyId>,
    /// True as soon as the new key may have been delivered.
    pub delivering: bool,
}

/// A key that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retiring {
    /// Its id.
    pub id: KeyId,
    /// When it may be deleted, in milliseconds since 1970.
    pub after_ms: u64,
}

impl LockedKey {
    /// All keys of the entry: the current one, the one being generated, uncertain ones and replaced
    /// ones.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        let pending = self.pending.iter().filter_map(|pending| pending.id);
        let retiring = self.retiring.iter().map(|old| old.id);
        self.id.into_iter().chain(pending).chain(self.doubtful.iter().copied()).chain(retiring)
    }

    /// True when the entry names no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids().next().is_none() && self.pending.is_none()
    }
}

/// The result of reading a lock file's document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The lock file, unless the document is of another kind or version. Entries with mistakes are
    /// skipped.
    pub lock: Option<Lock>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}

/// An entry with a key id that an earlier entry of the tenant has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReusedId<'a> {
    /// The key id.
    pub id: KeyId,
    /// The name of the entry.
    pub name: &'a str,
    /// Where its name is.
    pub place: Span,
    /// The name of the earlier entry.
    pub first: &'a str,
    /// Where its name is.
    pub first_place: Span,
}

impl Lock {
    /// Key ids that occur in several entries of a tenant, in the order of the file. A replaced key of
    /// one entry that is the current one of another would be deleted.
    #[must_use]
    pub fn reused_ids(&self) -> Vec<ReusedId<'_>> {
        let mut entries: Vec<_> = self.keys().collect();
        entries.sort_by_key(|(_, _, key)| key.place);
        let mut seen: BTreeMap<(&str, KeyId), (&str, Span)> = BTreeMap::new();
        let mut reused = Vec::new();
        for (tenant, name, key) in entries {
            for id in key.ids().collect::<BTreeSet<KeyId>>() {
                let (first, first_place) = *seen.entry((tenant, id)).or_insert((name, key.place));
                if first != name {
                    reused.push(ReusedId { id, name, place: key.place, first, first_place });
                }
            }
        }
        reused
    }

    /// The key of a definition.
    #[must_use]
    pub fn key(&self, tenant: &str, name: &str) -> Option<&LockedKey> {
        self.tenants.get(tenant)?.keys.get(name)
    }

    /// All entries: tenant, name of the definition, key.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str, &LockedKey)> {
        self.tenants.iter().flat_map(|(tenant, locked)| {
            locked.keys.iter().map(move |(name, key)| (tenant.as_str(), name.as_str(), key))
        })
    }

    /// The file's text. Equal lock files have equal text.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        write::lock(self)
    }
}

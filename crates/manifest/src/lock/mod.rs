//! The lock file, `cortexkey.lock`: which definition is which key id of which tenant.
//!
//! It is committed, so it refuses secrets: there is no field that could hold one. It is written by
//! the tools, one key a line where nothing is under way, so that changes of two branches merge.
//!
//! ```yaml
//! apiVersion: cortexkey/v1
//! kind: Lock
//! tenants:
//!   prod-eu:
//!     host: api-acme.xdr.us.paloaltonetworks.com
//!     keys:
//!       svc-siem-export-prod: { id: 17, applied: "9f2c…", unreferenced: false }
//! ```

mod read;
mod write;

use std::collections::BTreeMap;

use crate::{Problem, Span};

pub use crate::format::LOCK_KIND as KIND;
pub use read::read;

/// The name of the lock file, which stands beside the policy.
pub const FILE_NAME: &str = "cortexkey.lock";

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the policy's name of the tenant; for a child tenant, `NAME@ID` with the child's id.
    pub tenants: BTreeMap<String, LockedTenant>,
}

/// What is known of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTenant {
    /// The host of its API. Key ids mean nothing elsewhere.
    pub host: String,
    /// By the name of the definition.
    pub keys: BTreeMap<String, LockedKey>,
}

/// Which key a definition is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedKey {
    /// Where the entry's name stands, in a file that was read.
    pub place: Span,
    /// The key id; none while the first key is being made.
    pub id: Option<u64>,
    /// A digest of the definition as it was last applied; it tells drift from a changed definition.
    pub applied: Option<String>,
    /// What the tenant was last told about cases and issues that reference nothing known: it
    /// stores that and does not tell it back.
    pub unreferenced: Option<bool>,
    /// A new key that is being made.
    pub pending: Option<Pending>,
    /// Keys of interrupted runs that somebody may have received. They live until a newer key was
    /// delivered.
    pub doubtful: Vec<u64>,
    /// Keys that were replaced and that live on for a grace.
    pub retiring: Vec<Retiring>,
}

/// A new key that is being made. Until its id has arrived, it is known by what was asked for: the
/// expiry is chosen so that no other key of the tenant has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// When the new key expires, in milliseconds since 1970.
    pub expires_ms: u64,
    /// A digest of its level, roles and comment.
    pub asked: String,
    /// The id of the key that signs the request.
    pub by: u64,
    /// Keys that had the same expiry, to the second, before the request was sent.
    pub besides: Vec<u64>,
    /// The new key's id, once it has arrived.
    pub id: Option<u64>,
    /// True from the moment on at which somebody may have received the new key.
    pub delivering: bool,
}

/// A key that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retiring {
    /// Its id.
    pub id: u64,
    /// From when on it is to be deleted, in milliseconds since 1970.
    pub after_ms: u64,
}

impl LockedKey {
    /// All keys that the entry names: the one that is, the one that is being made, those that may
    /// be somebody's, and those that were replaced.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        let pending = self.pending.iter().filter_map(|pending| pending.id);
        let retiring = self.retiring.iter().map(|old| old.id);
        self.id.into_iter().chain(pending).chain(self.doubtful.iter().copied()).chain(retiring)
    }

    /// Whether it names no key at all, neither one that is nor one that is being made or was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids().next().is_none() && self.pending.is_none()
    }
}

/// What came of a lock file's document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The lock file, unless the document is of another kind or version. Entries with mistakes are
    /// left out.
    pub lock: Option<Lock>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}

impl Lock {
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

    /// The file's text; equal lock files give equal text.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        write::lock(self)
    }
}

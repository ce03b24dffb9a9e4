//! [`Store`]: the keys and roles of a tenant, and its audit log, in memory.
//!
//! It refuses more keys than it was made for, to give an id twice, and to keep a key itself.

mod audit;
mod list;

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_api::Secret;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::access::Tenant as Settings;
use cortexkey_core::auth::{KeyId, Level, StoredKey};
use cortexkey_core::lifecycle::{Expiry, GeneratedKey, KeyRecord};

use crate::access::Access;
use crate::roles::Roles;

pub(crate) use audit::{AuditLog, Deed, creator};
pub(crate) use list::listed;

/// What a tenant keeps.
pub(crate) struct Store {
    keys: BTreeMap<KeyId, Entry>,
    last_id: u64,
    max_keys: usize,
    pub(crate) roles: Roles,
    pub(crate) audit: AuditLog,
    /// What decisions hang on besides keys.
    pub(crate) settings: Settings,
    /// The endpoints that are cut off; not kept across a restart, since they are no real ones.
    pub(crate) isolated: BTreeSet<&'static str>,
    /// How many actions on endpoints there were.
    pub(crate) actions: u64,
}

/// A key, without itself.
pub(crate) struct Entry {
    /// What a verifier keeps: id, level, expiry, time of making.
    pub(crate) stored: StoredKey,
    /// What the console shows.
    pub(crate) record: KeyRecord,
    /// What it may see; none until somebody sets it.
    pub(crate) scope: Option<ScopeWrite>,
}

/// What somebody says of a key who makes one.
pub(crate) struct About {
    /// The names of its roles.
    pub(crate) roles: Vec<String>,
    /// What it is for.
    pub(crate) comment: Option<String>,
    /// The e-mail address of who made it.
    pub(crate) created_by: String,
    /// The name of who made it.
    pub(crate) user_name: String,
}

/// What is changed of a key.
pub(crate) struct Edit {
    pub(crate) roles: Vec<String>,
    pub(crate) level: Level,
    pub(crate) comment: Option<String>,
}

/// Why there is no new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GenerateError {
    /// There are as many keys as there may be.
    Full,
    /// The system gives no random bytes.
    NoRandom,
}

impl Store {
    /// No keys yet.
    pub(crate) fn new(max_keys: usize, roles: Roles, settings: Settings) -> Self {
        let audit = AuditLog::default();
        Self {
            keys: BTreeMap::new(),
            last_id: 0,
            max_keys,
            roles,
            audit,
            settings,
            isolated: BTreeSet::new(),
            actions: 0,
        }
    }

    /// The key with this id.
    pub(crate) fn get(&self, id: KeyId) -> Option<&Entry> {
        self.keys.get(&id)
    }

    /// All keys, by id.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.keys.values()
    }

    /// What a key may do; `None` where there is no such key any more.
    pub(crate) fn access(&self, id: KeyId) -> Option<Access<'_>> {
        let entry = self.keys.get(&id)?;
        let roles = self.roles.all(&entry.record.roles);
        Some(Access::new(roles, entry.scope.as_ref(), self.settings))
    }

    /// Makes a key. What is returned is the only copy of it.
    pub(crate) fn generate(
        &mut self,
        level: Level,
        expiry: Expiry,
        about: About,
        now_ms: u64,
    ) -> Result<(KeyId, Secret), GenerateError> {
        if self.keys.len() >= self.max_keys {
            return Err(GenerateError::Full);
        }
        let id = self.last_id.checked_add(1).and_then(KeyId::new).ok_or(GenerateError::Full)?;
        let key = GeneratedKey::from_system().map_err(|_| GenerateError::NoRandom)?;
        let stored = key.stored(id, level).expiring(expiry).created_at(now_ms);
        let record = KeyRecord {
            key_id: id,
            created_ms: now_ms,
            created_by: about.created_by,
            user_name: about.user_name,
            roles: about.roles,
            level,
            comment: about.comment,
            expiry,
        };
        self.last_id = id.get();
        self.keys.insert(id, Entry { stored, record, scope: None });
        Ok((id, key.reveal(|text| Secret::new(text.to_owned()))))
    }

    /// Changes a key.
    pub(crate) fn edit(&mut self, id: KeyId, edit: Edit) {
        let Some(entry) = self.keys.get_mut(&id) else { return };
        // Every key of the tenant is kept as one whose level may change.
        if entry.stored.set_level(edit.level).is_ok() {
            entry.record.level = edit.level;
        }
        entry.record.roles = edit.roles;
        entry.record.comment = edit.comment;
    }

    /// Puts a scope in place of a key's whole scope.
    pub(crate) fn set_scope(&mut self, id: KeyId, scope: ScopeWrite) {
        if let Some(entry) = self.keys.get_mut(&id) {
            entry.scope = Some(scope);
        }
    }

    /// Deletes a key; whether there was one.
    pub(crate) fn delete(&mut self, id: KeyId) -> bool {
        self.keys.remove(&id).is_some()
    }

    /// Deletes a custom role, and takes it from every key: a role of the same name that is made
    /// later is another. Its name, where there was one.
    pub(crate) fn delete_role(&mut self, role_id: &str) -> Option<String> {
        let name = self.roles.remove(role_id)?;
        for entry in self.keys.values_mut() {
            entry.record.roles.retain(|held| *held != name);
        }
        Some(name)
    }

    /// Notes what somebody did, or tried.
    pub(crate) fn note(&mut self, by: KeyId, at_ms: u64, deed: Deed) {
        self.audit.add(by, at_ms, deed);
    }
}

#[cfg(test)]
mod tests {
    use cortexkey_core::access::{Product, Sbac, TagMode};

    use super::*;

    fn about() -> About {
        About {
            roles: vec![],
            comment: None,
            created_by: "a@b.example".into(),
            user_name: "A".into(),
        }
    }

    #[test]
    fn an_id_is_never_given_twice_and_the_store_does_not_grow_past_its_limit() {
        let settings =
            Settings { sbac: Sbac::Disabled, tags: TagMode::Permissive, datasets: false };
        let mut store = Store::new(2, Roles::new(Product::Xsiam, vec![], 0), settings);
        let generate = |store: &mut Store| {
            store.generate(Level::Advanced, Expiry::Never, about(), 5).map(|(id, _)| id.get())
        };
        assert_eq!(generate(&mut store), Ok(1));
        assert_eq!(generate(&mut store), Ok(2));
        assert_eq!(generate(&mut store), Err(GenerateError::Full));
        let second = KeyId::new(2).unwrap();
        assert!(store.delete(second));
        assert!(!store.delete(second));
        assert_eq!(generate(&mut store), Ok(3));
    }
}

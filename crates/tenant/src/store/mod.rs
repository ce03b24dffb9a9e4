//! [`Store`]: the keys and roles of a tenant, and its audit log, in memory and optionally on disk.

mod audit;
mod disk;
mod disk_error;
mod list;
mod private;
mod reserve;
mod rows;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cortexkey_api::Secret;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::role::DatasetPermission;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::access::TenantSettings as Settings;
use cortexkey_core::auth::{KeyId, Level, StoredKey};
use cortexkey_core::lifecycle::{Expiry, GeneratedKey, KeyRecord};

use crate::access::CallerAccess;
use crate::directory::Directory;
use crate::forwarding::Forwarding;
use crate::inventory::{AssetGroup, Inventory};
use crate::roles::{CustomRole, RoleEntry, Roles};

pub(crate) use audit::{AuditEvent, AuditLog, creator};
pub(crate) use disk::Disk;
use disk::Write;
pub use disk_error::DiskError;
pub(crate) use list::Listing;

/// The state of a tenant.
pub(crate) struct Store {
    keys: BTreeMap<KeyId, Entry>,
    last_id: u64,
    max_keys: usize,
    pub(crate) roles: Roles,
    pub(crate) audit: AuditLog,
    /// The objects that scopes apply to.
    pub(crate) inventory: Inventory,
    /// Users and user groups.
    pub(crate) directory: Directory,
    /// Rules for forwarding notices.
    pub(crate) forwarding: Forwarding,
    /// What decisions depend on besides keys.
    pub(crate) settings: Settings,
    /// The isolated endpoints; not kept across a restart, since they are not real.
    pub(crate) isolated: BTreeSet<String>,
    /// The number of actions on endpoints so far.
    pub(crate) actions: u64,
    disk: Option<Arc<Disk>>,
    /// Changes that are not on disk yet.
    pending: Vec<Write>,
    /// Whether a change could not be written to disk.
    failed: bool,
}

/// A key, without its secret.
pub(crate) struct Entry {
    /// The verifier's data: id, level, expiry, creation time.
    pub(crate) stored: StoredKey,
    /// The console's data; shared with responses in progress.
    pub(crate) record: Arc<KeyRecord>,
    /// Its scope; none until one is set.
    pub(crate) scope: Option<ScopeWrite>,
}

/// The properties of a new key.
pub(crate) struct NewKeyInfo {
    /// The names of its roles.
    pub(crate) roles: Vec<String>,
    /// What it is for.
    pub(crate) comment: Option<String>,
    /// The creator's e-mail address.
    pub(crate) created_by: String,
    /// The creator's name.
    pub(crate) user_name: String,
}

/// The changes to a key.
pub(crate) struct Edit {
    pub(crate) roles: Vec<String>,
    pub(crate) level: Level,
    pub(crate) comment: Option<String>,
}

/// Why no key was generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GenerateError {
    /// The largest number of keys is reached.
    Full,
    /// The system returned no random bytes.
    NoRandom,
    /// The disk is full.
    NoDisk,
}

impl Store {
    /// An empty store, in memory only.
    pub(crate) fn new(max_keys: usize, roles: Roles, settings: Settings) -> Self {
        Self {
            keys: BTreeMap::new(),
            last_id: 0,
            max_keys,
            roles,
            audit: AuditLog::default(),
            inventory: Inventory::default(),
            directory: Directory::default(),
            forwarding: Forwarding::default(),
            settings,
            isolated: BTreeSet::new(),
            actions: 0,
            disk: None,
            pending: Vec::new(),
            failed: false,
        }
    }

    /// A store on disk; every change goes there from now on.
    pub(crate) fn on(mut self, disk: Arc<Disk>) -> Result<Self, DiskError> {
        for entry in rows::keys(&disk)? {
            self.keys.insert(entry.record.key_id, entry);
        }
        self.last_id = disk.number(rows::LAST_ID)?.unwrap_or(0);
        for (number, entry) in rows::roles(&disk)? {
            self.roles.restore(number, entry);
        }
        self.roles.made = self.roles.made.max(disk.number(rows::ROLES_MADE)?.unwrap_or(0));
        self.audit = AuditLog::restore(rows::audit(&disk)?);
        if let Some((last_group, groups)) = rows::whole(&disk, rows::ASSET_GROUPS)? {
            let groups: Vec<AssetGroupRecord> = groups;
            self.inventory
                .set_groups(groups.into_iter().map(AssetGroup::new).collect(), last_group);
        }
        if let Some(directory) = rows::whole(&disk, rows::DIRECTORY)? {
            self.directory = directory;
        }
        if let Some(forwarding) = rows::whole(&disk, rows::FORWARDING)? {
            self.forwarding = forwarding;
        }
        self.disk = Some(disk);
        Ok(self)
    }

    /// The key with this id.
    pub(crate) fn get(&self, id: KeyId) -> Option<&Entry> {
        self.keys.get(&id)
    }

    /// All keys, by id.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.keys.values()
    }

    /// The permissions of a key; `None` if it no longer exists.
    pub(crate) fn access(&self, id: KeyId) -> Option<CallerAccess<'_>> {
        let entry = self.keys.get(&id)?;
        let roles = self.roles.all(&entry.record.roles);
        Some(CallerAccess::new(roles, entry.scope.as_ref(), &self.inventory, self.settings))
    }

    /// Generates a key. The returned copy is the only one.
    pub(crate) fn generate(
        &mut self,
        level: Level,
        expiry: Expiry,
        about: NewKeyInfo,
        now_ms: u64,
    ) -> Result<(KeyId, Secret), GenerateError> {
        if self.keys.len() >= self.max_keys {
            return Err(GenerateError::Full);
        }
        if self.disk.as_ref().is_some_and(|disk| !disk.has_room()) {
            return Err(GenerateError::NoDisk);
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
        self.keys.insert(id, Entry { stored, record: Arc::new(record), scope: None });
        self.changed(id);
        self.write(|store| Write::Number(rows::LAST_ID, store.last_id));
        Ok((id, key.reveal(|text| Secret::new(text.to_owned()))))
    }

    /// Changes a key.
    pub(crate) fn edit(&mut self, id: KeyId, edit: Edit) {
        let Some(entry) = self.keys.get_mut(&id) else { return };
        // Every key is stored as one whose level may change.
        if entry.stored.set_level(edit.level).is_ok() {
            Arc::make_mut(&mut entry.record).level = edit.level;
        }
        let record = Arc::make_mut(&mut entry.record);
        record.roles = edit.roles;
        record.comment = edit.comment;
        self.changed(id);
    }

    /// All scopes, of every entity.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &ScopeWrite> {
        let of_keys = self.keys.values().filter_map(|entry| entry.scope.as_ref());
        let of_users = self.directory.users.iter().filter_map(|user| user.scope.as_ref());
        let of_groups = self.directory.groups.iter().filter_map(|group| group.scope.as_ref());
        of_keys.chain(of_users).chain(of_groups)
    }

    /// Marks the asset groups to be written.
    pub(crate) fn keep_groups(&mut self) {
        self.write(|store| {
            let groups: Vec<_> = store.inventory.groups.iter().map(|group| &group.record).collect();
            let row = rows::of_whole(&(store.inventory.last_group, groups));
            Write::Row(rows::ASSET_GROUPS, 0, row)
        });
    }

    /// Marks users and user groups to be written.
    pub(crate) fn keep_directory(&mut self) {
        self.write(|store| Write::Row(rows::DIRECTORY, 0, rows::of_whole(&store.directory)));
    }

    /// Marks the forwarding rules to be written.
    pub(crate) fn keep_forwarding(&mut self) {
        self.write(|store| Write::Row(rows::FORWARDING, 0, rows::of_whole(&store.forwarding)));
    }

    /// Replaces a key's whole scope.
    pub(crate) fn set_scope(&mut self, id: KeyId, scope: ScopeWrite) {
        let Some(entry) = self.keys.get_mut(&id) else { return };
        entry.scope = Some(scope);
        self.changed(id);
    }

    /// Deletes a key; returns whether it existed.
    pub(crate) fn delete(&mut self, id: KeyId) -> bool {
        let was = self.keys.remove(&id).is_some();
        if was {
            self.write(|_| Write::NoRow(rows::KEYS, id.get()));
        }
        was
    }

    /// Creates a role; returns its id.
    pub(crate) fn add_role(
        &mut self,
        role: CustomRole,
        about: (Option<String>, Vec<DatasetPermission>),
        created_by: &str,
        now_ms: u64,
    ) -> String {
        let entry = self.roles.add(role, about, created_by, now_ms);
        let role_id = entry.role_id.clone();
        if self.disk.is_some() {
            let row = rows::of_role(entry);
            self.pending.push(Write::Row(rows::ROLES, self.roles.made, row));
            self.pending.push(Write::Number(rows::ROLES_MADE, self.roles.made));
        }
        role_id
    }

    /// Deletes a custom role, and removes it from every key: a role of the same name that is
    /// created later is another role. Returns its name, if it existed.
    pub(crate) fn delete_role(&mut self, role_id: &str) -> Option<String> {
        let RoleEntry { number, role, .. } = self.roles.remove(role_id)?;
        self.write(|_| Write::NoRow(rows::ROLES, number));
        let holders: Vec<_> = self
            .keys
            .values()
            .filter(|entry| entry.record.roles.contains(&role.name))
            .map(|entry| entry.record.key_id)
            .collect();
        for id in holders {
            if let Some(entry) = self.keys.get_mut(&id) {
                Arc::make_mut(&mut entry.record).roles.retain(|held| *held != role.name);
            }
            self.changed(id);
        }
        Some(role.name)
    }

    /// Logs a change or a refused attempt.
    pub(crate) fn note(&mut self, by: KeyId, at_ms: u64, event: AuditEvent) {
        self.note_by(creator(by), at_ms, event);
    }

    /// Like [`note`](Self::note), for an actor without a key: a name and an e-mail address.
    pub(crate) fn note_by(&mut self, by: (String, String), at_ms: u64, event: AuditEvent) {
        let (record, gone) = self.audit.add(by, at_ms, event);
        if self.disk.is_some() {
            self.pending.push(Write::Row(rows::AUDIT, record.audit_id, rows::of_audit(record)));
            self.pending.extend(gone.map(|id| Write::NoRow(rows::AUDIT, id)));
        }
    }

    /// Whether a change could not be written to disk; then nothing is changed any more.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Writes the changes to disk. If that fails, memory and disk differ, and nothing is changed
    /// any more.
    pub(crate) fn commit(&mut self) -> Result<(), DiskError> {
        let writes = std::mem::take(&mut self.pending);
        let Some(disk) = self.disk.as_ref().filter(|_| !writes.is_empty()) else { return Ok(()) };
        disk.commit(&writes).inspect_err(|_| self.failed = true)
    }

    /// Marks a key to be written.
    fn changed(&mut self, id: KeyId) {
        let Some(entry) = self.keys.get(&id).filter(|_| self.disk.is_some()) else { return };
        self.pending.push(Write::Row(rows::KEYS, id.get(), rows::of_key(entry)));
    }

    fn write(&mut self, write: impl FnOnce(&Self) -> Write) {
        if self.disk.is_some() {
            let write = write(self);
            self.pending.push(write);
        }
    }
}

#[cfg(test)]
mod tests {
    use cortexkey_api::scope::{
        AreaMode, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, EndpointsWrite,
    };
    use cortexkey_core::access::{Grant, Permission, Product, Sbac, TagMode};

    use super::*;

    fn about() -> NewKeyInfo {
        NewKeyInfo {
            roles: vec!["R".into(), "Viewer".into()],
            comment: Some("é\n".into()),
            created_by: "a@b.example".into(),
            user_name: "A".into(),
        }
    }

    fn empty(max_keys: usize) -> Store {
        let settings =
            Settings { sbac: Sbac::Disabled, tags: TagMode::Permissive, datasets: false };
        Store::new(max_keys, Roles::new(Product::Xsiam, vec![], 0), settings)
    }

    #[test]
    fn an_id_is_never_given_twice_and_the_store_does_not_grow_past_its_limit() {
        let mut store = empty(2);
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

    #[test]
    fn only_committed_data_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || empty(9).on(Arc::new(Disk::open(folder.path()).unwrap())).unwrap();
        let axis = || AxisWrite { mode: AxisMode::Any, names: vec!["x".into()] };
        let scope = ScopeWrite {
            assets: AssetsWrite { mode: AreaMode::Select, asset_group_ids: vec![16] },
            cases_issues: CasesIssuesWrite {
                mode: AreaMode::All,
                names: vec![],
                include_cases_issues_empty_entities: true,
            },
            endpoints: EndpointsWrite { endpoint_groups: axis(), endpoint_tags: axis() },
            datasets_rows: None,
        };
        let id = |id| KeyId::new(id).unwrap();
        let event = || AuditEvent {
            entity: "API Key",
            subtype: "Generate",
            subject: String::new(),
            description: String::new(),
            done: true,
        };
        let record = {
            let mut store = open();
            let role = CustomRole::new("R").unwrap().with("Auditing", Permission::View).unwrap();
            assert_eq!(store.add_role(role, (None, vec![]), "a", 5), "custom_role_1");
            for expiry in [Expiry::Never, Expiry::At { ms: 7 }, Expiry::Never] {
                store.generate(Level::Advanced, expiry, about(), 5).unwrap();
            }
            store.set_scope(id(2), scope.clone());
            store.note(id(1), 9, event());
            store.delete(id(3));
            store.commit().unwrap();
            // It was not committed, so it has no effect.
            store.generate(Level::Advanced, Expiry::Never, about(), 5).unwrap();
            store.get(id(2)).unwrap().record.clone()
        };
        let mut store = open();
        let entry = store.get(id(2)).unwrap();
        assert_eq!((&entry.record, &entry.scope), (&record, &Some(scope)));
        assert_eq!((entry.stored.expiry(), entry.stored.created_ms()), (Expiry::At { ms: 7 }, 0));
        assert!(store.get(id(3)).is_none() && store.get(id(4)).is_none());
        let grant = Grant::listed("Auditing".to_owned(), Permission::View);
        assert_eq!(store.roles.find("R").unwrap().grants, [grant]);
        assert_eq!(store.audit.entries().count(), 1);
        store.note(id(1), 9, event());
        assert_eq!(store.audit.entries().last().unwrap().audit_id, 2);
        let (next, _) = store.generate(Level::Advanced, Expiry::Never, about(), 5).unwrap();
        assert_eq!(next, id(4), "3 was given, and is gone");
        assert_eq!(store.delete_role("custom_role_1"), Some("R".into()));
        store.commit().unwrap();
        drop(store);
        let mut store = open();
        assert_eq!(store.get(id(2)).unwrap().record.roles, ["Viewer"]);
        let role = CustomRole::new("R").unwrap();
        assert_eq!(store.add_role(role, (None, vec![]), "a", 5), "custom_role_2");
    }
}

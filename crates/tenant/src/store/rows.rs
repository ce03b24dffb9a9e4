//! Converts between the store's values and the rows of its file.

use std::sync::Arc;

use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_api::audit::AuditRecord;
use cortexkey_api::role::DatasetPermission;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::access::{Grant, Permission};
use cortexkey_core::auth::{KeyId, StoredKey};
use cortexkey_core::lifecycle::{Expiry, KeyRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Entry;
use super::disk::{Disk, Row};
use super::disk_error::DiskError;
use crate::roles::{CustomRole, RoleEntry};

pub(super) const KEYS: &str = "keys";
pub(super) const ROLES: &str = "roles";
pub(super) const AUDIT: &str = "audit";
/// Tables with a single row for all values of a kind: small, and seldom changed.
pub(super) const ASSET_GROUPS: &str = "asset-groups";
pub(super) const DIRECTORY: &str = "directory";
pub(super) const FORWARDING: &str = "forwarding";
pub(super) const LAST_ID: &str = "last-id";
pub(super) const ROLES_MADE: &str = "roles-made";

/// The part of a key besides its material.
#[derive(Serialize, Deserialize)]
struct KeyRow {
    record: RecordRow,
    scope: Option<ScopeWrite>,
}

/// The stored form of a key's record. A list of another tenant is read more strictly: a clock that
/// was set here may show any time.
#[derive(Serialize, Deserialize)]
struct RecordRow {
    creation_time: u64,
    created_by: String,
    user_name: String,
    roles: Vec<String>,
    security_level: SecurityLevel,
    comment: Option<String>,
    expiration: Option<u64>,
}

impl From<&KeyRecord> for RecordRow {
    fn from(record: &KeyRecord) -> Self {
        Self {
            creation_time: record.created_ms,
            created_by: record.created_by.clone(),
            user_name: record.user_name.clone(),
            roles: record.roles.clone(),
            security_level: record.level.into(),
            comment: record.comment.clone(),
            expiration: match record.expiry {
                Expiry::At { ms } => Some(ms),
                Expiry::Never => None,
            },
        }
    }
}

/// The stored form of a role.
#[derive(Serialize, Deserialize)]
struct RoleRow {
    role_id: String,
    name: String,
    description: Option<String>,
    created_by: String,
    created_ms: u64,
    components: Vec<(String, String)>,
    actions: Vec<String>,
    #[serde(default)]
    datasets: Vec<DatasetPermission>,
}

/// A key: the length of its material, the material, the rest as JSON.
pub(super) fn of_key(entry: &Entry) -> Row {
    let material = entry.stored.to_material();
    let material = material.expose();
    let row = KeyRow { record: RecordRow::from(&*entry.record), scope: entry.scope.clone() };
    // Strings and numbers can always be serialized.
    let json = serde_json::to_vec(&row).unwrap_or_default();
    // No copy of the material is left behind by a growing buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + material.len() + json.len()));
    bytes.push(u8::try_from(material.len()).unwrap_or(0));
    bytes.extend_from_slice(material);
    bytes.extend_from_slice(&json);
    bytes
}

pub(super) fn keys(disk: &Disk) -> Result<Vec<Entry>, DiskError> {
    let entry = |(id, bytes): (u64, Row)| {
        let (length, rest) = bytes.split_first()?;
        let (material, json) = rest.split_at_checked(usize::from(*length))?;
        let row: KeyRow = serde_json::from_slice(json).ok()?;
        let id = KeyId::new(id)?;
        let expiry = row.record.expiration.map_or(Expiry::Never, |ms| Expiry::At { ms });
        // Without the creation time: a guard must not consider it younger than itself.
        let stored = StoredKey::from_material(id, material).ok()?.expiring(expiry);
        let record = KeyRecord {
            key_id: id,
            created_ms: row.record.creation_time,
            created_by: row.record.created_by,
            user_name: row.record.user_name,
            roles: row.record.roles,
            level: row.record.security_level.into(),
            comment: row.record.comment,
            expiry,
        };
        (record.level == stored.level()).then_some(Entry {
            stored,
            record: Arc::new(record),
            scope: row.scope,
        })
    };
    disk.rows(KEYS)?.into_iter().map(|row| entry(row).ok_or(DiskError::Damaged)).collect()
}

pub(super) fn of_role(entry: &RoleEntry) -> Row {
    let level = |grant: &Grant<String>| grant.level.lowest();
    let text = |grant: &Grant<String>| (grant.component.clone(), level(grant).as_str().to_owned());
    let held = |grant: &&Grant<String>| level(grant) != Permission::None;
    json(&RoleRow {
        role_id: entry.role_id.clone(),
        name: entry.role.name.clone(),
        description: entry.description.clone(),
        created_by: entry.created_by.clone(),
        created_ms: entry.created_ms,
        components: entry.role.grants.iter().filter(held).map(text).collect(),
        actions: entry.role.actions.held.clone(),
        datasets: entry.datasets.clone(),
    })
}

pub(super) fn roles(disk: &Disk) -> Result<Vec<(u64, RoleEntry)>, DiskError> {
    let entry = |(number, bytes): (u64, Row)| {
        let row: RoleRow = serde_json::from_slice(&bytes).ok()?;
        let mut role = CustomRole::new(row.name).ok()?;
        for (name, level) in &row.components {
            role = role.with(name, level.parse().ok()?).ok()?;
        }
        for action in &row.actions {
            role = role.with_action(action).ok()?;
        }
        let role = role.0;
        let RoleRow { role_id, description, datasets, created_by, created_ms, .. } = row;
        let entry =
            RoleEntry { number, role_id, role, description, datasets, created_by, created_ms };
        Some((number, entry))
    };
    disk.rows(ROLES)?.into_iter().map(|row| entry(row).ok_or(DiskError::Damaged)).collect()
}

pub(super) fn of_audit(record: &AuditRecord) -> Row {
    json(record)
}

pub(super) fn audit(disk: &Disk) -> Result<Vec<AuditRecord>, DiskError> {
    let record = |(_, bytes): (u64, Row)| serde_json::from_slice(&bytes).ok();
    disk.rows(AUDIT)?.into_iter().map(|row| record(row).ok_or(DiskError::Damaged)).collect()
}

pub(super) fn of_whole(all: &impl Serialize) -> Row {
    json(all)
}

/// A value that is stored as a whole; `None` if it never was.
pub(super) fn whole<T: DeserializeOwned>(disk: &Disk, table: &str) -> Result<Option<T>, DiskError> {
    let parse = |row: Row| serde_json::from_slice(&row).map_err(|_| DiskError::Damaged);
    disk.row(table, 0)?.map(parse).transpose()
}

fn json(row: &impl Serialize) -> Row {
    // Strings and numbers can always be serialized.
    Zeroizing::new(serde_json::to_vec(row).unwrap_or_default())
}

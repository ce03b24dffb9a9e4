//! [`Snapshot`]: the tenant's keys at one time, with the facts from their definitions.

use core::borrow::Borrow;
use std::sync::Arc;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::role::RoleRecord;
use cortexkey_client::{CallError, Client};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::KeyRecord;
use cortexkey_system::chain;

use crate::definitions::{ComparedDefinitions, DefinitionSource, ManagedKey};
use crate::scopes::Scopes;

/// Lets the core sort rows by their records.
impl Borrow<KeyRecord> for &Row {
    fn borrow(&self) -> &KeyRecord {
        &self.record
    }
}

/// A key of the tenant.
#[derive(Clone, Debug)]
pub struct Row {
    /// As the tenant returned it.
    pub key: ApiKeyRecord,
    /// As the table shows it.
    pub record: KeyRecord,
    /// The facts from its definition, if it has one.
    pub managed: Option<ManagedKey>,
}

/// The tenant's keys at one time.
#[derive(Default)]
pub struct Snapshot {
    /// By id.
    pub rows: Vec<Row>,
    /// The number of keys that the tenant counts but does not list, or that cannot be read.
    pub unseen: u64,
    /// The tenant's roles, if the signing key may read them.
    pub roles: Vec<RoleRecord>,
    /// Why they could not be read, if they could not.
    pub roles_fault: Option<String>,
    /// The policy and the definitions.
    pub definitions: Arc<ComparedDefinitions>,
    /// When it was read, in milliseconds since 1970.
    pub taken_ms: u64,
}

impl Snapshot {
    /// Whether it was read from a tenant. The default snapshot was not, so its empty list of keys
    /// has no meaning.
    pub fn is_read(&self) -> bool {
        self.taken_ms != 0
    }

    /// Reads the tenant's keys, and the definitions if there is a folder with them.
    pub fn read(
        client: &Client,
        source: Option<&DefinitionSource>,
        now_ms: u64,
    ) -> Result<Self, CallError> {
        let load = |_: &[KeyId]| {
            Ok(ComparedDefinitions::load(source, Some(client), &Scopes::default(), now_ms))
        };
        Self::read_with(client, load, now_ms)
    }

    /// Does the same with definitions from another source, which gets the ids of the keys.
    pub fn read_with(
        client: &Client,
        definitions: impl FnOnce(&[KeyId]) -> Result<ComparedDefinitions, CallError>,
        now_ms: u64,
    ) -> Result<Self, CallError> {
        let list = client.key_list(&[])?;
        let ids = list.keys.iter().filter_map(|key| Some(key.row()?.key_id));
        let definitions = Arc::new(definitions(&ids.collect::<Vec<_>>())?);
        // Older products have no such call, and some keys may not make it.
        let (roles, roles_fault) = match client.roles() {
            Ok(roles) => (roles, None),
            Err(error) => (Vec::new(), Some(chain(&error))),
        };
        let row = |key: ApiKeyRecord| {
            let record = key.row()?;
            let managed = definitions.managed(key.id).cloned();
            Some(Row { key, record, managed })
        };
        let shown = list.keys.len();
        let rows: Vec<Row> = list.keys.into_iter().filter_map(row).collect();
        let unseen = list.missing + (list.unreadable.len() + shown - rows.len()) as u64;
        Ok(Self { rows, unseen, roles, roles_fault, definitions, taken_ms: now_ms })
    }

    /// A key.
    pub fn row(&self, id: u64) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&id, |row| row.key.id).ok()?;
        self.rows.get(at)
    }
}

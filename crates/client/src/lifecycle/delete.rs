//! [`Deletion`]: deletes keys that the caller has confirmed.

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_core::auth::KeyId;
use thiserror::Error;

use crate::transport::{CallError, Client};

/// Existing keys that are about to be deleted.
pub struct Deletion<'a> {
    client: &'a Client,
    ids: Vec<KeyId>,
    records: Vec<ApiKeyRecord>,
}

/// Why keys cannot be deleted. Nothing was deleted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeletionError {
    /// One of them signs these calls.
    #[error("key {0} signs these calls")]
    Own(KeyId),
    /// The tenant does not have these.
    #[error("nothing was deleted, because the tenant has no key {}", ids(missing))]
    Missing {
        /// Their ids.
        missing: Vec<KeyId>,
    },
    /// The keys could not be listed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl<'a> Deletion<'a> {
    /// Checks that none of these keys signs the calls.
    pub fn check_own(client: &Client, ids: &[KeyId]) -> Result<(), DeletionError> {
        let own = client.own_key().and_then(KeyId::new);
        own.filter(|own| ids.contains(own)).map_or(Ok(()), |own| Err(DeletionError::Own(own)))
    }

    /// Looks the keys up. All must exist, and none may sign the calls.
    pub fn prepare(client: &'a Client, ids: &[KeyId]) -> Result<Self, DeletionError> {
        Self::check_own(client, ids)?;
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let keys = client.all_keys(&[])?;
        let find = |id: &KeyId| keys.iter().find(|record| record.id == id.get()).cloned();
        let records: Vec<ApiKeyRecord> = ids.iter().filter_map(find).collect();
        let is_missing = |id: &&KeyId| records.iter().all(|record| record.id != id.get());
        let missing: Vec<KeyId> = ids.iter().filter(is_missing).copied().collect();
        if !missing.is_empty() {
            return Err(DeletionError::Missing { missing });
        }
        Ok(Self { client, ids, records })
    }

    /// The keys as the tenant returned them.
    pub fn records(&self) -> &[ApiKeyRecord] {
        &self.records
    }

    /// Deletes the keys.
    pub fn run(self) -> Result<(), CallError> {
        self.client.ensure_deleted(&self.ids)
    }
}

fn ids(ids: &[KeyId]) -> String {
    let ids: Vec<String> = ids.iter().map(KeyId::to_string).collect();
    ids.join(", ")
}

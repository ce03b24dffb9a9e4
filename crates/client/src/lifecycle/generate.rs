//! [`Generation`]: generates keys that have no definition.

use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::LockedKey;

use super::lock_file::{LockFile, LockFileError};
use super::renewal::{KeyDelivery, RenewError, Renewal};
use super::state::{StateError, StatePlaces, tenant_of};
use crate::plan::locked_host;
use crate::resources::NewKey;
use crate::sink::Sink;

/// The state file for keys that are being generated.
const STATE: &str = "new-keys";
/// Prefix of entries in the state file: a key has no name before it has an id.
const UNNAMED: &str = "new-key-";

/// Generates keys without a definition: scoped, checked and delivered, or deleted again.
pub struct Generation<'a> {
    renewal: Renewal<'a>,
    state: LockFile,
    tenant: String,
    host: String,
}

/// The keys whose generation was interrupted.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Finished {
    /// Keys that may have been delivered. They are kept.
    pub doubtful: Vec<KeyId>,
    /// What could not be finished now. It stays for a later run.
    pub failed: Vec<RenewError>,
}

impl<'a> Generation<'a> {
    /// Locks the state of a tenant's new keys.
    pub fn open(renewal: Renewal<'a>, places: &StatePlaces) -> Result<Self, StateError> {
        let state = places.hold(renewal.client, STATE)?;
        let host = locked_host(renewal.client.address());
        Ok(Self { tenant: tenant_of(renewal.client), renewal, state, host })
    }

    /// Finishes interrupted runs. A run that cannot be finished does not stop the others.
    pub fn finish(&mut self) -> Result<Finished, LockFileError> {
        let of_tenant = self.state.lock().tenants.get(&self.tenant);
        let names = of_tenant.iter().flat_map(|tenant| tenant.keys.keys());
        let names: Vec<String> = names.filter(|name| name.starts_with(UNNAMED)).cloned().collect();
        let mut finished = Finished::default();
        for name in names {
            let mut entry = self.state.entry(&self.tenant, &name);
            let mut journal = self.state.journal(&self.tenant, &self.host, &name);
            if let Err(error) = self.renewal.settle(&mut entry, &mut journal) {
                finished.failed.push(error);
                continue;
            }
            finished.doubtful.extend(&entry.doubtful);
            self.state.set(&self.tenant, &self.host, &name, None)?;
        }
        Ok(finished)
    }

    /// Generates one key. Call [`finish`](Self::finish) first.
    pub fn generate(
        &mut self,
        new: &NewKey,
        sink: &Sink,
        now_ms: u64,
    ) -> Result<KeyId, RenewError> {
        let name = format!("{UNNAMED}{now_ms}");
        let mut entry = LockedKey::default();
        let mut journal = self.state.journal(&self.tenant, &self.host, &name);
        let delivery = KeyDelivery { sink, grace_ms: 0, now_ms };
        let made = self.renewal.run(&mut entry, new, &delivery, &mut journal);
        if entry.pending.is_none() && !matches!(made, Err(RenewError::Delivered { .. })) {
            let forgotten = self.state.set(&self.tenant, &self.host, &name, None);
            let forgotten = forgotten.map_err(RenewError::Journal);
            return match (made, forgotten) {
                (Ok(id), Err(error)) => Err(RenewError::Delivered { id, error: Box::new(error) }),
                (made, _) => made,
            };
        }
        made
    }
}

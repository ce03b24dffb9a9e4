//! [`PlanRequest`]: reads what a plan needs from a tenant, and makes the plan.

use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{Lock, LockedKey, LockedTenant};
use cortexkey_manifest::policy;

use super::{Desired, KnownScopes, Plan, PlanOptions, TenantState};
use crate::transport::{CallError, Client};

/// The definitions, lock file and tenant of a plan.
#[derive(Clone, Copy)]
pub struct PlanRequest<'a> {
    /// Calls the tenant.
    pub client: &'a Client,
    /// The lock file's name for the tenant.
    pub tenant: &'a str,
    /// The definitions for this tenant.
    pub desired: &'a [Desired],
    /// The policy's roles.
    pub catalog: &'a [&'a policy::CatalogRole],
    /// The lock file.
    pub lock: &'a Lock,
    /// Scopes that were read already, and are not read again.
    pub known_scopes: &'a KnownScopes,
    /// How the plan is made.
    pub options: &'a PlanOptions,
}

impl PlanRequest<'_> {
    /// The keys whose scopes the plan needs, one call each.
    pub fn scopes(&self) -> Vec<u64> {
        let entries = self.locked().into_iter().flat_map(|tenant| &tenant.keys);
        let ids = entries.filter_map(|(name, entry)| {
            let asks = self.desired.iter().any(|key| key.name == *name && key.has_scope());
            entry.id.filter(|_| asks).map(KeyId::get)
        });
        ids.collect()
    }

    /// Reads the tenant and makes the plan. `on_scope` is called before each scope is read.
    pub fn plan(&self, on_scope: &dyn Fn()) -> Result<Plan, CallError> {
        let locked = self.locked();
        let keys = locked.into_iter().flat_map(|tenant| tenant.keys.values());
        let ids = self.scopes().into_iter().inspect(|_| on_scope());
        let all_ids = keys.flat_map(LockedKey::ids);
        let names_groups = self.desired.iter().any(Desired::selects_groups);
        let state = TenantState::read(self.client, ids, self.known_scopes, all_ids, names_groups)?;
        let desired = self.desired;
        let catalog = self.catalog;
        Ok(Plan::new(self.tenant, desired, catalog, locked, &state, self.options))
    }

    fn locked(&self) -> Option<&LockedTenant> {
        self.lock.tenants.get(self.tenant)
    }
}

//! [`TenantState`]: what a tenant has, as far as a plan asks.
//!
//! It refuses to read more than is asked: scopes are one call a key.

use std::collections::BTreeMap;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::ScopeRead;
use cortexkey_core::auth::KeyId;

use super::Desired;
use crate::{CallError, Client};

/// What a tenant has.
#[derive(Clone, Debug, Default)]
pub struct TenantState {
    /// The host of its API.
    pub host: String,
    /// The key that these calls are signed with.
    pub own: u64,
    /// All keys, by id.
    pub keys: BTreeMap<u64, ApiKeyRecord>,
    /// The scopes of those that were asked for; none where the product has no such call.
    pub scopes: BTreeMap<u64, Option<ScopeRead>>,
    /// The asset groups, where somebody names one.
    pub asset_groups: Vec<AssetGroupRecord>,
    /// The display names of the roles; none where the tenant does not tell them.
    pub roles: Option<Vec<String>>,
}

impl TenantState {
    /// Reads the keys, the roles, the scopes of these keys, and the asset groups where they are
    /// asked for.
    pub fn read(
        client: &Client,
        scopes_of: impl IntoIterator<Item = u64>,
        asset_groups: bool,
    ) -> Result<Self, CallError> {
        Self::of(client, client.all_keys(&[])?, scopes_of, asset_groups)
    }

    /// As [`read`](Self::read), with keys that were listed before.
    pub fn of(
        client: &Client,
        keys: impl IntoIterator<Item = ApiKeyRecord>,
        scopes_of: impl IntoIterator<Item = u64>,
        asset_groups: bool,
    ) -> Result<Self, CallError> {
        let keys: BTreeMap<u64, ApiKeyRecord> =
            keys.into_iter().map(|record| (record.id, record)).collect();
        let mut scopes = BTreeMap::new();
        for id in scopes_of {
            if let Some(key_id) = KeyId::new(id).filter(|_| keys.contains_key(&id)) {
                scopes.insert(id, client.scope(key_id)?);
            }
        }
        // Older products have no such call, and some keys may not make it.
        let roles = match client.roles() {
            Ok(roles) => Some(roles.into_iter().map(|role| role.pretty_name.into()).collect()),
            Err(error) if matches!(error.status(), Some(403 | 404)) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            host: client.address().host().to_owned(),
            own: client.signer().key_id().get(),
            keys,
            scopes,
            asset_groups: if asset_groups { client.asset_groups()? } else { Vec::new() },
            roles,
        })
    }

    /// What a plan for these definitions asks for.
    pub fn for_plan(
        client: &Client,
        desired: &[Desired],
        ids: impl IntoIterator<Item = u64>,
    ) -> Result<Self, CallError> {
        Self::read(client, ids, desired.iter().any(Desired::selects_groups))
    }
}

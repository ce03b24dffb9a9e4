//! [`TenantState`]: what a tenant has, as far as a plan asks. Scopes are one call a key, so that no
//! more of them are read than are asked for.
//!
//! What could not be read is noted, and is never taken for something that is not there.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::ScopeRead;
use cortexkey_core::auth::KeyId;

use crate::{CallError, Client, Permission};

/// What a tenant has.
#[derive(Clone, Debug, Default)]
pub struct TenantState {
    /// The host of its API.
    pub host: String,
    /// The key that these calls are signed with; none where it is not among the tenant's.
    pub own: Option<u64>,
    /// All keys, by id.
    pub keys: BTreeMap<u64, ApiKeyRecord>,
    /// The scopes of those that were asked for; none where the product has no such call.
    pub scopes: BTreeMap<u64, Option<ScopeRead>>,
    /// The asset groups, where somebody names one.
    pub asset_groups: Vec<AssetGroupRecord>,
    /// The display names of the roles; none where the tenant does not tell them.
    pub roles: Option<Vec<String>>,
    /// Keys of which it is not known whether the tenant has them.
    pub unclear: BTreeSet<u64>,
    /// Why scopes could not be read.
    pub unread_scopes: BTreeMap<u64, String>,
    /// Whether the key that signs may read roles and scopes.
    pub lacks_access_management: bool,
}

impl TenantState {
    /// Reads the keys, the roles, the scopes of these keys, and the asset groups where they are
    /// asked for. `locked` are the keys that a lock file names: whether one of them is gone is
    /// looked at twice.
    pub fn read(
        client: &Client,
        scopes_of: impl IntoIterator<Item = u64>,
        locked: impl IntoIterator<Item = u64>,
        asset_groups: bool,
    ) -> Result<Self, CallError> {
        let list = client.key_list(&[])?;
        let mut keys = list.keys.clone();
        let mut unclear = BTreeSet::new();
        for id in locked {
            if keys.iter().any(|record| record.id == id) {
                continue;
            }
            // That a list does not show a key proves nothing: it is asked for by itself.
            match KeyId::new(id).map(|id| client.find_key(id)) {
                Some(Ok(Some(record))) => keys.push(record),
                Some(Ok(None)) | None => {}
                Some(Err(_)) => {
                    unclear.insert(id);
                }
            }
        }
        let state = Self::of(client, keys, scopes_of, asset_groups)?;
        Ok(Self { unclear, ..state })
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
        let (mut scopes, mut unread_scopes) = (BTreeMap::new(), BTreeMap::new());
        for id in scopes_of {
            let Some(key_id) = KeyId::new(id).filter(|_| keys.contains_key(&id)) else { continue };
            match client.scope(key_id) {
                Ok(scope) => {
                    scopes.insert(id, scope);
                }
                Err(error) if error.status() == Some(403) => {
                    let why = format!("this key lacks {}", Permission::AccessManagementView);
                    unread_scopes.insert(id, why);
                }
                Err(error) => {
                    unread_scopes.insert(id, error.to_string());
                }
            }
        }
        // Older products have no such call, and some keys may not make it.
        let (roles, lacks_access_management) = match client.known_roles() {
            Ok(roles) => {
                (Some(roles.iter().map(|role| role.pretty_name.to_string()).collect()), false)
            }
            Err(error) if error.status() == Some(403) => (None, true),
            Err(error) if matches!(error.status(), Some(404 | 405)) => (None, false),
            Err(error) => return Err(error),
        };
        Ok(Self {
            unclear: BTreeSet::new(),
            unread_scopes,
            lacks_access_management,
            host: client.address().host().to_owned(),
            own: client.own_key(),
            keys,
            scopes,
            asset_groups: if asset_groups { client.asset_groups()? } else { Vec::new() },
            roles,
        })
    }
}

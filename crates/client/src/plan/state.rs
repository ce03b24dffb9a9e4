//! [`TenantState`]: the part of a tenant's state that a plan needs. Each scope takes a call, so
//! only the required ones are read.
//!
//! What could not be read is marked as such and never treated as missing.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::ScopeRead;
use cortexkey_core::auth::KeyId;
use cortexkey_system::chain;

use crate::{ApiPermission, CallError, Client};

/// Scopes that were read, by id: the tenant's answer, which is none if the product has no such call,
/// or the reason why there is none.
pub type KnownScopes = BTreeMap<u64, Result<Option<ScopeRead>, String>>;

/// The state of a tenant.
#[derive(Clone, Debug, Default)]
pub struct TenantState {
    /// The host of its API.
    pub host: String,
    /// The key that signs these calls; `None` if it is not one of the tenant's.
    pub own: Option<u64>,
    /// All keys, by id.
    pub keys: BTreeMap<u64, ApiKeyRecord>,
    /// The requested scopes; `None` if the product has no such call.
    pub scopes: BTreeMap<u64, Option<ScopeRead>>,
    /// The asset groups, if a definition names one.
    pub asset_groups: Vec<AssetGroupRecord>,
    /// The display names of the roles; `None` if the tenant does not return them.
    pub roles: Option<Vec<String>>,
    /// Keys that the tenant may or may not have.
    pub unclear: BTreeSet<u64>,
    /// Why scopes could not be read.
    pub unread_scopes: BTreeMap<u64, String>,
    /// Whether the signing key may read roles and scopes.
    pub lacks_access_management: bool,
}

impl TenantState {
    /// Reads the keys, the roles, the scopes of these keys, and the asset groups if requested.
    /// `locked` are the keys in a lock file: whether one of them is gone is checked twice. Scopes in
    /// `known` are not read again.
    pub fn read(
        client: &Client,
        scopes_of: impl IntoIterator<Item = u64>,
        known: &KnownScopes,
        locked: impl IntoIterator<Item = KeyId>,
        asset_groups: bool,
    ) -> Result<Self, CallError> {
        let list = client.key_list(&[])?;
        client.check_own_key(&list)?;
        client.check_clock()?;
        let mut keys = list.keys.clone();
        let mut unclear = BTreeSet::new();
        for id in locked {
            if keys.iter().any(|record| record.id == id.get()) {
                continue;
            }
            // A key that is missing in a list is looked up individually: the list alone proves
            // nothing.
            match client.find_key(id) {
                Ok(Some(record)) => keys.push(record),
                Ok(None) => {}
                Err(_) => {
                    unclear.insert(id.get());
                }
            }
        }
        let state = Self::with_keys(client, keys, scopes_of, known, asset_groups)?;
        Ok(Self { unclear, ..state })
    }

    /// As [`read`](Self::read), with keys that were already listed.
    pub fn with_keys(
        client: &Client,
        keys: impl IntoIterator<Item = ApiKeyRecord>,
        scopes_of: impl IntoIterator<Item = u64>,
        known: &KnownScopes,
        asset_groups: bool,
    ) -> Result<Self, CallError> {
        let keys: BTreeMap<u64, ApiKeyRecord> =
            keys.into_iter().map(|record| (record.id, record)).collect();
        let mut scopes = BTreeMap::new();
        let mut unread_scopes = BTreeMap::new();
        for id in scopes_of {
            let Some(key_id) = KeyId::new(id).filter(|_| keys.contains_key(&id)) else { continue };
            let read = || client.scope(key_id).map_err(|error| unread(&error));
            match known.get(&id).cloned().unwrap_or_else(read) {
                Ok(scope) => scopes.insert(id, scope).map(drop),
                Err(why) => unread_scopes.insert(id, why).map(drop),
            };
        }
        // Older products have no such call, and some keys lack the permission.
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

impl TenantState {
    /// Whether a key has roles, and the tenant knows them all. Only then is it certain that the key
    /// is neither the product's nor an administrator's.
    pub(super) fn knows_roles(&self, record: &ApiKeyRecord) -> bool {
        let is_known = |role: &String| {
            self.roles
                .as_ref()
                .is_none_or(|roles| roles.iter().any(|known| known.eq_ignore_ascii_case(role)))
        };
        !record.roles.is_empty() && record.roles.iter().all(is_known)
    }
}

/// Why a scope cannot be read.
fn unread(error: &CallError) -> String {
    match error.status() {
        Some(403) => format!("this key lacks {}", ApiPermission::AccessManagementView),
        _ => chain(error),
    }
}

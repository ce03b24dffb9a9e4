//! [`Scopes`]: the scopes of a tenant's keys.

use cortexkey_api::scope::ScopeRead;
use cortexkey_client::{ApiPermission, CallError, Client, KnownScopes};
use cortexkey_core::auth::KeyId;
use cortexkey_system::chain;

/// The scopes that were read from the tenant, with one call per key.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    by_id: KnownScopes,
}

impl Scopes {
    /// Reads the scopes of keys. If the signing key may not read scopes, only one call is made. If
    /// the tenant does not answer, an error is returned. `on_scope` is called before each key.
    pub fn read(
        client: &Client,
        ids: impl IntoIterator<Item = KeyId>,
        on_scope: &dyn Fn(),
    ) -> Result<Self, CallError> {
        let mut by_id = KnownScopes::new();
        let mut forbidden: Option<String> = None;
        for id in ids {
            on_scope();
            let scope = match &forbidden {
                Some(why) => Err(why.clone()),
                None => match client.scope(id) {
                    Ok(scope) => Ok(scope),
                    Err(error) if error.status() == Some(403) => {
                        let why = format!(
                            "the key that signs lacks {}",
                            ApiPermission::AccessManagementView
                        );
                        forbidden = Some(why.clone());
                        Err(why)
                    }
                    Err(error) if matches!(error.status(), None | Some(401)) => return Err(error),
                    Err(error) => Err(chain(&error)),
                },
            };
            by_id.insert(id.get(), scope);
        }
        Ok(Self { by_id })
    }

    /// Why a scope could not be read; absent if all could.
    pub fn fault(&self) -> Option<&str> {
        self.by_id.values().find_map(|scope| scope.as_ref().err().map(String::as_str))
    }

    /// All answers, for a plan.
    pub fn known(&self) -> &KnownScopes {
        &self.by_id
    }

    /// Whether no scope was requested.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The tenant's answer for a key; absent if its scope was not requested.
    pub fn of(&self, id: u64) -> Option<Result<Option<&ScopeRead>, &str>> {
        let scope = self.by_id.get(&id)?;
        Some(scope.as_ref().map(Option::as_ref).map_err(String::as_str))
    }
}

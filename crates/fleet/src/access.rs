//! What a key of the tenant may do and see.

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::ScopeRead;
use cortexkey_api::scope_mapping::{MappingError, from_read};
use cortexkey_client::ObservedScope;
use cortexkey_lint::Policy;
use cortexkey_manifest::access::{Access, ScopeModel, losses};

/// What a key of the tenant may do and see, as far as the tenant, the policy's catalogue and the
/// product's documents say. A scope that lets nothing in is one that nobody set: the tenant shows
/// both alike.
pub fn access(
    record: &ApiKeyRecord,
    scope: Option<&ScopeRead>,
    policy: Option<&Policy>,
    tenant: Option<&str>,
) -> Result<Access, MappingError> {
    let scope = scope.filter(|scope| !ObservedScope::from(*scope).is_nothing());
    let scope = scope.map(from_read).transpose()?;
    let catalogue: Vec<_> = policy.map(|policy| policy.roles().collect()).unwrap_or_default();
    let facts = policy.and_then(|policy| {
        let name = tenant.or(policy.only_tenant())?;
        Some((name, policy.tenant(name)))
    });
    let roles = record.roles.iter().map(String::as_str);
    Ok(Access::held(roles, scope, &catalogue, facts))
}

/// What is known of a key's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Nobody asked the tenant.
    NotRead,
    /// The tenant did not answer, or in a way that cannot be read: why, in words.
    Unread(String),
    /// The product has no scopes of this form.
    NoScopes,
    /// How far it lets the key see.
    Known(Reach),
}

/// How far a scope lets a key see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// No scope was set, or one that lets nothing in.
    Unscoped,
    /// Everything: enforcing scopes takes nothing away.
    Everything,
    /// A part.
    Limited,
}

impl KeyScope {
    /// The scope of a key's access.
    pub fn of(access: &Access) -> Self {
        if access.tenant.scopes != ScopeModel::Areas {
            return Self::NoScopes;
        }
        Self::Known(match &access.scope {
            None => Reach::Unscoped,
            Some(_) if losses(access).is_empty() => Reach::Everything,
            Some(_) => Reach::Limited,
        })
    }

    /// The stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotRead => "not-read",
            Self::Unread(_) => "unread",
            Self::NoScopes => "not-applicable",
            Self::Known(Reach::Unscoped) => "unscoped",
            Self::Known(Reach::Everything) => "everything",
            Self::Known(Reach::Limited) => "limited",
        }
    }
}

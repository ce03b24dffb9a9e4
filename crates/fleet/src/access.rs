//! What the keys of a tenant may do and see.

use cortexkey_api::scope::ScopeRead;
use cortexkey_api::scope_mapping::{MappingError, from_read};
use cortexkey_client::ObservedScope;
use cortexkey_core::access::Unreferenced;
use cortexkey_lint::Policy;
use cortexkey_manifest::access::{KeyAccess, ScopeModel, losses};

use crate::snapshot::Row;

/// What a key of the tenant may do and see, according to the tenant, the policy's catalog and the
/// product's documents. A scope that allows nothing counts as unset, because the tenant shows both
/// alike. The tenant never shows whether a key sees cases and issues that reference no known
/// object, so the last applied value is used.
pub fn access(
    row: &Row,
    scope: Option<&ScopeRead>,
    policy: Option<&Policy>,
    tenant: Option<&str>,
) -> Result<KeyAccess, MappingError> {
    let scope = scope.filter(|scope| !ObservedScope::from(*scope).is_nothing());
    let mut scope = scope.map(from_read).transpose()?;
    if let Some(cases) = scope.as_mut().map(|scope| &mut scope.cases_and_issues)
        && let Some(applied) = row.managed.as_ref().and_then(|managed| managed.unreferenced)
        && cases.unreferenced == Unreferenced::Unknown
    {
        cases.unreferenced = applied.into();
    }
    let catalog: Vec<_> = policy.map(|policy| policy.roles().collect()).unwrap_or_default();
    let facts = policy.and_then(|policy| {
        let name = tenant.or(policy.only_tenant())?;
        Some((name, policy.tenant(name)))
    });
    let roles = row.key.roles.iter().map(String::as_str);
    Ok(KeyAccess::held(roles, scope, &catalog, facts))
}

/// What is known of a key's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// The tenant was not asked.
    NotRead,
    /// The tenant did not return a readable scope; the reason in words.
    Unread(String),
    /// The product has no scopes of this form.
    NoScopes,
    /// How much the scope lets the key see.
    Known(Visibility),
}

/// How much a scope lets a key see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// No scope was set, or a scope that allows nothing.
    Unscoped,
    /// Everything, as far as is known. Enforcing scopes removes at most cases and issues that
    /// reference no known object.
    Everything,
    /// Part of the tenant's objects.
    Limited,
}

impl KeyScope {
    /// The scope of a key's access.
    pub fn from_access(access: &KeyAccess) -> Self {
        if access.tenant.scopes != ScopeModel::Areas {
            return Self::NoScopes;
        }
        Self::Known(match &access.scope {
            None => Visibility::Unscoped,
            Some(_) if losses(&open(access)).is_empty() => Visibility::Everything,
            Some(_) => Visibility::Limited,
        })
    }

    /// The stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotRead => "not-read",
            Self::Unread(_) => "unread",
            Self::NoScopes => "not-applicable",
            Self::Known(Visibility::Unscoped) => "unscoped",
            Self::Known(Visibility::Everything) => "everything",
            Self::Known(Visibility::Limited) => "limited",
        }
    }

    /// The name that users see.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotRead => "Not read",
            Self::Unread(_) => "Unknown",
            Self::NoScopes => "Not in this product",
            Self::Known(Visibility::Unscoped) => "No scope",
            Self::Known(Visibility::Everything) => "Everything",
            Self::Known(Visibility::Limited) => "A part",
        }
    }
}

/// The access of a key, assuming that it sees unreferenced cases and issues if that is unknown.
fn open(access: &KeyAccess) -> KeyAccess {
    let mut open = access.clone();
    let cases = open.scope.as_mut().map(|scope| &mut scope.cases_and_issues);
    if let Some(cases) = cases.filter(|cases| cases.unreferenced == Unreferenced::Unknown) {
        cases.unreferenced = Unreferenced::Yes;
    }
    open
}

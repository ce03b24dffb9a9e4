//! A key's access according to its definition and the policy, as the core's roles and scopes.
//!
//! A definition that leaves open what a decision may depend on is an [`IncompleteField`]. A role's
//! permissions are never guessed: a role that is in neither the catalog nor the product's
//! documents is unknown.

pub mod canonical;
mod decision;
pub mod describe;
mod losses;
mod roles;
mod scope;

use cortexkey_core::access::{AccessKey, Product, Role, Sbac, Scope, TagMode, TenantSettings};

pub use losses::losses;
pub use roles::{ResolvedRole, RoleFacts, RoleOrigin, closure, closure_beyond};
pub use scope::scope;

use crate::definition::Definition;
use crate::policy;
use crate::{Field, Span, quote};

/// A field of a definition that is missing or cannot be read, and that a decision may depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncompleteField {
    /// Its position, or where it should be.
    pub span: Span,
    /// What is wrong with it.
    pub message: String,
}

impl IncompleteField {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

/// What a key may do and see, according to its definition and the policy.
#[derive(Clone, Debug)]
pub struct KeyAccess {
    /// Its roles, followed by those that they imply.
    pub roles: Vec<Role<String>>,
    /// The facts about each of its roles, in the same order.
    pub role_facts: Vec<RoleFacts>,
    /// Its scope.
    pub scope: Option<Scope<String>>,
    /// Its tenant.
    pub tenant: TenantFacts,
}

/// The settings of a key's tenant.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    /// Its name.
    pub name: Option<String>,
    /// Whether the policy lists it.
    pub listed: bool,
    /// Its product.
    pub product: Option<Product>,
    /// How scopes work in this product.
    pub scopes: ScopeModel,
    /// The settings for decisions.
    pub settings: TenantSettings,
    /// Whether the policy says how tags are matched; otherwise restrictive matching is assumed.
    pub tags_set: bool,
    /// Whether the policy says if the tenant scopes dataset rows; otherwise the key's own scope
    /// decides.
    pub datasets_set: bool,
}

/// How scopes work in a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeModel {
    /// By areas; the core decides.
    Areas,
    /// No scopes: only roles limit a key.
    NoScopes,
    /// An older model, which the core does not evaluate.
    Older,
}

impl KeyAccess {
    /// Creates it from a definition. `catalog` contains the policy's roles, the nearest layer's
    /// first;
    /// `tenant` is the key's tenant by name, with the policy's entry if there is one.
    pub fn from_definition(
        definition: &Definition,
        catalog: &[&policy::CatalogRole],
        tenant: Option<(&str, Option<&policy::CatalogTenant>)>,
    ) -> Result<Self, IncompleteField> {
        let Some(spec) = &definition.spec else {
            return Err(IncompleteField::new(definition.place, "`spec` cannot be read"));
        };
        let scope = match &spec.scope {
            Field::Present { value, .. } => Some(scope(&value.value)?),
            Field::Absent | Field::Empty(_) => None,
            Field::Bad(span) => {
                return Err(IncompleteField::new(*span, "`spec.scope` cannot be read"));
            }
        };
        let names = present(&spec.roles, spec.place, "spec.roles")?;
        let names = names.iter().map(|name| name.value.as_str());
        Ok(Self::held(names, scope, catalog, tenant))
    }

    /// Creates it from the names of roles and a scope, for a key that may have no definition.
    #[must_use]
    pub fn held<'a>(
        roles: impl IntoIterator<Item = &'a str>,
        scope: Option<Scope<String>>,
        catalog: &[&'a policy::CatalogRole],
        tenant: Option<(&str, Option<&policy::CatalogTenant>)>,
    ) -> Self {
        let mut tenant = facts(tenant);
        if !tenant.datasets_set {
            tenant.settings.datasets = scope.as_ref().is_some_and(|s| s.datasets.is_some());
        }
        let resolved = ResolvedRole::all(roles, catalog, tenant.product);
        let (roles, role_facts) = resolved.into_iter().map(|one| (one.role, one.facts)).unzip();
        Self { roles, role_facts, scope, tenant }
    }

    /// The key in the form that [`decide`](cortexkey_core::access::decide()) takes.
    #[must_use]
    pub fn key(&self) -> AccessKey<'_, String> {
        AccessKey { roles: &self.roles, scope: self.scope.as_ref() }
    }
}

fn facts(tenant: Option<(&str, Option<&policy::CatalogTenant>)>) -> TenantFacts {
    let listed = tenant.and_then(|(_, tenant)| tenant);
    let product = listed.and_then(|tenant| tenant.product.get().copied());
    let scopes = match product {
        Some(Product::Xpanse) => ScopeModel::Older,
        Some(product) if !product.has_scopes() => ScopeModel::NoScopes,
        _ => ScopeModel::Areas,
    };
    let said = listed.and_then(|tenant| tenant.sbac.get().copied());
    let tags = listed.and_then(|tenant| tenant.tags.get().copied());
    let datasets = listed.and_then(|tenant| tenant.datasets.get().copied());
    TenantFacts {
        name: tenant.map(|(name, _)| name.to_owned()),
        listed: listed.is_some(),
        product,
        scopes,
        settings: TenantSettings {
            sbac: match scopes {
                ScopeModel::NoScopes => Sbac::Disabled,
                _ => said.unwrap_or(Sbac::Unknown),
            },
            // If the policy does not set it, the narrower of the two.
            tags: tags.unwrap_or(TagMode::Restrictive),
            datasets: datasets.unwrap_or(false),
        },
        tags_set: tags.is_some(),
        datasets_set: datasets.is_some(),
    }
}

/// The value of a field that a decision depends on.
fn present<'f, T>(field: &'f Field<T>, place: Span, path: &str) -> Result<&'f T, IncompleteField> {
    let incomplete =
        |span, what: &str| Err(IncompleteField::new(span, format!("{} {what}", quote(path))));
    match field {
        Field::Present { value, .. } => Ok(&value.value),
        Field::Absent => incomplete(place, "is missing"),
        Field::Empty(span) => incomplete(*span, "has no value"),
        Field::Bad(span) => incomplete(*span, "cannot be read"),
    }
}

#[cfg(test)]
mod tests;

//! [`Choices`]: the options that a form offers: the tenant's roles and asset groups, and what the
//! policy lists for the tenant.

use std::sync::Arc;

use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_core::access::{BUILT_IN_DOMAINS, Grant, Product};
use cortexkey_lint::Policy;
use cortexkey_manifest::access::{ResolvedRole, RoleOrigin};
use cortexkey_manifest::policy::CatalogTenant;

use super::values::KeyForm;
use crate::app::App;
use crate::snapshot::{GroupList, Snapshot};

/// The options that a form offers.
pub(in crate::pages) struct Choices {
    pub(super) roles: Vec<RoleChoice>,
    /// Whether keys of the product have scopes.
    pub(super) has_scopes: bool,
    /// Why the tenant's roles could not be read.
    pub(super) roles_fault: Option<String>,
    /// Asset groups that scopes can use.
    pub(in crate::pages) groups: Arc<GroupList>,
    pub(super) domains: Vec<String>,
    pub(super) endpoint_groups: Vec<String>,
    pub(super) endpoint_tags: Vec<String>,
}

/// A role, with the facts about it.
pub(super) struct RoleChoice {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) privileged: bool,
    pub(super) holds_all: bool,
    pub(super) is_known: bool,
    /// Components and their levels.
    pub(super) components: Vec<(String, String)>,
}

impl Choices {
    pub(in crate::pages) fn new(app: &App, snapshot: &Snapshot, form: &KeyForm) -> Self {
        let policy = snapshot.definitions.policy();
        let tenant = tenant(app, snapshot);
        let product = product(app, snapshot);
        let known = |of_policy: Vec<String>, chosen: &[String]| {
            let mut names = of_policy;
            for name in chosen {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        };
        let mut domains: Vec<String> = BUILT_IN_DOMAINS.map(str::to_owned).into();
        let texts = |list: &[cortexkey_manifest::Spanned<String>]| -> Vec<String> {
            list.iter().map(|text| text.value.clone()).collect()
        };
        domains.extend(tenant.map(|tenant| texts(&tenant.domains)).unwrap_or_default());
        domains.dedup();
        Self {
            roles: roles(snapshot, policy, product, form),
            has_scopes: has_scopes(app, snapshot),
            roles_fault: snapshot.roles_fault.clone(),
            groups: app.asset_groups.read(&app.options),
            domains: known(domains, &form.domains),
            endpoint_groups: known(
                tenant.map(|tenant| texts(&tenant.endpoint_groups)).unwrap_or_default(),
                &form.endpoint_groups,
            ),
            endpoint_tags: known(
                tenant.map(|tenant| texts(&tenant.endpoint_tags)).unwrap_or_default(),
                &form.endpoint_tags,
            ),
        }
    }
}

impl Choices {
    /// The asset groups; none if they could not be read.
    pub(super) fn groups(&self) -> &[AssetGroupRecord] {
        self.groups.as_ref().as_deref().unwrap_or_default()
    }

    /// Selected groups that the tenant does not list; all of them if its list could not be read.
    pub(super) fn unlisted_groups(&self, form: &KeyForm) -> impl Iterator<Item = u64> {
        form.groups.iter().copied().filter(|id| self.groups().iter().all(|group| group.id != *id))
    }
}

/// Whether keys of the product have the scopes that this form edits; true if the product is
/// unknown.
pub(in crate::pages) fn has_scopes(app: &App, snapshot: &Snapshot) -> bool {
    match app.options.emulator() {
        Some(controls) => controls.settings().has_scopes,
        None => product(app, snapshot).is_none_or(Product::has_scopes),
    }
}

fn product(app: &App, snapshot: &Snapshot) -> Option<Product> {
    tenant(app, snapshot)?.product.get().copied()
}

/// The policy's facts about the tenant.
fn tenant<'s>(app: &App, snapshot: &'s Snapshot) -> Option<&'s CatalogTenant> {
    let policy = snapshot.definitions.policy()?;
    policy.tenant(app.options.tenant.as_deref().or(policy.only_tenant())?)
}

/// The tenant's roles; if it does not list them, those of its keys and of the policy.
fn roles(
    snapshot: &Snapshot,
    policy: Option<&Policy>,
    product: Option<Product>,
    form: &KeyForm,
) -> Vec<RoleChoice> {
    let catalog: Vec<_> = policy.map(|policy| policy.roles().collect()).unwrap_or_default();
    let listed = snapshot.roles.iter();
    let mut names: Vec<(String, Option<String>)> =
        listed.map(|role| (role.pretty_name.to_string(), role.description.clone())).collect();
    if names.is_empty() {
        let of_keys = snapshot.rows.iter().flat_map(|row| row.key.roles.iter().cloned());
        let of_policy = catalog.iter().map(|role| role.name.value.clone());
        names.extend(of_keys.chain(of_policy).map(|name| (name, None)));
    }
    names.extend(form.roles.iter().map(|name| (name.clone(), None)));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|(name, _)| seen.insert(name.clone()));
    names.sort();
    let choice = |(name, description): (String, Option<String>)| {
        let listed = catalog.iter().copied().find(|role| role.name.value == name);
        let ResolvedRole { role, facts } = ResolvedRole::resolve(&name, listed, product);
        let component = |grant: &Grant<String>| (grant.component.clone(), grant.level.to_string());
        RoleChoice {
            description,
            privileged: facts.privileged,
            holds_all: role.holds_all,
            is_known: facts.origin != RoleOrigin::Unknown,
            components: role.grants.iter().map(component).collect(),
            name,
        }
    };
    names.into_iter().map(choice).collect()
}

//! [`ResolvedRole`]: a role by name, with the facts from the catalog and the product's documents;
//! and [`closure`], the roles that roles imply.

use core::hash::BuildHasher;
use std::collections::{HashMap, HashSet};

use cortexkey_core::access::{Actions, Component, Grant, PredefinedRole, Product, Role};

use crate::policy;

/// A role with the facts about it.
#[derive(Clone, Debug)]
pub struct ResolvedRole {
    /// The granted permissions.
    pub role: Role<String>,
    /// The other facts.
    pub facts: RoleFacts,
}

/// The facts about a role besides its permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFacts {
    /// The source that describes it.
    pub origin: RoleOrigin,
    /// The role that implies it, if the definition does not name it itself.
    pub implied_by: Option<String>,
    /// Whether it should be assigned with care.
    pub privileged: bool,
    /// Whether it is meant for machines.
    pub machine: bool,
}

/// The source that describes a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleOrigin {
    /// The policy's catalog.
    Catalog,
    /// The product's documents.
    Predefined,
    /// No source: nothing is known.
    Unknown,
}

impl ResolvedRole {
    /// Looks up a role: the catalog's entry, completed by the public facts about a predefined
    /// role of the product.
    #[must_use]
    pub fn resolve(
        name: &str,
        listed: Option<&policy::CatalogRole>,
        product: Option<Product>,
    ) -> Self {
        let predefined = PredefinedRole::by_name(name).filter(|role| may_have(product, role));
        let public = predefined.map_or(Role::unknown(name), |role| role.role_in(product));
        let facts = RoleFacts {
            origin: match (listed, predefined) {
                (Some(_), _) => RoleOrigin::Catalog,
                (None, Some(_)) => RoleOrigin::Predefined,
                (None, None) => RoleOrigin::Unknown,
            },
            implied_by: None,
            privileged: predefined.is_some_and(|role| role.privileged)
                || listed.is_some_and(|role| role.privileged.get() == Some(&true)),
            machine: predefined.is_some_and(|role| role.machine),
        };
        let mut role = public.to_owned();
        let public = std::mem::take(&mut role.grants);
        if let Some(listed) = listed {
            role.grants = grants(listed);
            // A role without `actions` also has an empty list.
            if !listed.actions.is_empty() {
                let held = listed.actions.iter().map(|action| action.value.clone()).collect();
                role.actions = Actions { held, lacked: Vec::new(), is_complete: true };
            }
        }
        for grant in public {
            add_missing(&mut role.grants, grant);
        }
        Self { role, facts }
    }

    /// The named roles and all that they imply, each once.
    #[must_use]
    pub fn all<'a>(
        names: impl IntoIterator<Item = &'a str>,
        catalog: &[&'a policy::CatalogRole],
        product: Option<Product>,
    ) -> Vec<Self> {
        let mut by_name: HashMap<&str, &policy::CatalogRole> =
            HashMap::with_capacity(catalog.len());
        for role in catalog {
            by_name.entry(&role.name.value).or_insert(role);
        }
        let find = |name: &str| by_name.get(name).copied();
        let held = closure(names, find).into_iter();
        held.map(|(name, by)| Self::resolve(name, find(name), product).implied_by(by)).collect()
    }

    /// Its display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.role.name
    }

    /// A role that another one implies.
    #[must_use]
    pub fn implied_by(mut self, by: Option<&str>) -> Self {
        self.facts.implied_by = by.map(str::to_owned);
        self
    }
}

/// The named roles and all that the catalog's roles imply, directly or indirectly: each once,
/// with the role that implies it.
pub fn closure<'a>(
    names: impl IntoIterator<Item = &'a str>,
    find: impl Fn(&str) -> Option<&'a policy::CatalogRole>,
) -> Vec<(&'a str, Option<&'a str>)> {
    closure_beyond(names, find, &mut HashSet::new())
}

/// Like [`closure`], except that roles in `seen` are neither followed nor returned.
pub fn closure_beyond<'a, S: BuildHasher>(
    names: impl IntoIterator<Item = &'a str>,
    find: impl Fn(&str) -> Option<&'a policy::CatalogRole>,
    seen: &mut HashSet<&'a str, S>,
) -> Vec<(&'a str, Option<&'a str>)> {
    let names = names.into_iter().filter(|name| seen.insert(*name));
    let mut held: Vec<_> = names.map(|name| (name, None)).collect();
    let mut at = 0;
    while let Some((by, _)) = held.get(at).copied() {
        let implied = find(by).map_or(&[][..], |role| &role.implies);
        let new = implied.iter().filter(|name| seen.insert(name.value.as_str()));
        held.extend(new.map(|name| (name.value.as_str(), Some(by))));
        at += 1;
    }
    held
}

/// The facts that a catalog lists about a role.
fn grants(listed: &policy::CatalogRole) -> Vec<Grant<String>> {
    let mut grants = Vec::new();
    for (name, level) in &listed.components {
        let renamed = Component::renamed(&name.value);
        let itself = renamed.is_empty().then_some(name.value.as_str());
        for component in renamed.iter().copied().chain(itself) {
            add_missing(&mut grants, Grant::listed(component.to_owned(), *level));
        }
    }
    grants
}

fn add_missing(grants: &mut Vec<Grant<String>>, grant: Grant<String>) {
    if !grants.iter().any(|known| known.component == grant.component) {
        grants.push(grant);
    }
}

/// If the product is unknown, or its roles are not published in full, all roles count.
fn may_have(product: Option<Product>, role: &PredefinedRole) -> bool {
    product
        .filter(|product| product.publishes_roles())
        .is_none_or(|product| role.products.contains(&product))
}

//! Merges the facts of all layers: tenants, roles, teams and domains.
//!
//! A layer is bound by every other layer that does not extend it, whatever the order of `extends`:
//! it can add names, but not change what another layer says about one. Facts that allow more keys
//! (a team, a domain, an entry of an inventory) need the permission of the layer that lists the
//! others, in its `catalog.open`. Facts without effect are kept, so that they can be reported.

use std::collections::HashSet;

use cortexkey_core::access::PREDEFINED_ROLES;

use super::{
    AssetGroupEntry, CatalogRole, CatalogTenant, Open, PolicyLayer, SettingSource, is_builtin,
};
use crate::{Field, Span, Spanned, quote};

/// A fact without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFact {
    /// Its position.
    pub at: SettingSource,
    /// What it is about, for messages.
    pub what: String,
    /// The position in the other layer.
    pub by: SettingSource,
    /// The list that the other layer would have to open, if it can.
    pub open: Option<Open>,
}

/// The facts in force.
#[derive(Debug, Default)]
pub struct Facts {
    /// The nearest layer's first, each with the index of the layer that lists it.
    tenants: Vec<(usize, (Spanned<String>, CatalogTenant))>,
    /// Layer and index in its catalog; the nearest layer's first.
    roles: Vec<(usize, usize)>,
    teams: Vec<String>,
    email_domains: Vec<String>,
    /// The tenant of keys that do not name one.
    only_tenant: Option<String>,
    /// Facts without effect.
    pub refused: Vec<RefusedFact>,
}

impl Facts {
    /// Merges the facts of all layers.
    #[must_use]
    pub fn new(layers: &[PolicyLayer]) -> Self {
        let mut facts = Self::default();
        let stack = Stack { layers };
        facts.add_tenants(&stack);
        facts.add_roles(&stack);
        let teams = |layer: &PolicyLayer| layer.file.catalog.teams.clone();
        facts.teams = facts.merge_owners(&stack, "team", Open::Teams, &teams);
        let domains = |layer: &PolicyLayer| layer.file.catalog.email_domains.clone();
        facts.email_domains = facts.merge_owners(&stack, "domain", Open::EmailDomains, &domains);
        facts.refused.sort_by_key(|refused| refused.at);
        facts
    }

    /// All tenants, the nearest layer's first.
    pub fn tenants(&self) -> impl Iterator<Item = (usize, &(Spanned<String>, CatalogTenant))> {
        self.tenants.iter().map(|(layer, tenant)| (*layer, tenant))
    }

    /// Layer and index of each role, the nearest layer's first.
    #[must_use]
    pub fn roles(&self) -> &[(usize, usize)] {
        &self.roles
    }

    /// Teams that may own keys.
    #[must_use]
    pub fn teams(&self) -> &[String] {
        &self.teams
    }

    /// Domains whose addresses may own keys.
    #[must_use]
    pub fn email_domains(&self) -> &[String] {
        &self.email_domains
    }

    /// The tenant of keys that do not name one. A child policy that adds a tenant does not change
    /// it.
    #[must_use]
    pub fn only_tenant(&self) -> Option<&str> {
        self.only_tenant.as_deref()
    }

    fn add_tenants(&mut self, stack: &Stack<'_>) {
        let mut counted: Vec<(usize, (Spanned<String>, CatalogTenant))> = Vec::new();
        for (at, layer) in stack.own() {
            for (name, tenant) in &layer.file.tenants {
                let known = counted.iter().position(|(_, (known, _))| known.value == name.value);
                if let Some(known) = known {
                    let (by, (place, standing)) = &mut counted[known];
                    let by = SettingSource { layer: *by, span: place.span };
                    let open = |open| layers_open(stack, by.layer, open);
                    let mut change = Change { at, name, by, refused: &mut self.refused };
                    change.settings(standing, tenant);
                    change.inventories(standing, tenant, &open);
                    continue;
                }
                if let Some(by) = stack.beside(at, |layer| !layer.file.tenants.is_empty())
                    && !layers_open(stack, by, Open::Tenants)
                {
                    let place = stack.layers[by].file.tenants.first().map(|(name, _)| name.span);
                    self.refused.push(RefusedFact {
                        at: SettingSource { layer: at, span: name.span },
                        what: format!("tenant {}", quote(&name.value)),
                        by: SettingSource { layer: by, span: place.unwrap_or_default() },
                        open: Some(Open::Tenants),
                    });
                    continue;
                }
                let mut tenant = tenant.clone();
                for group in &mut tenant.asset_groups {
                    group.layer = at;
                }
                counted.push((at, (name.clone(), tenant)));
            }
        }
        // Only the topmost layers with tenants decide the tenant of keys that do not name one.
        let first = |(at, _): &&(usize, _)| {
            let above = &stack.layers[*at].ancestors;
            above.iter().all(|at| stack.layers[*at].file.tenants.is_empty())
        };
        let mut tops = counted.iter().filter(first);
        if let (Some((_, (name, _))), None) = (tops.next(), tops.next()) {
            self.only_tenant = Some(name.value.clone());
        }
        counted.sort_by_key(|(layer, _)| core::cmp::Reverse(*layer));
        self.tenants = counted;
    }

    fn add_roles(&mut self, stack: &Stack<'_>) {
        let mut counted: Vec<(usize, usize)> = Vec::new();
        for (at, layer) in stack.own() {
            for (index, role) in layer.file.catalog.roles.iter().enumerate() {
                let other = stack.bound(at).find_map(|by| {
                    let other = stack.layers[by].file.catalog.roles.iter().find(|o| same(o, role));
                    Some((by, other?))
                });
                match other {
                    Some((_, other)) if role_facts(other) == role_facts(role) => {}
                    Some((by, other)) => {
                        self.refuse_role(at, role, by, other.name.span, None);
                        // If neither extends the other, both are reported, and one is in force.
                        if by < at {
                            continue;
                        }
                    }
                    None => {
                        let closed =
                            stack.bound(at).find(|by| !layers_open(stack, *by, Open::Roles));
                        if let Some(by) = closed.filter(|_| is_predefined(role) && has_facts(role))
                        {
                            let place = stack.layers[by].file.place;
                            self.refuse_role(at, role, by, place, Some(Open::Roles));
                            continue;
                        }
                    }
                }
                counted.push((at, index));
            }
        }
        counted.sort_by_key(|(layer, index)| (core::cmp::Reverse(*layer), *index));
        let mut seen = HashSet::new();
        counted.retain(|(layer, index)| {
            seen.insert(stack.layers[*layer].file.catalog.roles[*index].name.value.as_str())
        });
        self.roles = counted;
    }

    fn refuse_role(
        &mut self,
        at: usize,
        role: &CatalogRole,
        by: usize,
        span: Span,
        open: Option<Open>,
    ) {
        self.refused.push(RefusedFact {
            at: SettingSource { layer: at, span: role.name.span },
            what: format!("role {}", quote(&role.name.value)),
            by: SettingSource { layer: by, span },
            open,
        });
    }

    /// Teams or domains. Without a list, everybody may own keys, so the first list restricts.
    fn merge_owners(
        &mut self,
        stack: &Stack<'_>,
        what: &str,
        open: Open,
        list: &dyn Fn(&PolicyLayer) -> Vec<Spanned<String>>,
    ) -> Vec<String> {
        let lists_owners = |layer: &PolicyLayer| {
            let catalog = &layer.file.catalog;
            !catalog.teams.is_empty() || !catalog.email_domains.is_empty()
        };
        let mut counted: Vec<String> = Vec::new();
        for (at, layer) in stack.own() {
            for name in list(layer) {
                let is_top = |by: &usize| {
                    let above = &stack.layers[*by].ancestors;
                    !above.iter().any(|above| lists_owners(&stack.layers[*above]))
                };
                let closed = stack.bound(at).filter(is_top).find(|by| {
                    let other = &stack.layers[*by];
                    let known = list(other).iter().any(|known| known.value == name.value);
                    lists_owners(other) && !known && !layers_open(stack, *by, open)
                });
                if counted.contains(&name.value) {
                    continue;
                }
                let Some(by) = closed else {
                    counted.push(name.value);
                    continue;
                };
                let catalog = &stack.layers[by].file.catalog;
                let first = catalog.teams.first().or_else(|| catalog.email_domains.first());
                self.refused.push(RefusedFact {
                    at: SettingSource { layer: at, span: name.span },
                    what: format!("{what} {}", quote(&name.value)),
                    by: SettingSource {
                        layer: by,
                        span: first.map(|f| f.span).unwrap_or_default(),
                    },
                    open: Some(open),
                });
            }
        }
        counted
    }
}

/// The layers, and how they relate to each other.
struct Stack<'a> {
    layers: &'a [PolicyLayer],
}

impl<'a> Stack<'a> {
    /// The layers that are files of the organisation, ancestors first.
    fn own(&self) -> impl Iterator<Item = (usize, &'a PolicyLayer)> + use<'a> {
        self.layers.iter().enumerate().filter(|(_, layer)| !is_builtin(&layer.path))
    }

    /// The layers whose facts a layer cannot change: all except those that extend it.
    fn bound(&self, at: usize) -> impl Iterator<Item = usize> + use<'a> {
        self.own()
            .filter(move |(by, layer)| *by != at && !layer.ancestors.contains(&at))
            .map(|(by, _)| by)
    }

    /// A layer that neither extends this one nor is extended by it, and for which `is` holds.
    fn beside(&self, at: usize, is: impl Fn(&PolicyLayer) -> bool) -> Option<usize> {
        let ancestors = &self.layers[at].ancestors;
        self.bound(at).find(|by| !ancestors.contains(by) && is(&self.layers[*by]))
    }
}

fn layers_open(stack: &Stack<'_>, by: usize, open: Open) -> bool {
    stack.layers[by].file.catalog.open.contains(&open)
}

/// A layer's facts about a tenant that another layer lists.
struct Change<'a> {
    at: usize,
    name: &'a Spanned<String>,
    by: SettingSource,
    refused: &'a mut Vec<RefusedFact>,
}

impl Change<'_> {
    fn refuse(&mut self, span: Span, what: &str, open: Option<Open>) {
        self.refused.push(RefusedFact {
            at: SettingSource { layer: self.at, span },
            what: format!("{what} of tenant {}", quote(&self.name.value)),
            by: self.by,
            open,
        });
    }

    fn settings(&mut self, standing: &CatalogTenant, own: &CatalogTenant) {
        self.one("`product`", &standing.product, &own.product);
        self.one("`sbac`", &standing.sbac, &own.sbac);
        self.one("`tags`", &standing.tags, &own.tags);
        self.one("`datasets`", &standing.datasets, &own.datasets);
    }

    fn one<T: PartialEq>(&mut self, what: &str, standing: &Field<T>, own: &Field<T>) {
        if let Some(own) = own.spanned()
            && standing.get() != Some(&own.value)
        {
            self.refuse(own.span, what, None);
        }
    }

    fn inventories(
        &mut self,
        to: &mut CatalogTenant,
        own: &CatalogTenant,
        open: &dyn Fn(Open) -> bool,
    ) {
        self.groups(&mut to.asset_groups, &own.asset_groups, open(Open::AssetGroups));
        for (kind, to, own) in [
            (Open::EndpointGroups, &mut to.endpoint_groups, &own.endpoint_groups),
            (Open::EndpointTags, &mut to.endpoint_tags, &own.endpoint_tags),
            (Open::Domains, &mut to.domains, &own.domains),
        ] {
            // An empty inventory is unknown, so its first entries restrict.
            let may = to.is_empty() || open(kind);
            for entry in own {
                if to.iter().any(|known| known.value == entry.value) {
                    continue;
                }
                if may {
                    to.push(entry.clone());
                } else {
                    let what = format!("{} in `{}`", quote(&entry.value), kind.as_str());
                    self.refuse(entry.span, &what, Some(kind));
                }
            }
        }
    }

    fn groups(&mut self, to: &mut Vec<AssetGroupEntry>, own: &[AssetGroupEntry], open: bool) {
        let may = to.is_empty() || open;
        for group in own {
            let Some(name) = group.name.spanned() else { continue };
            let what = || format!("{} in `assetGroups`", quote(&name.value));
            let known = to.iter().find(|known| known.name.get() == Some(&name.value));
            let differs = |known: &AssetGroupEntry| {
                let said = |field: Option<bool>| field.unwrap_or(false);
                said(group.id.get().map(|id| known.id.get() != Some(id)))
                    || said(group.scopable.get().map(|s| known.scopable.get() != Some(s)))
            };
            match known {
                Some(known) if differs(known) => self.refuse(name.span, &what(), None),
                Some(_) => {}
                None if may => to.push(AssetGroupEntry { layer: self.at, ..group.clone() }),
                None => self.refuse(name.span, &what(), Some(Open::AssetGroups)),
            }
        }
    }
}

/// True for two entries of one role, by its name in any spelling or by its id.
fn same(one: &CatalogRole, other: &CatalogRole) -> bool {
    let ids = |role: &CatalogRole| role.id.get().cloned();
    let meets = |id: Option<String>, role: &CatalogRole| {
        id.is_some_and(|id| id == role.name.value || role.id.get() == Some(&id))
    };
    fold(&one.name.value) == fold(&other.name.value)
        || meets(ids(one), other)
        || meets(ids(other), one)
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn is_predefined(role: &CatalogRole) -> bool {
    let folded = fold(&role.name.value);
    PREDEFINED_ROLES.iter().any(|predefined| fold(predefined.name) == folded)
}

/// True for an entry with more than a name.
fn has_facts(role: &CatalogRole) -> bool {
    role_facts(role) != RoleFacts { name: &role.name.value, ..RoleFacts::default() }
}

/// All facts of an entry, without their positions.
#[derive(Debug, Default, PartialEq, Eq)]
struct RoleFacts<'a> {
    name: &'a str,
    id: Option<&'a str>,
    components: Vec<(&'a str, &'static str)>,
    actions: Vec<&'a str>,
    implies: Vec<&'a str>,
    privileged: Option<bool>,
    is_deprecated: bool,
    replacement: Option<&'a str>,
}

fn role_facts(role: &CatalogRole) -> RoleFacts<'_> {
    let mut components: Vec<_> =
        role.components.iter().map(|(name, level)| (name.value.as_str(), level.as_str())).collect();
    components.sort_unstable();
    RoleFacts {
        name: &role.name.value,
        id: role.id.get().map(String::as_str),
        components,
        actions: sorted(&role.actions),
        implies: sorted(&role.implies),
        privileged: role.privileged.get().copied(),
        is_deprecated: role.deprecated.get().is_some(),
        replacement: role
            .deprecated
            .get()
            .and_then(|old| old.replacement.get().map(String::as_str)),
    }
}

fn sorted(list: &[Spanned<String>]) -> Vec<&str> {
    let mut texts: Vec<&str> = list.iter().map(|text| text.value.as_str()).collect();
    texts.sort_unstable();
    texts
}

//! What all layers know together: tenants, roles, teams and domains.
//!
//! A layer is bound by every other one that does not stand on it, whatever the order of `extends`:
//! it adds names, and never changes what another says of one. Facts that only widen what keys may
//! be (a team, a domain, an entry of an inventory) need the leave of the layer that lists the
//! others, in its `catalog.open`. What does not count is kept, so that it can be reported.

use std::collections::HashSet;

use cortexkey_core::access::PREDEFINED_ROLES;

use super::{AssetGroupEntry, Layer, Open, Role, Source, Tenant};
use crate::{Field, Span, Spanned, quote};

/// A fact that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFact {
    /// Where it stands.
    pub at: Source,
    /// What it is about, in words.
    pub what: String,
    /// Where another layer says it.
    pub by: Source,
    /// What that layer would have to open.
    pub open: Option<Open>,
}

/// The facts that count.
#[derive(Debug, Default)]
pub struct Facts {
    /// The nearest layer's first, each with the index of the layer that lists it.
    tenants: Vec<(usize, (Spanned<String>, Tenant))>,
    /// Layer, and place in its catalogue; the nearest layer's first.
    roles: Vec<(usize, usize)>,
    teams: Vec<String>,
    email_domains: Vec<String>,
    /// The tenant of keys that name none.
    only_tenant: Option<String>,
    /// What does not count.
    pub refused: Vec<RefusedFact>,
}

impl Facts {
    /// Lays the facts of all layers over one another.
    #[must_use]
    pub fn new(layers: &[Layer]) -> Self {
        let mut facts = Self::default();
        let laid = Laid { layers };
        facts.lay_tenants(&laid);
        facts.lay_roles(&laid);
        let teams = |layer: &Layer| layer.file.catalog.teams.clone();
        facts.teams = facts.lay_owners(&laid, "team", Open::Teams, &teams);
        let domains = |layer: &Layer| layer.file.catalog.email_domains.clone();
        facts.email_domains = facts.lay_owners(&laid, "domain", Open::EmailDomains, &domains);
        facts.refused.sort_by_key(|refused| refused.at);
        facts
    }

    /// All tenants, the nearest layer's first.
    pub fn tenants(&self) -> impl Iterator<Item = (usize, &(Spanned<String>, Tenant))> {
        self.tenants.iter().map(|(layer, tenant)| (*layer, tenant))
    }

    /// Layer and place of each role, the nearest layer's first.
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

    /// The tenant of keys that name none. A child that adds a tenant does not take it away.
    #[must_use]
    pub fn only_tenant(&self) -> Option<&str> {
        self.only_tenant.as_deref()
    }

    fn lay_tenants(&mut self, laid: &Laid<'_>) {
        let mut counted: Vec<(usize, (Spanned<String>, Tenant))> = Vec::new();
        for (at, layer) in laid.own() {
            for (name, tenant) in &layer.file.tenants {
                let known = counted.iter().position(|(_, (known, _))| known.value == name.value);
                if let Some(known) = known {
                    let (by, (place, standing)) = &mut counted[known];
                    let by = Source { layer: *by, span: place.span };
                    let open = |open| layers_open(laid, by.layer, open);
                    let mut change = Change { at, name, by, refused: &mut self.refused };
                    change.settings(standing, tenant);
                    change.inventories(standing, tenant, &open);
                    continue;
                }
                if let Some(by) = laid.beside(at, |layer| !layer.file.tenants.is_empty())
                    && !layers_open(laid, by, Open::Tenants)
                {
                    let place = laid.layers[by].file.tenants.first().map(|(name, _)| name.span);
                    self.refused.push(RefusedFact {
                        at: Source { layer: at, span: name.span },
                        what: format!("tenant {}", quote(&name.value)),
                        by: Source { layer: by, span: place.unwrap_or_default() },
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
        // Only those that say it first decide what a key without a tenant belongs to.
        let first = |(at, _): &&(usize, _)| {
            let above = &laid.layers[*at].ancestors;
            above.iter().all(|at| laid.layers[*at].file.tenants.is_empty())
        };
        let mut tops = counted.iter().filter(first);
        if let (Some((_, (name, _))), None) = (tops.next(), tops.next()) {
            self.only_tenant = Some(name.value.clone());
        }
        counted.sort_by_key(|(layer, _)| core::cmp::Reverse(*layer));
        self.tenants = counted;
    }

    fn lay_roles(&mut self, laid: &Laid<'_>) {
        let mut counted: Vec<(usize, usize)> = Vec::new();
        for (at, layer) in laid.own() {
            for (index, role) in layer.file.catalog.roles.iter().enumerate() {
                let other = laid.bound(at).find_map(|by| {
                    let other = laid.layers[by].file.catalog.roles.iter().find(|o| same(o, role));
                    Some((by, other?))
                });
                match other {
                    Some((_, other)) if said(other) == said(role) => {}
                    Some((by, other)) => {
                        self.refuse_role(at, role, by, other.name.span, None);
                        // Of two that do not stand on each other both are reported, and one counts.
                        if by < at {
                            continue;
                        }
                    }
                    None => {
                        let closed = laid.bound(at).find(|by| !layers_open(laid, *by, Open::Roles));
                        if let Some(by) = closed.filter(|_| is_predefined(role) && says_much(role))
                        {
                            let place = laid.layers[by].file.place;
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
            seen.insert(laid.layers[*layer].file.catalog.roles[*index].name.value.as_str())
        });
        self.roles = counted;
    }

    fn refuse_role(&mut self, at: usize, role: &Role, by: usize, span: Span, open: Option<Open>) {
        self.refused.push(RefusedFact {
            at: Source { layer: at, span: role.name.span },
            what: format!("role {}", quote(&role.name.value)),
            by: Source { layer: by, span },
            open,
        });
    }

    /// Teams or domains. Where nobody is listed everybody may own keys, so the first list narrows.
    fn lay_owners(
        &mut self,
        laid: &Laid<'_>,
        what: &str,
        open: Open,
        list: &dyn Fn(&Layer) -> Vec<Spanned<String>>,
    ) -> Vec<String> {
        let lists_owners = |layer: &Layer| {
            let catalog = &layer.file.catalog;
            !catalog.teams.is_empty() || !catalog.email_domains.is_empty()
        };
        let mut counted: Vec<String> = Vec::new();
        for (at, layer) in laid.own() {
            for name in list(layer) {
                let is_top = |by: &usize| {
                    let above = &laid.layers[*by].ancestors;
                    !above.iter().any(|above| lists_owners(&laid.layers[*above]))
                };
                let closed = laid.bound(at).filter(is_top).find(|by| {
                    let other = &laid.layers[*by];
                    let known = list(other).iter().any(|known| known.value == name.value);
                    lists_owners(other) && !known && !layers_open(laid, *by, open)
                });
                if counted.contains(&name.value) {
                    continue;
                }
                let Some(by) = closed else {
                    counted.push(name.value);
                    continue;
                };
                let catalog = &laid.layers[by].file.catalog;
                let first = catalog.teams.first().or_else(|| catalog.email_domains.first());
                self.refused.push(RefusedFact {
                    at: Source { layer: at, span: name.span },
                    what: format!("{what} {}", quote(&name.value)),
                    by: Source { layer: by, span: first.map(|f| f.span).unwrap_or_default() },
                    open: Some(open),
                });
            }
        }
        counted
    }
}

/// The layers, and how they stand to each other.
struct Laid<'a> {
    layers: &'a [Layer],
}

impl<'a> Laid<'a> {
    /// The layers that are files of the organisation, ancestors first.
    fn own(&self) -> impl Iterator<Item = (usize, &'a Layer)> + use<'a> {
        self.layers.iter().enumerate().filter(|(_, layer)| !layer.path.starts_with("builtin:"))
    }

    /// The layers whose facts a layer does not change: all but those that stand on it.
    fn bound(&self, at: usize) -> impl Iterator<Item = usize> + use<'a> {
        self.own()
            .filter(move |(by, layer)| *by != at && !layer.ancestors.contains(&at))
            .map(|(by, _)| by)
    }

    /// A layer that neither stands on this one nor carries it, and is so.
    fn beside(&self, at: usize, is: impl Fn(&Layer) -> bool) -> Option<usize> {
        let ancestors = &self.layers[at].ancestors;
        self.bound(at).find(|by| !ancestors.contains(by) && is(&self.layers[*by]))
    }
}

fn layers_open(laid: &Laid<'_>, by: usize, open: Open) -> bool {
    laid.layers[by].file.catalog.open.contains(&open)
}

/// What a layer says of a tenant that another one lists.
struct Change<'a> {
    at: usize,
    name: &'a Spanned<String>,
    by: Source,
    refused: &'a mut Vec<RefusedFact>,
}

impl Change<'_> {
    fn refuse(&mut self, span: Span, what: &str, open: Option<Open>) {
        self.refused.push(RefusedFact {
            at: Source { layer: self.at, span },
            what: format!("{what} of tenant {}", quote(&self.name.value)),
            by: self.by,
            open,
        });
    }

    fn settings(&mut self, standing: &Tenant, own: &Tenant) {
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

    fn inventories(&mut self, to: &mut Tenant, own: &Tenant, open: &dyn Fn(Open) -> bool) {
        self.groups(&mut to.asset_groups, &own.asset_groups, open(Open::AssetGroups));
        for (kind, to, own) in [
            (Open::EndpointGroups, &mut to.endpoint_groups, &own.endpoint_groups),
            (Open::EndpointTags, &mut to.endpoint_tags, &own.endpoint_tags),
            (Open::Domains, &mut to.domains, &own.domains),
        ] {
            // An empty inventory is one that is not known; the first entries narrow it.
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

/// True for two entries that mean one role: by its name, however it is written, or by its id.
fn same(one: &Role, other: &Role) -> bool {
    let ids = |role: &Role| role.id.get().cloned();
    let meets = |id: Option<String>, role: &Role| {
        id.is_some_and(|id| id == role.name.value || role.id.get() == Some(&id))
    };
    fold(&one.name.value) == fold(&other.name.value)
        || meets(ids(one), other)
        || meets(ids(other), one)
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn is_predefined(role: &Role) -> bool {
    let folded = fold(&role.name.value);
    PREDEFINED_ROLES.iter().any(|predefined| fold(predefined.name) == folded)
}

/// True for an entry that holds more than a name.
fn says_much(role: &Role) -> bool {
    said(role) != Said { name: &role.name.value, ..Said::default() }
}

/// All that an entry says, without its places.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said<'a> {
    name: &'a str,
    id: Option<&'a str>,
    components: Vec<(&'a str, &'static str)>,
    actions: Vec<&'a str>,
    implies: Vec<&'a str>,
    privileged: Option<bool>,
    is_deprecated: bool,
    replacement: Option<&'a str>,
}

fn said(role: &Role) -> Said<'_> {
    let mut components: Vec<_> =
        role.components.iter().map(|(name, level)| (name.value.as_str(), level.as_str())).collect();
    components.sort_unstable();
    Said {
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

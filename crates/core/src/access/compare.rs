//! [`compare`]: which access a set of keys gains from one version of its definitions to the next.
//!
//! It refuses to weigh gains, to report losses, and to take the unknown for harmless: a role whose
//! content nobody listed is a gain wherever it is added. It asks nothing of the tenant, so what it
//! reports may be without effect where scopes are off.

use alloc::vec::Vec;
use core::fmt;

use super::component::{COMPONENTS, Permission};
use super::known::{Certainty, Grant, KnownLevel};
use super::role::{Rights, Role};
use super::scope::{Area, Axis, DatasetScope, EndpointScope, Scope};
use crate::auth::Level;
use crate::lifecycle::Expiry;

/// A key as it is defined.
#[derive(Clone, Copy, Debug)]
pub struct KeyDefinition<'a> {
    /// The name that tells it from the other keys.
    pub name: &'a str,
    /// Its security level.
    pub level: Level,
    /// Until when it lives.
    pub expiry: Expiry,
    /// How long it lives from when it is generated, in milliseconds, where the definition says
    /// that and no expiry; `expiry` is then `Never` and counts for nothing.
    pub lifetime_ms: Option<u64>,
    /// Its roles. A role of the same name before and after is the same role.
    pub roles: &'a [Role<'a>],
    /// Its scope.
    pub scope: Option<Scope<'a>>,
}

/// One thing that a key gained. Its `Display` is one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gain<'a> {
    /// The key's name.
    pub key: &'a str,
    /// What it gained.
    pub widening: Widening<'a>,
}

impl Gain<'_> {
    /// The stable name of the kind of gain, such as `role-added`.
    pub const fn code(&self) -> &'static str {
        self.widening.code()
    }
}

/// What a key can gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "gain", rename_all = "kebab-case", rename_all_fields = "camelCase")
)]
pub enum Widening<'a> {
    /// The key itself.
    NewKey,
    /// A role that may hold more than the roles before: one that holds all, or of which not all
    /// is listed.
    RoleAdded {
        /// The role.
        role: &'a str,
    },
    /// A higher level of a component.
    ComponentRaised {
        /// The component.
        component: &'a str,
        /// The level before, where it is known.
        from: Option<Permission>,
        /// The level after.
        to: Permission,
    },
    /// A named action.
    ActionGained {
        /// The action.
        action: &'a str,
    },
    /// The scope is gone. What a key without one sees is not documented.
    ScopeDropped,
    /// A scope that lets something in, where there was none: a key without one is taken to see
    /// nothing.
    ScopeGiven,
    /// An area of the scope, or one axis of the endpoints, lets all in.
    AreaWidened {
        /// The area.
        area: &'static str,
    },
    /// A selected asset group.
    AssetGroupAdded {
        /// The group.
        name: &'a str,
    },
    /// A selected domain.
    DomainAdded {
        /// The domain.
        name: &'a str,
    },
    /// A selected endpoint group.
    EndpointGroupAdded {
        /// The group.
        name: &'a str,
    },
    /// A selected endpoint tag.
    EndpointTagAdded {
        /// The tag.
        name: &'a str,
    },
    /// Cases and issues that reference nothing known.
    UnreferencedAllowed,
    /// Rows of all datasets without a filter.
    DatasetsOpened,
    /// The rows of a dataset that fit its filter, where there were none.
    DatasetOpened {
        /// The dataset.
        dataset: &'a str,
    },
    /// A filter less on a dataset.
    DatasetFilterDropped {
        /// The dataset.
        dataset: &'a str,
    },
    /// Another filter on a dataset; which of the two lets more in is not judged.
    DatasetFilterChanged {
        /// The dataset.
        dataset: &'a str,
    },
    /// A longer life, in milliseconds since 1970.
    ExpiryLater {
        /// The expiry before.
        from_ms: u64,
        /// The expiry after.
        to_ms: u64,
    },
    /// A life without end.
    ExpiryRemoved,
    /// A longer life from when it is generated, in milliseconds.
    LifetimeLonger {
        /// The lifetime before.
        from_ms: u64,
        /// The lifetime after.
        to_ms: u64,
    },
    /// A lifetime in place of an expiry, or the reverse: which of the two ends later hangs on when
    /// the key is generated.
    ExpiryKindChanged,
    /// The level `standard` in place of `advanced`.
    LevelWeakened,
}

impl Widening<'_> {
    /// Its stable name, such as `role-added`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NewKey => "new-key",
            Self::RoleAdded { .. } => "role-added",
            Self::ComponentRaised { .. } => "component-raised",
            Self::ActionGained { .. } => "action-gained",
            Self::ScopeDropped => "scope-dropped",
            Self::ScopeGiven => "scope-given",
            Self::AreaWidened { .. } => "area-widened",
            Self::AssetGroupAdded { .. } => "asset-group-added",
            Self::DomainAdded { .. } => "domain-added",
            Self::EndpointGroupAdded { .. } => "endpoint-group-added",
            Self::EndpointTagAdded { .. } => "endpoint-tag-added",
            Self::UnreferencedAllowed => "unreferenced-allowed",
            Self::DatasetsOpened => "datasets-opened",
            Self::DatasetOpened { .. } => "dataset-opened",
            Self::DatasetFilterDropped { .. } => "dataset-filter-dropped",
            Self::DatasetFilterChanged { .. } => "dataset-filter-changed",
            Self::ExpiryLater { .. } => "expiry-later",
            Self::ExpiryRemoved => "expiry-removed",
            Self::LifetimeLonger { .. } => "lifetime-longer",
            Self::ExpiryKindChanged => "expiry-kind-changed",
            Self::LevelWeakened => "level-weakened",
        }
    }
}

/// Says what the keys gained, in the order of the keys after. It is empty where nothing was gained.
///
/// Keys are matched by name. A name that stands several times is matched in order. Of a new key it
/// says no more than that it is new.
///
/// ```
/// use cortexkey_core::access::{KeyDefinition, Role, compare};
/// use cortexkey_core::auth::Level;
/// use cortexkey_core::lifecycle::Expiry;
///
/// let before = KeyDefinition {
///     name: "export",
///     level: Level::Advanced,
///     expiry: Expiry::At { ms: 1_800_000_000_000 },
///     lifetime_ms: None,
///     roles: &[Role::unknown("Viewer")],
///     scope: None,
/// };
/// let after = KeyDefinition { roles: &[Role::unknown("Responder")], ..before };
/// let gains = compare(&[before], &[after]);
/// assert_eq!(gains[0].code(), "role-added");
/// assert_eq!(gains[0].to_string(), "export: role Responder is added");
/// assert_eq!(gains.len(), 1);
/// ```
pub fn compare<'a>(before: &[KeyDefinition<'a>], after: &[KeyDefinition<'a>]) -> Vec<Gain<'a>> {
    let mut gains = Vec::new();
    for (i, key) in after.iter().enumerate() {
        let same_name = |other: &&KeyDefinition<'_>| other.name == key.name;
        let earlier = after[..i].iter().filter(same_name).count();
        let widenings = match before.iter().filter(same_name).nth(earlier) {
            Some(old) => of_key(old, key),
            None => Widenings(alloc::vec![Widening::NewKey]),
        };
        gains.extend(widenings.0.into_iter().map(|widening| Gain { key: key.name, widening }));
    }
    gains
}

/// Each at most once.
#[derive(Default)]
struct Widenings<'a>(Vec<Widening<'a>>);

impl<'a> Widenings<'a> {
    fn add(&mut self, widening: Widening<'a>) {
        if !self.0.contains(&widening) {
            self.0.push(widening);
        }
    }
}

fn of_key<'a>(before: &KeyDefinition<'a>, after: &KeyDefinition<'a>) -> Widenings<'a> {
    let mut found = Widenings::default();
    if (before.level, after.level) == (Level::Advanced, Level::Standard) {
        found.add(Widening::LevelWeakened);
    }
    of_end(before, after, &mut found);
    of_roles(before.roles, after.roles, &mut found);
    match (before.scope, after.scope) {
        (None, None) => {}
        (Some(_), None) => found.add(Widening::ScopeDropped),
        (None, Some(after)) => {
            let mut from_nothing = Widenings::default();
            of_scope(&Scope::NONE, &after, &mut from_nothing);
            if !from_nothing.0.is_empty() {
                found.add(Widening::ScopeGiven);
            }
        }
        (Some(before), Some(after)) => of_scope(&before, &after, &mut found),
    }
    found
}

/// What a later end gained.
fn of_end(before: &KeyDefinition<'_>, after: &KeyDefinition<'_>, found: &mut Widenings<'_>) {
    let end = |key: &KeyDefinition<'_>| (key.lifetime_ms, key.expiry);
    match (end(before), end(after)) {
        ((Some(from_ms), _), (Some(to_ms), _)) => {
            if to_ms > from_ms {
                found.add(Widening::LifetimeLonger { from_ms, to_ms });
            }
        }
        ((None, Expiry::Never), _) => {}
        (_, (None, Expiry::Never)) => found.add(Widening::ExpiryRemoved),
        ((Some(_), _), _) | (_, (Some(_), _)) => found.add(Widening::ExpiryKindChanged),
        ((None, Expiry::At { ms: from_ms }), (None, Expiry::At { ms: to_ms })) => {
            if to_ms > from_ms {
                found.add(Widening::ExpiryLater { from_ms, to_ms });
            }
        }
    }
}

/// What the union of the roles gained.
fn of_roles<'a>(before: &[Role<'a>], after: &[Role<'a>], found: &mut Widenings<'a>) {
    if before.iter().any(|role| role.holds_all) {
        return;
    }
    for role in after {
        let same = |old: &Role<'_>| old.name == role.name && old.others == role.others;
        let is_added = !before.iter().any(same) && !is_listed(role, &[before, after]);
        if role.holds_all || is_added {
            found.add(Widening::RoleAdded { role: role.name });
        }
        if !role.holds_all {
            of_role(role, is_added, before, after, found);
        }
    }
}

/// What one role brings. Where the role itself is reported as added, only what a policy lists is
/// named: the rest is public.
fn of_role<'a>(
    role: &Role<'a>,
    is_added: bool,
    before: &[Role<'a>],
    after: &[Role<'a>],
    found: &mut Widenings<'a>,
) {
    let is_named = |grant: &&Grant<'_>| !is_added || grant.certainty == Certainty::Listed;
    for grant in role.grants.iter().filter(is_named) {
        let component = grant.component;
        let from = Rights(before).component(component);
        let to = Rights(after).component(component).lowest();
        if to > from.lowest() {
            let known = from.lowest() > Permission::None || from.exact().is_some();
            let from = known.then_some(from.lowest());
            found.add(Widening::ComponentRaised { component, from, to });
        }
    }
    let is_public = is_added && !role.actions.is_complete;
    for action in role.actions.held.iter().filter(|_| !is_public) {
        if Rights(before).action(action) != Some(true) {
            found.add(Widening::ActionGained { action });
        }
    }
}

/// Whether all that a role holds is listed: its actions, and of every component its level.
fn is_listed(role: &Role<'_>, roles: &[&[Role<'_>]]) -> bool {
    let lists = |name: &str| {
        let mut grants = role.grants.iter();
        grants.any(|grant| grant.component == name && grant.level.exact().is_some())
    };
    let mut named = roles.iter().copied().flatten().flat_map(|other| other.grants);
    let components_are_listed = role.others == KnownLevel::exactly(Permission::None)
        || (COMPONENTS.iter().all(|component| lists(component.name))
            && named.all(|grant| lists(grant.component)));
    role.actions.is_complete && components_are_listed
}

fn of_scope<'a>(before: &Scope<'a>, after: &Scope<'a>, found: &mut Widenings<'a>) {
    of_area(before.assets, after.assets, "assets", found, |name| Widening::AssetGroupAdded {
        name,
    });
    let (old, new) = (before.cases_and_issues, after.cases_and_issues);
    of_area(old.area, new.area, "cases and issues", found, |name| Widening::DomainAdded { name });
    if new.unreferenced && new.area != Area::None && !(old.unreferenced && old.area != Area::None) {
        found.add(Widening::UnreferencedAllowed);
    }
    of_endpoints(before.endpoints, after.endpoints, found);
    of_datasets(before.datasets, after.datasets, found);
}

fn of_area<'a>(
    before: Area<'a>,
    after: Area<'a>,
    area: &'static str,
    found: &mut Widenings<'a>,
    added: impl Fn(&'a str) -> Widening<'a>,
) {
    let had = match before {
        Area::All => return,
        Area::None => &[],
        Area::Select(names) => names,
    };
    match after {
        Area::None => {}
        Area::All => found.add(Widening::AreaWidened { area }),
        Area::Select(names) => {
            for name in names.iter().filter(|name| !had.contains(name)) {
                found.add(added(name));
            }
        }
    }
}

/// An endpoint must be let in by both axes, so what one gains counts only where the other lets
/// something in.
fn of_endpoints<'a>(
    before: EndpointScope<'a>,
    after: EndpointScope<'a>,
    found: &mut Widenings<'a>,
) {
    let (old_groups, old_tags) = (axis(before.groups), axis(before.tags));
    let (groups, tags) = (axis(after.groups), axis(after.tags));
    let nothing = |area| matches!(area, Area::None | Area::Select([]));
    let opened = [groups, tags] == [Area::All; 2] && [old_groups, old_tags] != [Area::All; 2];
    if nothing(groups) || nothing(tags) {
        return;
    }
    if opened {
        return found.add(Widening::AreaWidened { area: "endpoints" });
    }
    // Out of nothing, selecting by one axis leaves the other open, which is no gain by itself.
    let was_nothing = nothing(old_groups) || nothing(old_tags);
    let base = |old, new| match (was_nothing, new) {
        (true, Area::All) => Area::All,
        (true, _) => Area::None,
        (false, _) => old,
    };
    of_area(base(old_groups, groups), groups, "endpoint groups", found, |name| {
        Widening::EndpointGroupAdded { name }
    });
    of_area(base(old_tags, tags), tags, "endpoint tags", found, |name| {
        Widening::EndpointTagAdded { name }
    });
}

const fn axis(axis: Axis<'_>) -> Area<'_> {
    match axis {
        Axis::NoScope => Area::None,
        Axis::SeeAll | Axis::Any => Area::All,
        Axis::Scope(names) => Area::Select(names),
    }
}

fn of_datasets<'a>(
    before: Option<DatasetScope<'a>>,
    after: Option<DatasetScope<'a>>,
    found: &mut Widenings<'a>,
) {
    let nothing = DatasetScope { all: false, filters: &[] };
    let (before, after) = (before.unwrap_or(nothing), after.unwrap_or(nothing));
    if after.all && !before.all {
        found.add(Widening::DatasetsOpened);
    }
    for (dataset, _) in before.filters.iter().chain(after.filters) {
        let of =
            |scope: DatasetScope<'a>| scope.filters.iter().filter(move |(name, _)| name == dataset);
        let had = of(before).next().is_some();
        let has = of(after).next().is_some();
        let keeps_all = of(before).all(|filter| after.filters.contains(filter));
        let adds_none = of(after).all(|filter| before.filters.contains(filter));
        match (had, has) {
            (false, true) if !before.all => found.add(Widening::DatasetOpened { dataset }),
            (true, false) if after.all => found.add(Widening::DatasetFilterDropped { dataset }),
            (true, true) if !keeps_all && adds_none => {
                found.add(Widening::DatasetFilterDropped { dataset });
            }
            (true, true) if !keeps_all => found.add(Widening::DatasetFilterChanged { dataset }),
            _ => {}
        }
    }
}

impl fmt::Display for Gain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.widening)
    }
}

impl fmt::Display for Widening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewKey => f.write_str("the key is new"),
            Self::RoleAdded { role } => write!(f, "role {role} is added"),
            Self::ComponentRaised { component, from: Some(from), to } => {
                write!(f, "{component} is raised from {from} to {to}")
            }
            Self::ComponentRaised { component, from: None, to } => {
                write!(f, "{component} is now known to be held at {to}")
            }
            Self::ActionGained { action } => write!(f, "{action} is gained"),
            Self::ScopeDropped => {
                f.write_str("the scope is dropped, and what a key without one sees is not sure")
            }
            Self::ScopeGiven => f.write_str("a scope is given where there was none"),
            Self::AreaWidened { area } => write!(f, "all {area} are in scope"),
            Self::AssetGroupAdded { name } => write!(f, "asset group {name} is in scope"),
            Self::DomainAdded { name } => write!(f, "domain {name} is in scope"),
            Self::EndpointGroupAdded { name } => write!(f, "endpoint group {name} is in scope"),
            Self::EndpointTagAdded { name } => write!(f, "endpoint tag {name} is in scope"),
            Self::UnreferencedAllowed => {
                f.write_str("cases and issues that reference nothing known are in scope")
            }
            Self::DatasetsOpened => f.write_str("all datasets without a filter are in scope"),
            Self::DatasetOpened { dataset } => {
                write!(f, "rows of dataset {dataset} that fit its filter are in scope")
            }
            Self::DatasetFilterDropped { dataset } => {
                write!(f, "a filter of dataset {dataset} is dropped")
            }
            Self::DatasetFilterChanged { dataset } => {
                write!(f, "the filter of dataset {dataset} is another")
            }
            Self::ExpiryLater { from_ms, to_ms } => {
                write!(f, "it expires at {to_ms} ms since 1970, not at {from_ms}")
            }
            Self::ExpiryRemoved => f.write_str("it no longer expires"),
            Self::LifetimeLonger { from_ms, to_ms } => {
                write!(f, "it lives {to_ms} ms from when it is generated, not {from_ms}")
            }
            Self::ExpiryKindChanged => {
                f.write_str("it has a lifetime in place of an expiry, or the reverse")
            }
            Self::LevelWeakened => f.write_str("its level falls from advanced to standard"),
        }
    }
}

#[cfg(test)]
mod tests;

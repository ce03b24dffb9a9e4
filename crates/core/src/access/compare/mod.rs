//! [`compare`]: what a set of keys gains from one version of its definitions to the next.
//!
//! Adding a role whose permissions are not listed is a gain: the unknown is not assumed to be
//! harmless. Losses are not reported. The tenant's settings are ignored, so with scopes off a gain
//! may not have an effect yet.

use alloc::vec::Vec;
use core::fmt;

use super::component::{COMPONENTS, Permission};
use super::known::{Certainty, Grant, KnownLevel};
use super::role::{Rights, Role};
use super::scope::{Area, Axis, CasesAndIssues, DatasetScope, EndpointScope, Scope, Unreferenced};
use super::text::{Text, has};
use crate::auth::Level;
use crate::lifecycle::Expiry;

/// A key's definition.
#[derive(Debug)]
pub struct KeyDefinition<'a, S: Text> {
    /// The name that identifies the key.
    pub name: &'a str,
    /// Its security level.
    pub level: Level,
    /// When it expires.
    pub expiry: Expiry,
    /// The lifetime from generation, in milliseconds, if the definition has one instead of an
    /// expiry; `expiry` is then `Never` and ignored.
    pub lifetime_ms: Option<u64>,
    /// Its roles. Roles of the same name before and after are the same role.
    pub roles: &'a [Role<S>],
    /// Its scope.
    pub scope: Option<&'a Scope<S>>,
}

copy!(KeyDefinition);

/// One gain of a key. Its `Display` is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gain<'a> {
    /// The key's name.
    pub key: &'a str,
    /// The gain.
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
    /// A role that may grant more than the roles before: one with full access, or one that is not
    /// fully listed.
    RoleAdded {
        /// The role.
        role: &'a str,
    },
    /// A higher level of a component.
    ComponentRaised {
        /// The component.
        component: &'a str,
        /// The level before, if known.
        from: Option<Permission>,
        /// The level after.
        to: Permission,
    },
    /// A named action.
    ActionGained {
        /// The action.
        action: &'a str,
    },
    /// The scope was removed. What a key without one sees is not documented.
    ScopeDropped,
    /// A scope that allows something, where there was none: a key without a scope is assumed to see
    /// nothing.
    ScopeGiven,
    /// An area of the scope, or one axis of the endpoints, allows everything.
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
    /// Cases and issues that reference no known object.
    UnreferencedAllowed,
    /// Rows of all datasets without a filter.
    DatasetsOpened,
    /// The rows of a dataset that match its filter, where there were none.
    DatasetOpened {
        /// The dataset.
        dataset: &'a str,
    },
    /// A filter of a dataset was removed.
    DatasetFilterDropped {
        /// The dataset.
        dataset: &'a str,
    },
    /// A filter of a dataset was changed; which of the two allows more is not compared.
    DatasetFilterChanged {
        /// The dataset.
        dataset: &'a str,
    },
    /// A later expiry, in milliseconds since 1970.
    ExpiryLater {
        /// The expiry before.
        from_ms: u64,
        /// The expiry after.
        to_ms: u64,
    },
    /// No expiry.
    ExpiryRemoved,
    /// A longer lifetime, in milliseconds.
    LifetimeLonger {
        /// The lifetime before.
        from_ms: u64,
        /// The lifetime after.
        to_ms: u64,
    },
    /// A lifetime instead of an expiry, or the reverse: which of the two is later depends on when
    /// the key is generated.
    ExpiryKindChanged,
    /// The level `standard` instead of `advanced`.
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

/// Returns what the keys gained, in the order of the keys after.
///
/// Keys are matched by name; keys of the same name are matched in order. The only gain of a new key
/// is that it is new.
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
pub fn compare<'a, S: Text>(
    before: &[KeyDefinition<'a, S>],
    after: &[KeyDefinition<'a, S>],
) -> Vec<Gain<'a>> {
    let mut gains = Vec::new();
    for (i, key) in after.iter().enumerate() {
        let same_name = |other: &&KeyDefinition<'_, S>| other.name == key.name;
        let earlier = after[..i].iter().filter(same_name).count();
        let widenings = match before.iter().filter(same_name).nth(earlier) {
            Some(old) => of_key(old, key),
            None => Widenings(alloc::vec![Widening::NewKey]),
        };
        gains.extend(widenings.0.into_iter().map(|widening| Gain { key: key.name, widening }));
    }
    gains
}

/// Each value at most once.
#[derive(Default)]
struct Widenings<'a>(Vec<Widening<'a>>);

impl<'a> Widenings<'a> {
    fn add(&mut self, widening: Widening<'a>) {
        if !self.0.contains(&widening) {
            self.0.push(widening);
        }
    }
}

fn of_key<'a, S: Text>(
    before: &KeyDefinition<'a, S>,
    after: &KeyDefinition<'a, S>,
) -> Widenings<'a> {
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
            of_scope(None, after, &mut from_nothing);
            if !from_nothing.0.is_empty() {
                found.add(Widening::ScopeGiven);
            }
        }
        (Some(before), Some(after)) => of_scope(Some(before), after, &mut found),
    }
    found
}

/// Adds the gain from a later expiry.
fn of_end<S: Text>(
    before: &KeyDefinition<'_, S>,
    after: &KeyDefinition<'_, S>,
    found: &mut Widenings<'_>,
) {
    let end = |key: &KeyDefinition<'_, S>| (key.lifetime_ms, key.expiry);
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

/// Adds what the union of the roles gained.
fn of_roles<'a, S: Text>(before: &[Role<S>], after: &'a [Role<S>], found: &mut Widenings<'a>) {
    if before.iter().any(|role| role.holds_all) {
        return;
    }
    for role in after {
        let same = |old: &Role<S>| old.name == role.name && old.others == role.others;
        let is_added = !before.iter().any(same) && !is_listed(role, &[before, after]);
        if role.holds_all || is_added {
            found.add(Widening::RoleAdded { role: &role.name });
        }
        if !role.holds_all {
            of_role(role, is_added, before, after, found);
        }
    }
}

/// Adds what one role gained. If the role itself is reported as added, only what a policy lists is
/// named: the rest is public.
fn of_role<'a, S: Text>(
    role: &'a Role<S>,
    is_added: bool,
    before: &[Role<S>],
    after: &[Role<S>],
    found: &mut Widenings<'a>,
) {
    let is_named = |grant: &&Grant<S>| !is_added || grant.certainty == Certainty::Listed;
    for grant in role.grants.iter().filter(is_named) {
        let component = &*grant.component;
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

/// Whether everything that a role grants is listed: its actions, and the level of every component.
fn is_listed<S: Text>(role: &Role<S>, roles: &[&[Role<S>]]) -> bool {
    let lists = |name: &str| {
        let mut grants = role.grants.iter();
        grants.any(|grant| *grant.component == *name && grant.level.exact().is_some())
    };
    let mut named = roles.iter().copied().flatten().flat_map(|other| other.grants.iter());
    let components_are_listed = role.others == KnownLevel::exactly(Permission::None)
        || (COMPONENTS.iter().all(|component| lists(component.name))
            && named.all(|grant| lists(&grant.component)));
    role.actions.is_complete && components_are_listed
}

/// Adds what the scope gained: everything that it allows if there was none before.
fn of_scope<'a, S: Text>(
    before: Option<&'a Scope<S>>,
    after: &'a Scope<S>,
    found: &mut Widenings<'a>,
) {
    let old = before.map_or(&Area::None, |scope| &scope.assets);
    of_area(old, &after.assets, "assets", found, |name| Widening::AssetGroupAdded { name });
    let old = before.map(|scope| &scope.cases_and_issues);
    let new = &after.cases_and_issues;
    let old_area = old.map_or(&Area::None, |cases| &cases.area);
    of_area(old_area, &new.area, "cases and issues", found, |name| Widening::DomainAdded { name });
    let opens = |cases: &CasesAndIssues<S>| {
        cases.unreferenced == Unreferenced::Yes && !matches!(cases.area, Area::None)
    };
    if opens(new) && !old.is_some_and(opens) {
        found.add(Widening::UnreferencedAllowed);
    }
    let closed = EndpointScope::none();
    of_endpoints(before.map_or(&closed, |scope| &scope.endpoints), &after.endpoints, found);
    of_datasets(before.and_then(|scope| scope.datasets.as_ref()), after.datasets.as_ref(), found);
}

fn of_area<'a, S: Text>(
    before: &Area<S>,
    after: &'a Area<S>,
    area: &'static str,
    found: &mut Widenings<'a>,
    added: impl Fn(&'a str) -> Widening<'a>,
) {
    if matches!(before, Area::All) {
        return;
    }
    if matches!(after, Area::All) {
        return found.add(Widening::AreaWidened { area });
    }
    let had = before.names();
    for name in after.names().iter().filter(|name| !has(had, name)) {
        found.add(added(name));
    }
}

/// An endpoint must be in both axes, so a gain of one counts only if the other allows something.
fn of_endpoints<'a, S: Text>(
    before: &EndpointScope<S>,
    after: &'a EndpointScope<S>,
    found: &mut Widenings<'a>,
) {
    let is_open = |scope: &EndpointScope<S>| is_all(&scope.groups) && is_all(&scope.tags);
    let is_closed = |scope: &EndpointScope<S>| is_none(&scope.groups) || is_none(&scope.tags);
    if is_closed(after) || is_open(before) {
        return;
    }
    if is_open(after) {
        return found.add(Widening::AreaWidened { area: "endpoints" });
    }
    // From nothing, selecting by one axis leaves the other open, which is not a gain by itself.
    let was_closed = is_closed(before);
    of_axis(&before.groups, &after.groups, was_closed, "endpoint groups", found, |name| {
        Widening::EndpointGroupAdded { name }
    });
    of_axis(&before.tags, &after.tags, was_closed, "endpoint tags", found, |name| {
        Widening::EndpointTagAdded { name }
    });
}

fn of_axis<'a, S: Text>(
    before: &Axis<S>,
    after: &'a Axis<S>,
    was_closed: bool,
    area: &'static str,
    found: &mut Widenings<'a>,
    added: impl Fn(&'a str) -> Widening<'a>,
) {
    if !was_closed && is_all(before) {
        return;
    }
    if is_all(after) {
        if !was_closed {
            found.add(Widening::AreaWidened { area });
        }
        return;
    }
    let had: &[S] = if was_closed { &[] } else { before.names() };
    for name in after.names().iter().filter(|name| !has(had, name)) {
        found.add(added(name));
    }
}

/// Whether every endpoint is in an axis.
fn is_all<S: Text>(axis: &Axis<S>) -> bool {
    matches!(axis, Axis::SeeAll | Axis::Any)
}

/// Whether no endpoint is in an axis.
fn is_none<S: Text>(axis: &Axis<S>) -> bool {
    !is_all(axis) && axis.names().is_empty()
}

fn of_datasets<'a, S: Text>(
    before: Option<&'a DatasetScope<S>>,
    after: Option<&'a DatasetScope<S>>,
    found: &mut Widenings<'a>,
) {
    let opens_all = |scope: Option<&DatasetScope<S>>| scope.is_some_and(|scope| scope.all);
    let old = filters(before);
    let new = filters(after);
    if opens_all(after) && !opens_all(before) {
        found.add(Widening::DatasetsOpened);
    }
    for (dataset, _) in old.iter().chain(new) {
        let dataset = &**dataset;
        let of = |filters: &'a [(S, S)]| filters.iter().filter(move |(name, _)| **name == *dataset);
        let had = of(old).next().is_some();
        let has = of(new).next().is_some();
        let keeps_all = of(old).all(|filter| new.contains(filter));
        let adds_none = of(new).all(|filter| old.contains(filter));
        match (had, has) {
            (false, true) if !opens_all(before) => found.add(Widening::DatasetOpened { dataset }),
            (true, false) if opens_all(after) => {
                found.add(Widening::DatasetFilterDropped { dataset });
            }
            (true, true) if !keeps_all && adds_none => {
                found.add(Widening::DatasetFilterDropped { dataset });
            }
            (true, true) if !keeps_all => found.add(Widening::DatasetFilterChanged { dataset }),
            _ => {}
        }
    }
}

fn filters<S: Text>(scope: Option<&DatasetScope<S>>) -> &[(S, S)] {
    scope.map_or(&[], |scope| &scope.filters)
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
                f.write_str("the scope is removed, and it is uncertain what a key without one sees")
            }
            Self::ScopeGiven => f.write_str("a scope is added where there was none"),
            Self::AreaWidened { area } => write!(f, "all {area} are in scope"),
            Self::AssetGroupAdded { name } => write!(f, "asset group {name} is in scope"),
            Self::DomainAdded { name } => write!(f, "domain {name} is in scope"),
            Self::EndpointGroupAdded { name } => write!(f, "endpoint group {name} is in scope"),
            Self::EndpointTagAdded { name } => write!(f, "endpoint tag {name} is in scope"),
            Self::UnreferencedAllowed => {
                f.write_str("cases and issues that reference no known object are in scope")
            }
            Self::DatasetsOpened => f.write_str("all datasets without a filter are in scope"),
            Self::DatasetOpened { dataset } => {
                write!(f, "rows of dataset {dataset} that match its filter are in scope")
            }
            Self::DatasetFilterDropped { dataset } => {
                write!(f, "a filter of dataset {dataset} is removed")
            }
            Self::DatasetFilterChanged { dataset } => {
                write!(f, "the filter of dataset {dataset} is changed")
            }
            Self::ExpiryLater { from_ms, to_ms } => {
                write!(f, "it expires at {to_ms} ms since 1970, not at {from_ms}")
            }
            Self::ExpiryRemoved => f.write_str("it no longer expires"),
            Self::LifetimeLonger { from_ms, to_ms } => {
                write!(f, "its lifetime is {to_ms} ms, not {from_ms} ms")
            }
            Self::ExpiryKindChanged => {
                f.write_str("it has a lifetime instead of an expiry, or the reverse")
            }
            Self::LevelWeakened => f.write_str("its level falls from advanced to standard"),
        }
    }
}

#[cfg(test)]
mod tests;

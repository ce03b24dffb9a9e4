//! [`Role`], and the union of several: [`Rights`].
//!
//! What a role does not list is unknown, not absent: the product publishes few levels, so most
//! decisions about predefined roles need an organisation's own list. Facts that are only assumed
//! decide nothing.

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String, vec::Vec};

use super::component::{COMPONENTS, Permission};
#[cfg(feature = "alloc")]
use super::known::Grant;
use super::known::{Certainty, KnownLevel};
use super::text::{Text, has};

/// The known facts about a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(
        rename_all = "camelCase",
        bound = "S: serde::Serialize, S::Grants: serde::Serialize, S::Names: serde::Serialize"
    )
)]
pub struct Role<S: Text> {
    /// Its display name, which the product's API uses.
    pub name: S,
    /// Whether it grants every component at `edit` and every action, like the administrators'
    /// roles.
    pub holds_all: bool,
    /// The components with known facts.
    pub grants: S::Grants,
    /// The level of every other component.
    pub others: KnownLevel,
    /// The named actions that it grants (Live Terminal, Destroy Files, …).
    pub actions: Actions<S>,
}

impl<S: Text> Role<S> {
    /// A role of which only the name is known.
    pub const fn unknown(name: S) -> Self {
        let others = KnownLevel::UNKNOWN;
        Self { name, holds_all: false, grants: S::NO_GRANTS, others, actions: Actions::UNKNOWN }
    }

    /// The role with owned strings.
    #[cfg(feature = "alloc")]
    pub fn to_owned(&self) -> Role<String> {
        self.map(|text| (**text).into())
    }

    /// The role with owned lists that borrow their strings.
    #[cfg(feature = "alloc")]
    pub fn borrowed(&self) -> Role<Cow<'_, str>> {
        self.map(|text| Cow::Borrowed(&**text))
    }

    #[cfg(feature = "alloc")]
    fn map<'s, T>(&'s self, text: impl Fn(&'s S) -> T) -> Role<T>
    where
        T: Text<Names = Vec<T>, Grants = Vec<Grant<T>>>,
    {
        let grants = self.grants.iter().map(|grant| Grant {
            component: text(&grant.component),
            level: grant.level,
            certainty: grant.certainty,
            source: grant.source,
        });
        Role {
            name: text(&self.name),
            holds_all: self.holds_all,
            grants: grants.collect(),
            others: self.others,
            actions: Actions {
                held: self.actions.held.iter().map(&text).collect(),
                lacked: self.actions.lacked.iter().map(&text).collect(),
                is_complete: self.actions.is_complete,
            },
        }
    }

    /// Its certain level on a component, and how certain it is. Facts that are only assumed count
    /// as unknown.
    fn level(&self, component: &str) -> (KnownLevel, Certainty) {
        if self.holds_all {
            return (KnownLevel::exactly(Permission::Edit), Certainty::Documented);
        }
        let mut known = self
            .grants
            .iter()
            .filter(|grant| *grant.component == *component && grant.certainty < Certainty::Assumed);
        match known.next() {
            Some(first) => {
                let level = known.fold(first.level, |level, grant| level.union(grant.level));
                (level, first.certainty)
            }
            None => (self.others, Certainty::Documented),
        }
    }
}

/// The known facts about a role's named actions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "camelCase", bound = "S::Names: serde::Serialize")
)]
pub struct Actions<S: Text> {
    /// The granted actions.
    pub held: S::Names,
    /// The actions that it is known not to grant.
    pub lacked: S::Names,
    /// Whether `held` is complete, so that it lacks every other action.
    pub is_complete: bool,
}

impl<S: Text> Actions<S> {
    /// No known facts.
    pub const UNKNOWN: Self = Self { held: S::NO_NAMES, lacked: S::NO_NAMES, is_complete: false };

    /// Whether an action is granted; `None` if unknown.
    pub fn hold(&self, name: &str) -> Option<bool> {
        if has(&self.held, name) {
            Some(true)
        } else if self.is_complete || has(&self.lacked, name) {
            Some(false)
        } else {
            None
        }
    }
}

impl<'a> Actions<&'a str> {
    /// Exactly these actions.
    pub const fn only(held: &'a [&'a str]) -> Self {
        Self { held, lacked: &[], is_complete: true }
    }
}

/// The union of several roles: the highest level of each component, and all actions.
///
/// ```
/// use cortexkey_core::access::{Grant, KnownLevel, Permission, Rights, Role};
///
/// let auditing = [Grant::listed("Auditing", Permission::View)];
/// let viewer: Role<&str> = Role { grants: &auditing, ..Role::unknown("A") };
/// let public_api = [Grant::listed("Public API", Permission::Edit)];
/// let key_maker: Role<&str> = Role { grants: &public_api, ..Role::unknown("B") };
/// let roles = [viewer, key_maker];
/// // `edit` is the highest level, so the other role cannot change it.
/// assert_eq!(Rights(&roles).component("Public API").exact(), Some(Permission::Edit));
/// // `view` is certain; whether the other role grants more is not known.
/// let auditing = Rights(&roles).component("Auditing");
/// assert_eq!(auditing, KnownLevel::at_least(Permission::View));
/// ```
#[derive(Debug)]
pub struct Rights<'a, S: Text>(pub &'a [Role<S>]);

impl Copy for Role<&str> {}
impl Copy for Actions<&str> {}

copy!(Rights);

impl<S: Text> Rights<'_, S> {
    /// The level at which a component is held. Without any role, that is none.
    pub fn component(self, name: &str) -> KnownLevel {
        let none = KnownLevel::exactly(Permission::None);
        self.0.iter().fold(none, |level, role| level.union(role.level(name).0))
    }

    /// Whether a component is held at a level, and how certain that is; `None` if unknown.
    pub fn reaches(self, name: &str, wanted: Permission) -> Option<(bool, Certainty)> {
        let levels = || self.0.iter().map(|role| role.level(name));
        let granting = levels().filter(|(level, _)| level.reaches(wanted) == Some(true));
        if let Some(certainty) = granting.map(|(_, certainty)| certainty).min() {
            return Some((true, certainty));
        }
        // A refusal needs a fact about every role, so the least certain one counts.
        let refused = levels().all(|(level, _)| level.reaches(wanted) == Some(false));
        let weakest = levels().map(|(_, certainty)| certainty).max();
        match wanted {
            Permission::None => Some((true, Certainty::Documented)),
            _ => refused.then_some((false, weakest.unwrap_or(Certainty::Documented))),
        }
    }

    /// The level that the documents suggest, if they suggest one. It decides nothing.
    pub fn assumed(self, name: &str) -> Option<KnownLevel> {
        let grants = self.0.iter().flat_map(|role| role.grants.iter());
        grants
            .filter(|grant| *grant.component == *name && grant.certainty == Certainty::Assumed)
            .map(|grant| grant.level)
            .reduce(KnownLevel::union)
    }

    /// Whether an action is held; `None` if a role may grant it and is not fully listed.
    pub fn action(self, name: &str) -> Option<bool> {
        let mut answer = Some(false);
        for role in self.0 {
            match role.actions.hold(name) {
                _ if role.holds_all => return Some(true),
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }

    /// Whether the key can generate other keys: *Public API* at `edit`. `None` if unknown.
    pub fn can_generate_keys(self) -> Option<bool> {
        self.component("Public API").reaches(Permission::Edit)
    }

    /// Whether the key may generate, change or delete keys with a role: *Public API* at `edit`, and
    /// for the administrators' roles one of them itself, because *Access Management* may not change
    /// those. `None` if unknown.
    pub fn may_assign(self, role: &str) -> Option<bool> {
        if self.0.iter().any(|held| held.holds_all) {
            return Some(true);
        }
        if role == INSTANCE_ADMINISTRATOR || role == ACCOUNT_ADMIN {
            return Some(false);
        }
        self.can_generate_keys()
    }
}

/// The held components that let a key see more than its scope, each with its reason.
pub fn scope_bypasses<S: Text>(
    roles: &[Role<S>],
) -> impl Iterator<Item = (&'static str, &'static str)> {
    COMPONENTS.iter().filter_map(|component| {
        let bypass = component.scope_bypass?;
        let held = Rights(roles).component(component.name);
        (held.reaches(bypass.level) == Some(true)).then_some((component.name, bypass.how))
    })
}

/// The role that only its own holders may assign or remove.
pub(super) const INSTANCE_ADMINISTRATOR: &str = "Instance Administrator";
pub(super) const ACCOUNT_ADMIN: &str = "Account Admin";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, PredefinedRole};
    use Permission::{Edit, View};

    fn unknown<'a>() -> Role<&'a str> {
        Role::unknown("?")
    }

    fn reaches(roles: &[Role<&str>], wanted: Permission) -> Option<(bool, Certainty)> {
        Rights(roles).reaches("C", wanted)
    }

    #[test]
    fn a_bound_settles_what_it_can() {
        let viewer = Role { others: KnownLevel::at_most(View), ..unknown() };
        assert_eq!(reaches(&[viewer], Edit), Some((false, Certainty::Documented)));
        assert_eq!(reaches(&[viewer], View), None);
        assert_eq!(reaches(&[viewer, unknown()], Edit), None);
        assert_eq!(reaches(&[], View), Some((false, Certainty::Documented)));
        assert_eq!(reaches(&[unknown()], Permission::None), Some((true, Certainty::Documented)));
    }

    #[test]
    fn the_weakest_needed_fact_sets_the_certainty() {
        let grant = |level, certainty| [Grant { certainty, ..Grant::listed("C", level) }];
        let listed = grant(View, Certainty::Listed);
        let observed = grant(View, Certainty::Observed);
        let [listed, observed] =
            [&listed, &observed].map(|grants| Role::<&str> { grants, ..unknown() });
        let both = [listed, observed];
        // One role is enough to allow, so the more certain fact counts.
        assert_eq!(reaches(&both, View), Some((true, Certainty::Listed)));
        // A refusal needs both, so the less certain fact counts.
        assert_eq!(reaches(&both, Edit), Some((false, Certainty::Observed)));
    }

    #[test]
    fn assumed_facts_are_unused_unless_requested() {
        let grants = [Grant { certainty: Certainty::Assumed, ..Grant::listed("C", Edit) }];
        let role: Role<&str> = Role { grants: &grants, ..unknown() };
        assert_eq!(reaches(&[role], View), None);
        assert_eq!(Rights(&[role]).assumed("C"), Some(KnownLevel::exactly(Edit)));
        assert_eq!(Rights(&[role]).assumed("D"), None);
    }

    #[test]
    fn actions_are_held_lacked_or_unknown() {
        let partly: Actions<&str> = Actions { held: &["A"], lacked: &["B"], is_complete: false };
        assert_eq!(["A", "B", "C"].map(|name| partly.hold(name)), [Some(true), Some(false), None]);
        assert_eq!(Actions::only(&["A"]).hold("C"), Some(false));
        let roles = [Role { actions: partly, ..unknown() }, Role { holds_all: true, ..unknown() }];
        assert_eq!(Rights(&roles).action("B"), Some(true));
    }

    #[test]
    fn only_administrators_assign_the_administrators_role() {
        let grants = [Grant::listed("Access Management", Edit), Grant::listed("Public API", Edit)];
        let manager: Role<&str> = Role { grants: &grants, ..Role::unknown("Manager") };
        let admin = PredefinedRole::by_name("Instance Administrator").unwrap().role_in(None);
        assert_eq!(Rights(&[manager]).may_assign("Viewer"), Some(true));
        assert_eq!(Rights(&[manager]).may_assign("Instance Administrator"), Some(false));
        assert_eq!(Rights(&[manager, admin]).may_assign("Instance Administrator"), Some(true));
        assert_eq!(Rights(&[unknown()]).may_assign("Viewer"), None);
        assert_eq!(Rights::<&str>(&[]).can_generate_keys(), Some(false));
        assert_eq!(Rights(&[admin]).can_generate_keys(), Some(true));
    }
}

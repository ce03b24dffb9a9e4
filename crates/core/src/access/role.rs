//! Roles: the predefined ones as data, [`Role`], and the union of several ([`Rights`]).
//!
//! It refuses to invent what a predefined role grants: the product publishes names, not levels,
//! so for most of them every component is unknown until an organisation lists it.

use super::component::{COMPONENTS, Permission};
use super::product::Product;

/// A role as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Role<'a> {
    /// Its display name, which is what the product's API takes.
    pub name: &'a str,
    /// Whether it holds every component at `edit` and every action, as the administrators' roles.
    pub holds_all: bool,
    /// The components whose level is known. A component that is not listed is unknown.
    pub components: &'a [(&'a str, Permission)],
    /// The named actions that it holds (Live Terminal, Destroy Files, …), all of them; `None`
    /// where nobody listed them.
    pub actions: Option<&'a [&'a str]>,
}

impl<'a> Role<'a> {
    /// A role of which only the name is known.
    pub const fn unknown(name: &'a str) -> Self {
        Self { name, holds_all: false, components: &[], actions: None }
    }
}

/// What several roles grant together: of each component the highest level, of actions all.
///
/// ```
/// use cortexkey_core::access::{Permission, Rights, Role};
///
/// let viewer = Role { components: &[("Auditing", Permission::View)], ..Role::unknown("A") };
/// let minter = Role { components: &[("Public API", Permission::Edit)], ..Role::unknown("B") };
/// let rights = Rights(&[viewer, minter]);
/// // `edit` is the most there is, so what the other role holds cannot matter.
/// assert_eq!(rights.component("Public API"), (Some(Permission::Edit), true));
/// // `view` is sure; whether the other role grants more is not known.
/// assert_eq!(rights.component("Auditing"), (Some(Permission::View), false));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a>(pub &'a [Role<'a>]);

impl Rights<'_> {
    /// The highest level of a component that is known to be held, and whether that is all: `false`
    /// where a role's level is unknown and could be higher.
    pub fn component(self, name: &str) -> (Option<Permission>, bool) {
        let mut highest = None;
        let mut sure = true;
        for role in self.0 {
            let level = if role.holds_all {
                Some(Permission::Edit)
            } else {
                role.components.iter().filter(|(n, _)| *n == name).map(|(_, level)| *level).max()
            };
            highest = highest.max(level);
            sure &= level.is_some();
        }
        (highest, sure || highest == Some(Permission::Edit))
    }

    /// Whether an action is held; `None` where a role could hold it and nobody listed.
    pub fn action(self, name: &str) -> Option<bool> {
        let mut answer = Some(false);
        for role in self.0 {
            match role.actions {
                _ if role.holds_all => return Some(true),
                Some(actions) if actions.contains(&name) => return Some(true),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    }

    /// Whether the key can make other keys: *Public API* at `edit`. `None` where that is unknown.
    pub fn makes_keys(self) -> Option<bool> {
        match self.component("Public API") {
            (Some(Permission::Edit), _) => Some(true),
            (_, true) => Some(false),
            (_, false) => None,
        }
    }

    /// Whether the key may make, change or delete keys with a role: *Public API* at `edit`, and for
    /// the administrators' roles one of them itself, since *Access Management* may not touch those.
    /// `None` where that is unknown.
    pub fn may_assign(self, role: &str) -> Option<bool> {
        if self.0.iter().any(|held| held.holds_all) {
            return Some(true);
        }
        if role == INSTANCE_ADMINISTRATOR || role == ACCOUNT_ADMIN {
            return Some(false);
        }
        self.makes_keys()
    }
}

/// The components of the roles that are known to go round a scope, and how. A key that holds one
/// has a scope that does not bind.
pub fn ways_round_scope<'a>(
    roles: &'a [Role<'a>],
) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    COMPONENTS.iter().filter_map(|component| {
        let how = component.way_round_scope?;
        let (held, _) = Rights(roles).component(component.name);
        // Looking is enough to run a query; the others need changing.
        let needed = if component.group == "Search" { Permission::View } else { Permission::Edit };
        (held >= Some(needed)).then_some((component.name, how))
    })
}

/// A role that the product brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct PredefinedRole {
    /// Its display name.
    pub name: &'static str,
    /// The products that have it.
    pub products: &'static [Product],
    /// Whether it is one to give with care: an administrator's role, or one with destructive
    /// actions.
    pub privileged: bool,
    /// Whether it is meant for machines, and so natural for a key.
    pub machine: bool,
    /// Whether it holds everything.
    pub holds_all: bool,
    /// What the product's documents say of it, where they say something.
    pub note: &'static str,
    /// What is publicly known of its components.
    pub components: &'static [(&'static str, Permission)],
}

impl PredefinedRole {
    /// Looks a role up by its exact name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PREDEFINED_ROLES.iter().find(|role| role.name == name)
    }

    /// The roles of a product.
    pub fn of(product: Product) -> impl Iterator<Item = &'static Self> {
        PREDEFINED_ROLES.iter().filter(move |role| role.products.contains(&product))
    }

    /// As a role to decide with.
    pub const fn role(&self) -> Role<'static> {
        Role {
            name: self.name,
            holds_all: self.holds_all,
            components: self.components,
            actions: None,
        }
    }
}

/// The role that only its own holders may give or take.
pub(super) const INSTANCE_ADMINISTRATOR: &str = "Instance Administrator";
pub(super) const ACCOUNT_ADMIN: &str = "Account Admin";

const EVERYWHERE: &[Product] = &Product::ALL;
/// The platform that XSIAM, XDR 5, Cortex Cloud and AgentiX share.
const PLATFORM: &[Product] =
    &[Product::Xsiam, Product::Xdr5, Product::CortexCloud, Product::Agentix];

/// How a role is marked in the table below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Plain,
    Privileged,
    Machine,
    Super,
}

const fn role(
    name: &'static str,
    products: &'static [Product],
    mark: Mark,
    note: &'static str,
) -> PredefinedRole {
    PredefinedRole {
        name,
        products,
        privileged: matches!(mark, Privileged | Super),
        machine: matches!(mark, Machine),
        holds_all: matches!(mark, Super),
        note,
        components: &[],
    }
}

use Mark::{Machine, Plain, Privileged, Super};

/// The predefined roles, with what is publicly known of each.
pub const PREDEFINED_ROLES: &[PredefinedRole] = &[
    role(ACCOUNT_ADMIN, EVERYWHERE, Super, "full access to all tenants; assigned in the Gateway"),
    role(INSTANCE_ADMINISTRATOR, EVERYWHERE, Super, "full access to this tenant"),
    role("Deployment Admin", PLATFORM, Privileged, "agents, their installation and their policies"),
    role("IT Admin", PLATFORM, Plain, "endpoints, without Live Terminal"),
    role("Privileged IT Admin", PLATFORM, Privileged, "as IT Admin, with Live Terminal"),
    role(
        "Scoped Agent Admin",
        PLATFORM,
        Plain,
        "agents within a scope; once Scoped Endpoint Admin",
    ),
    role("Scoped Endpoint Admin", PLATFORM, Plain, "the older name of Scoped Agent Admin"),
    role("Investigator", PLATFORM, Plain, "looks into cases"),
    role("Privileged Investigator", PLATFORM, Privileged, "looks into cases, and more"),
    role("Responder", PLATFORM, Plain, "responds to cases"),
    role("Privileged Responder", PLATFORM, Privileged, "as Responder, with Live Terminal"),
    role("Investigation Admin", PLATFORM, Privileged, "investigation and its settings"),
    role("Security Admin", PLATFORM, Privileged, "security settings, without Live Terminal"),
    role("Privileged Security Admin", PLATFORM, Privileged, "the most powerful security role"),
    role("Viewer", PLATFORM, Plain, "looks at most of the product, changes nothing"),
    role("Developer", PLATFORM, Plain, "application security for developers"),
    role("AppSec Admin", PLATFORM, Plain, "application security"),
    role("DevSecOps", PLATFORM, Plain, "application security in pipelines"),
    role("Compliance Administrator", PLATFORM, Plain, "compliance"),
    role("AI Security Viewer", PLATFORM, Plain, "looks at AI security"),
    role("AI Security Administrator", PLATFORM, Plain, "AI security"),
    role("Data Security Viewer", PLATFORM, Plain, "looks at data security"),
    role("Data Security Administrator", PLATFORM, Plain, "data security"),
    role("Identity Security Viewer", PLATFORM, Plain, "looks at identity security"),
    role("Identity Security Administrator", PLATFORM, Plain, "identity security"),
    role(
        "Identity Security Runtime Viewer",
        PLATFORM,
        Plain,
        "looks at identity security at run time",
    ),
    role(
        "Identity Security Runtime Administrator",
        PLATFORM,
        Plain,
        "identity security at run time",
    ),
    role("Exposure Management Administrator", PLATFORM, Plain, "exposure management"),
    role("Generic Collector", PLATFORM, Machine, "the least for scanners of third parties"),
    role("App Service Account", PLATFORM, Machine, "notebooks and apps; datasets unrestricted"),
    role("CLI Role", PLATFORM, Machine, "scans by the vendor's command line"),
    PredefinedRole {
        components: &[("Credentials", Permission::None)],
        ..role("CLI Read Only Role", PLATFORM, Machine, "scans that change nothing")
    },
    role("Analyst", &[Product::Xsoar8, Product::Xpanse], Plain, "works on incidents"),
    role("Read-Only", &[Product::Xsoar8], Plain, "looks, changes nothing"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Component;

    #[test]
    fn the_tables_hold_no_name_twice() {
        for (i, role) in PREDEFINED_ROLES.iter().enumerate() {
            assert!(PREDEFINED_ROLES[..i].iter().all(|other| other.name != role.name));
            assert!(!role.note.is_empty());
            for (component, _) in role.components {
                assert!(Component::by_name(component).is_some(), "{component}");
            }
        }
        for (i, component) in COMPONENTS.iter().enumerate() {
            assert!(COMPONENTS[..i].iter().all(|other| other.name != component.name));
        }
    }

    #[test]
    fn only_administrators_assign_the_administrators_role() {
        let manager = Role {
            components: &[
                ("Access Management", Permission::Edit),
                ("Public API", Permission::Edit),
            ],
            ..Role::unknown("Manager")
        };
        let admin = PredefinedRole::by_name("Instance Administrator").unwrap().role();
        assert_eq!(Rights(&[manager]).may_assign("Viewer"), Some(true));
        assert_eq!(Rights(&[manager]).may_assign("Instance Administrator"), Some(false));
        assert_eq!(Rights(&[manager, admin]).may_assign("Instance Administrator"), Some(true));
        assert_eq!(Rights(&[Role::unknown("?")]).may_assign("Viewer"), None);
        assert_eq!(Rights(&[]).makes_keys(), Some(false));
        assert_eq!(Rights(&[admin]).makes_keys(), Some(true));
    }
}

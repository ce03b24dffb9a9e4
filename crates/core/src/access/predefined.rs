//! The product's predefined roles: their names here, their grants in [`grants`](super::grants).

use super::grants::{self, RoleGrants};
use super::known::KnownLevel;
use super::product::Product;
use super::role::{ACCOUNT_ADMIN, Actions, INSTANCE_ADMINISTRATOR, Role};

/// A predefined role of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct PredefinedRole {
    /// Its display name.
    pub name: &'static str,
    /// The products that have it.
    pub products: &'static [Product],
    /// Whether the role is privileged: an administrator's role, or one with destructive actions.
    pub privileged: bool,
    /// Whether it is meant for machines, and so suitable for a key.
    pub machine: bool,
    /// Whether it grants everything.
    pub holds_all: bool,
    /// A description from the product's documents, if there is one.
    pub note: &'static str,
}

impl PredefinedRole {
    /// Looks up a role by its exact name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PREDEFINED_ROLES.iter().find(|role| role.name == name)
    }

    /// The roles of a product.
    pub fn for_product(product: Product) -> impl Iterator<Item = &'static Self> {
        PREDEFINED_ROLES.iter().filter(move |role| role.products.contains(&product))
    }

    /// The public facts about the role in a product. Facts about one product do not apply to
    /// another: if the product is unknown, only the name is known.
    pub fn grants_in(&self, product: Product) -> Option<&'static RoleGrants> {
        grants::for_product(product).iter().find(|grants| grants.role == self.name)
    }

    /// The role in a product, for decisions.
    pub fn role_in<'a>(&self, product: Option<Product>) -> Role<&'a str> {
        let unknown = Role { holds_all: self.holds_all, ..Role::unknown(self.name) };
        let Some(known) = product.and_then(|product| self.grants_in(product)) else {
            return unknown;
        };
        let others = known.others.map_or(KnownLevel::UNKNOWN, |others| others.level);
        let RoleGrants { grants, actions: Actions { held, lacked, is_complete }, .. } = *known;
        Role { grants, others, actions: Actions { held, lacked, is_complete }, ..unknown }
    }
}

const EVERYWHERE: &[Product] = &Product::ALL;
/// The platform that XSIAM, XDR 5, Cortex Cloud and AgentiX share.
const PLATFORM: &[Product] =
    &[Product::Xsiam, Product::Xdr5, Product::CortexCloud, Product::Agentix];

/// The marks of a role in the table below.
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
    }
}

use Mark::{Machine, Plain, Privileged, Super};

/// The predefined roles, with their public facts.
pub const PREDEFINED_ROLES: &[PredefinedRole] = &[
    role(ACCOUNT_ADMIN, EVERYWHERE, Super, "full access to all tenants; assigned in the Gateway"),
    role(INSTANCE_ADMINISTRATOR, EVERYWHERE, Super, "full access to this tenant"),
    role("Deployment Admin", PLATFORM, Privileged, "agents, their installation and their policies"),
    role("IT Admin", PLATFORM, Plain, "endpoints, without Live Terminal"),
    role("Privileged IT Admin", PLATFORM, Privileged, "like IT Admin, with Live Terminal"),
    role(
        "Scoped Agent Admin",
        PLATFORM,
        Plain,
        "agents within a scope; formerly Scoped Endpoint Admin",
    ),
    role("Scoped Endpoint Admin", PLATFORM, Plain, "the older name of Scoped Agent Admin"),
    role("Investigator", PLATFORM, Plain, "investigates cases"),
    role(
        "Privileged Investigator",
        PLATFORM,
        Privileged,
        "investigates cases, with further permissions",
    ),
    role("Responder", PLATFORM, Plain, "responds to cases"),
    role("Privileged Responder", PLATFORM, Privileged, "like Responder, with Live Terminal"),
    role("Investigation Admin", PLATFORM, Privileged, "investigation and its settings"),
    role("Security Admin", PLATFORM, Privileged, "security settings, without Live Terminal"),
    role("Privileged Security Admin", PLATFORM, Privileged, "the most powerful security role"),
    role("Viewer", PLATFORM, Plain, "views most of the product, changes nothing"),
    role("Developer", PLATFORM, Plain, "application security for developers"),
    role("AppSec Admin", PLATFORM, Plain, "application security"),
    role("DevSecOps", PLATFORM, Plain, "application security in pipelines"),
    role("Compliance Administrator", PLATFORM, Plain, "compliance"),
    role("AI Security Viewer", PLATFORM, Plain, "views AI security"),
    role("AI Security Administrator", PLATFORM, Plain, "AI security"),
    role("Data Security Viewer", PLATFORM, Plain, "views data security"),
    role("Data Security Administrator", PLATFORM, Plain, "data security"),
    role("Identity Security Viewer", PLATFORM, Plain, "views identity security"),
    role("Identity Security Administrator", PLATFORM, Plain, "identity security"),
    role(
        "Identity Security Runtime Viewer",
        PLATFORM,
        Plain,
        "views identity security at run time",
    ),
    role(
        "Identity Security Runtime Administrator",
        PLATFORM,
        Plain,
        "identity security at run time",
    ),
    role("Exposure Management Administrator", PLATFORM, Plain, "exposure management"),
    role("Generic Collector", PLATFORM, Machine, "the minimum for third-party scanners"),
    role("App Service Account", PLATFORM, Machine, "notebooks and apps; datasets unrestricted"),
    role("CLI Role", PLATFORM, Machine, "scans by the vendor's command line"),
    role("CLI Read Only Role", PLATFORM, Machine, "scans that change nothing"),
    role("Analyst", &[Product::Xsoar8, Product::Xpanse], Plain, "works on incidents"),
    role("Read-Only", &[Product::Xsoar8], Plain, "views, changes nothing"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Certainty, Component, Permission, Rights};

    #[test]
    fn the_table_holds_no_name_twice() {
        for (i, role) in PREDEFINED_ROLES.iter().enumerate() {
            assert!(PREDEFINED_ROLES[..i].iter().all(|other| other.name != role.name));
            assert!(!role.note.is_empty());
        }
    }

    #[test]
    fn grants_are_of_roles_components_and_actions_that_exist() {
        for product in Product::ALL {
            let components = Component::for_product(product);
            let actions = || components.iter().flat_map(|component| component.actions);
            for (i, known) in grants::for_product(product).iter().enumerate() {
                let role = known.role;
                assert!(
                    PredefinedRole::for_product(product).any(|other| other.name == role),
                    "{role}"
                );
                assert!(
                    grants::for_product(product)[..i].iter().all(|other| other.role != role),
                    "{role}"
                );
                for (i, grant) in known.grants.iter().enumerate() {
                    let name = grant.component;
                    assert!(components.iter().any(|c| c.name == name), "{role}: {name}");
                    assert!(known.grants[..i].iter().all(|g| g.component != name), "{name}");
                    assert!(!grant.source.is_empty(), "{role}: {name}");
                }
                for action in known.actions.held.iter().chain(known.actions.lacked) {
                    assert!(actions().any(|known| known == action), "{role}: {action}");
                }
            }
        }
    }

    #[test]
    fn a_role_is_known_in_the_product_whose_documents_describe_it() {
        let viewer = PredefinedRole::by_name("Viewer").unwrap();
        let can_generate_keys = |product| Rights(&[viewer.role_in(product)]).can_generate_keys();
        assert_eq!(can_generate_keys(Some(Product::Xsiam)), Some(false));
        assert_eq!(can_generate_keys(Some(Product::CortexCloud)), None);
        assert_eq!(can_generate_keys(None), None);
        let read_only = PredefinedRole::by_name("Read-Only").unwrap();
        let read_only = [read_only.role_in(Some(Product::Xsoar8))];
        let view = Rights(&read_only).reaches("Playbooks", Permission::View);
        assert_eq!(view, Some((true, Certainty::Documented)));
    }

    #[test]
    fn a_role_for_decisions_has_all_published_facts() {
        let mut count = 0;
        for product in Product::ALL {
            for known in grants::for_product(product) {
                let predefined = PredefinedRole::by_name(known.role).unwrap();
                let role = predefined.role_in(Some(product));
                assert_eq!(
                    (role.grants, role.actions),
                    (known.grants, known.actions),
                    "{}",
                    known.role
                );
                let others = known.others.map_or(KnownLevel::UNKNOWN, |others| others.level);
                assert_eq!((role.name, role.others), (known.role, others));
                count += role.actions.held.len();
            }
        }
        assert!(count > 0, "actions are published");
    }

    #[test]
    fn contradictory_documents_leave_a_level_unknown() {
        let responder = PredefinedRole::by_name("Responder").unwrap();
        let responder = [responder.role_in(Some(Product::Xsiam))];
        let rules = Rights(&responder).component("Detection Rules");
        assert_eq!(rules, KnownLevel::UNKNOWN);
        assert_eq!(Rights(&responder).can_generate_keys(), Some(false));
    }
}

//! The roles of a tenant: the core's predefined ones, and custom ones.

use std::borrow::Cow;

use cortexkey_core::access::{
    Actions, Component, Grant, KnownLevel, Permission, PredefinedRole, Product, Role,
};

use crate::permissions::{self, RequestedPermission};
use cortexkey_api::role::DatasetPermission;
use thiserror::Error;

/// The role of the seeded keys.
pub(crate) const INSTANCE_ADMINISTRATOR: &str = "Instance Administrator";

use Permission::{Edit, View};

const VIEWS_CASES: (&str, Permission) = ("Cases and Issues", View);
const EDITS_CASES: (&str, Permission) = ("Cases and Issues", Edit);
const VIEWS_ASSETS: (&str, Permission) = ("Asset Inventory", View);
const VIEWS_GROUPS: (&str, Permission) = ("Asset Groups", View);
const MANAGES_AGENTS: (&str, Permission) = ("Agent Administrations", Edit);

/// The assumed permissions of predefined roles on the components that the emulator's calls need,
/// where nothing more is public. `docs/tenant.md` lists them.
pub const ASSUMED_ROLES: &[(&str, &[(&str, Permission)])] = &[
    (
        "Viewer",
        &[VIEWS_CASES, VIEWS_ASSETS, VIEWS_GROUPS, ("Auditing", View), ("Public API", View)],
    ),
    ("Investigator", &[VIEWS_CASES, VIEWS_ASSETS]),
    ("Privileged Investigator", &[EDITS_CASES, VIEWS_ASSETS]),
    ("Responder", &[EDITS_CASES, VIEWS_ASSETS]),
    ("Privileged Responder", &[EDITS_CASES, VIEWS_ASSETS, MANAGES_AGENTS]),
    ("IT Admin", &[MANAGES_AGENTS, VIEWS_ASSETS]),
    ("Privileged IT Admin", &[MANAGES_AGENTS, VIEWS_ASSETS]),
    ("Deployment Admin", &[MANAGES_AGENTS]),
    ("Scoped Agent Admin", &[MANAGES_AGENTS]),
    ("Scoped Endpoint Admin", &[MANAGES_AGENTS]),
    ("Analyst", &[EDITS_CASES]),
    ("Read-Only", &[VIEWS_CASES]),
];

const NOTHING: KnownLevel = KnownLevel::exactly(Permission::None);

/// A predefined role, with a level for every component.
struct CompleteRole {
    public: &'static PredefinedRole,
    role: Role<String>,
}

impl CompleteRole {
    fn of(public: &'static PredefinedRole, product: Product) -> Self {
        let mut role = public.role_in(Some(product)).to_owned();
        let mut grants: Vec<Grant<String>> = Vec::new();
        for grant in role.grants {
            if let Some(level) = settled(grant.level) {
                grants.push(Grant::listed(grant.component, level));
            }
        }
        let others = settled(role.others);
        if others.is_none() {
            let assumed = ASSUMED_ROLES.iter().find(|(name, _)| *name == public.name);
            for (component, level) in assumed.map_or(&[][..], |(_, levels)| *levels) {
                if !grants.iter().any(|grant| grant.component == *component) {
                    grants.push(Grant::listed((*component).to_owned(), *level));
                }
            }
        }
        role.grants = grants;
        role.others = others.map_or(NOTHING, KnownLevel::exactly);
        role.actions = only(role.actions.held);
        Self { public, role }
    }
}

/// Exactly these actions.
fn only(held: Vec<String>) -> Actions<String> {
    Actions { held, lacked: Vec::new(), is_complete: true }
}

/// The level that the emulator assumes for a role: of a bound, view.
fn settled(level: KnownLevel) -> Option<Permission> {
    match level.exact() {
        Some(level) => Some(level),
        None if level == KnownLevel::UNKNOWN => None,
        None => Some(View),
    }
}

/// A custom role. It does not grant what it does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole(pub(crate) Role<String>);

impl CustomRole {
    /// A role without permissions. The name of a predefined role is not available.
    pub fn new(name: impl Into<String>) -> Result<Self, CustomRoleError> {
        let name = name.into();
        if PredefinedRole::by_name(&name).is_some() {
            return Err(CustomRoleError::NameTaken);
        }
        let role = Role { others: NOTHING, actions: only(Vec::new()), ..Role::unknown(name) };
        Ok(Self(role))
    }

    /// Its display name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Adds a component at a level, both by the console's names.
    pub fn with(mut self, component: &str, level: Permission) -> Result<Self, CustomRoleError> {
        let mut names = Component::renamed(component).to_vec();
        if names.is_empty() {
            let known = Component::by_name(component).ok_or(CustomRoleError::UnknownComponent)?;
            names.push(known.name);
        }
        for name in names {
            self.0.grants.retain(|grant| grant.component != name);
            self.0.grants.push(Grant::listed(name.to_owned(), level));
        }
        Ok(self)
    }

    /// Adds a named action, by the console's name.
    pub fn with_action(mut self, action: &str) -> Result<Self, CustomRoleError> {
        let known = permissions::action(action).ok_or(CustomRoleError::UnknownAction)?;
        let held = &mut self.0.actions.held;
        if !held.iter().any(|action| action == known) {
            held.push(known.to_owned());
        }
        Ok(self)
    }

    /// Adds a permission by its name in the product's API; `None` if there is no such name.
    pub(crate) fn with_permission(self, name: &str) -> Option<Self> {
        match permissions::requested(name)? {
            RequestedPermission::Component(component, level) => {
                let held = self.0.grants.iter().find(|grant| grant.component == component);
                let level = held.map_or(level, |grant| level.max(grant.level.lowest()));
                self.with(component, level).ok()
            }
            RequestedPermission::Action(action) => self.with_action(action).ok(),
        }
    }
}

/// Why a role cannot be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CustomRoleError {
    /// A predefined role has the name.
    #[error("a predefined role has this name\nhelp: choose another")]
    NameTaken,
    /// The product has no such component.
    #[error("no component has this name\nhelp: write it as the console does")]
    UnknownComponent,
    /// The product has no such action.
    #[error("no action has this name\nhelp: write it as the console does")]
    UnknownAction,
}

/// A custom role of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct RoleEntry {
    /// Its number among all roles ever created.
    pub(crate) number: u64,
    pub(crate) role_id: String,
    pub(crate) role: Role<String>,
    pub(crate) description: Option<String>,
    /// The datasets that it opens, as requested.
    pub(crate) datasets: Vec<DatasetPermission>,
    pub(crate) created_by: String,
    pub(crate) created_ms: u64,
}

/// All roles of a tenant.
pub(crate) struct Roles {
    product: Product,
    predefined: Vec<CompleteRole>,
    pub(crate) custom: Vec<RoleEntry>,
    /// How many custom roles were ever created: an id is never reused.
    pub(crate) made: u64,
}

impl Roles {
    pub(crate) fn new(product: Product, custom: Vec<CustomRole>, now_ms: u64) -> Self {
        let given = |(at, role): (usize, CustomRole)| RoleEntry {
            number: 0,
            role_id: format!("given_role_{}", at + 1),
            role: role.0,
            description: None,
            datasets: Vec::new(),
            created_by: "tenant@localhost".to_owned(),
            created_ms: now_ms,
        };
        let predefined =
            PredefinedRole::for_product(product).map(|role| CompleteRole::of(role, product));
        Self {
            product,
            predefined: predefined.collect(),
            custom: custom.into_iter().enumerate().map(given).collect(),
            made: 0,
        }
    }

    /// The emulated product.
    pub(crate) fn product(&self) -> Product {
        self.product
    }

    /// Adds a role; returns its id.
    pub(crate) fn add(
        &mut self,
        role: CustomRole,
        (description, datasets): (Option<String>, Vec<DatasetPermission>),
        created_by: &str,
        created_ms: u64,
    ) -> &RoleEntry {
        self.made += 1;
        let role_id = format!("custom_role_{}", self.made);
        let created_by = created_by.to_owned();
        let at = self.custom.len();
        let number = self.made;
        self.custom.push(RoleEntry {
            number,
            role_id,
            role: role.0,
            description,
            datasets,
            created_by,
            created_ms,
        });
        &self.custom[at]
    }

    /// Deletes a role.
    pub(crate) fn remove(&mut self, role_id: &str) -> Option<RoleEntry> {
        let at = self.custom.iter().position(|entry| entry.role_id == role_id)?;
        Some(self.custom.remove(at))
    }

    /// Restores a stored role, replacing one of the same name.
    pub(crate) fn restore(&mut self, number: u64, entry: RoleEntry) {
        self.custom.retain(|known| known.role.name != entry.role.name);
        self.custom.push(entry);
        self.made = self.made.max(number);
    }

    /// The predefined roles of this tenant.
    pub(crate) fn predefined(&self) -> impl Iterator<Item = &'static PredefinedRole> {
        self.predefined.iter().map(|role| role.public)
    }

    /// The id of a predefined role. The product's ids are not public; these do not resemble the
    /// name, so that a client that confuses the two is noticed.
    pub(crate) fn predefined_id(role: &PredefinedRole) -> String {
        // FNV-1a: the same in every tenant and version.
        let hash = role.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// The display name of the role with this id.
    pub(crate) fn name_of(&self, role_id: &str) -> Option<&str> {
        let custom = self.custom.iter().find(|entry| entry.role_id == role_id);
        custom.map(|entry| entry.role.name.as_str()).or_else(|| {
            self.predefined()
                .find(|role| Self::predefined_id(role) == role_id)
                .map(|role| role.name)
        })
    }

    /// The id of the role with this display name.
    pub(crate) fn id_of(&self, name: &str) -> Option<String> {
        let custom = self.custom.iter().find(|entry| entry.role.name == name);
        custom
            .map(|entry| entry.role_id.clone())
            .or_else(|| self.predefined().find(|role| role.name == name).map(Self::predefined_id))
    }

    /// The role with this display name.
    pub(crate) fn find(&self, name: &str) -> Option<&Role<String>> {
        let predefined = self.predefined.iter().map(|role| &role.role);
        let custom = self.custom.iter().map(|entry| &entry.role);
        predefined.chain(custom).find(|role| role.name == name)
    }

    /// The roles with these names, as far as they exist.
    pub(crate) fn all(&self, names: &[String]) -> Vec<Role<Cow<'_, str>>> {
        names.iter().filter_map(|name| self.find(name).map(Role::borrowed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cortexkey_core::access::Rights;

    #[test]
    fn names_are_found_as_they_are_written() {
        let custom = CustomRole::new("Key maker").unwrap().with("Public API", Edit).unwrap();
        let roles = Roles::new(Product::Xsiam, vec![custom], 1);
        assert!(roles.find(INSTANCE_ADMINISTRATOR).is_some_and(|role| role.holds_all));
        assert!(roles.find("Generic Collector").is_some());
        assert!(roles.find("instance_administrator").is_none());
        assert!(roles.find("Analyst").is_none(), "of another product");
        let key_maker = roles.all(&["Key maker".to_owned()]);
        assert_eq!(Rights(&key_maker).component("Public API").exact(), Some(Edit));
        assert_eq!(Rights(&key_maker).component("Auditing"), NOTHING);
    }

    #[test]
    fn assumed_facts_name_existing_roles_and_components() {
        for (name, components) in ASSUMED_ROLES {
            assert!(PredefinedRole::by_name(name).is_some(), "{name}");
            for (component, _) in *components {
                assert!(Component::by_name(component).is_some(), "{component}");
            }
        }
    }

    #[test]
    fn predefined_roles_are_decided_by_public_facts() {
        let roles = Roles::new(Product::Xsiam, vec![], 1);
        let held = |role: &str, component: &str| {
            Rights(&roles.all(&[role.to_owned()])).component(component).exact()
        };
        // A public level, a bound, and an assumed level.
        assert_eq!(held("IT Admin", "Data Sources"), Some(Edit));
        assert_eq!(held("Viewer", "Public API"), Some(View));
        assert_eq!(held("Privileged Investigator", "Asset Inventory"), Some(View));
        // Public rather than assumed.
        assert_eq!(held("Investigator", "Cases and Issues"), Some(Edit));
        assert_eq!(held("Generic Collector", "Auditing"), Some(Permission::None));
    }

    #[test]
    fn custom_roles_are_checked() {
        assert_eq!(CustomRole::new("Viewer").err(), Some(CustomRoleError::NameTaken));
        let role = || CustomRole::new("A").unwrap();
        assert_eq!(role().with("Pubic API", Edit).err(), Some(CustomRoleError::UnknownComponent));
        assert_eq!(role().with_action("Reboot").err(), Some(CustomRoleError::UnknownAction));
        let both = role().with_permission("public_api_action").unwrap();
        let both = both.with_permission("public_api_view").unwrap();
        assert_eq!(
            both.0.grants,
            [Grant::listed("Public API".to_owned(), Edit)],
            "the higher level stays"
        );
        let renamed = role().with("Scans", View).unwrap();
        assert_eq!(renamed.0.grants.len(), 3, "one of the former names");
        assert!(both.with_permission("public_api").is_none());
    }
}

//! The roles of a tenant: the predefined ones, which the core knows, and custom ones.
//!
//! It refuses to decide: it looks roles up, and the core answers.

use core::fmt;

use cortexkey_core::access::{COMPONENTS, Component, Permission, PredefinedRole, Product, Role};

use crate::permissions::{self, Asked};

/// The role that the seeded keys have.
pub(crate) const INSTANCE_ADMINISTRATOR: &str = "Instance Administrator";

use Permission::{Edit, View};

const VIEWS_CASES: (&str, Permission) = ("Cases and Issues", View);
const EDITS_CASES: (&str, Permission) = ("Cases and Issues", Edit);
const VIEWS_ASSETS: (&str, Permission) = ("Asset Inventory", View);
const VIEWS_GROUPS: (&str, Permission) = ("Asset Groups", View);
const MANAGES_AGENTS: (&str, Permission) = ("Administrations", Edit);

/// What this tenant takes predefined roles to hold, where the core knows nothing. Only what its
/// own calls ask for is here; `docs/tenant.md` lists it.
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

/// A role that somebody made: a name, and what it holds. What it does not list it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    pub(crate) name: String,
    pub(crate) components: Vec<(&'static str, Permission)>,
    pub(crate) actions: Vec<&'static str>,
}

impl CustomRole {
    /// A role that holds nothing yet. The name of a predefined role is taken.
    pub fn new(name: impl Into<String>) -> Result<Self, CustomRoleError> {
        let name = name.into();
        if PredefinedRole::by_name(&name).is_some() {
            return Err(CustomRoleError::NameTaken);
        }
        Ok(Self { name, components: Vec::new(), actions: Vec::new() })
    }

    /// Its display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With a component at a level, both as the console names them.
    pub fn with(mut self, component: &str, level: Permission) -> Result<Self, CustomRoleError> {
        let known = Component::by_name(component).ok_or(CustomRoleError::UnknownComponent)?;
        self.components.retain(|(name, _)| *name != known.name);
        self.components.push((known.name, level));
        Ok(self)
    }

    /// With a named action, as the console names it.
    pub fn with_action(mut self, action: &str) -> Result<Self, CustomRoleError> {
        let known = permissions::action(action).ok_or(CustomRoleError::UnknownAction)?;
        if !self.actions.contains(&known) {
            self.actions.push(known);
        }
        Ok(self)
    }

    /// With level none for everything that it does not list: of a role that was made here, nothing
    /// is unknown.
    fn complete(mut self) -> Self {
        for component in COMPONENTS {
            if !self.components.iter().any(|(name, _)| *name == component.name) {
                self.components.push((component.name, Permission::None));
            }
        }
        self
    }

    /// With what a name in the product's API asks for; `None` where it is no such name.
    pub(crate) fn with_permission(mut self, name: &str) -> Option<Self> {
        match permissions::asked(name)? {
            Asked::Component(component, level) => {
                let held = self.components.iter().find(|(name, _)| *name == component);
                let level = held.map_or(level, |(_, held)| level.max(*held));
                self.with(component, level).ok()
            }
            Asked::Action(action) => {
                if !self.actions.contains(&action) {
                    self.actions.push(action);
                }
                Some(self)
            }
        }
    }
}

/// Why a role cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomRoleError {
    /// A predefined role has the name.
    NameTaken,
    /// The product has no such component.
    UnknownComponent,
    /// The product has no such action.
    UnknownAction,
}

impl fmt::Display for CustomRoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTaken => "a predefined role has this name; choose another",
            Self::UnknownComponent => "no component has this name; write it as the console does",
            Self::UnknownAction => "no action has this name; write it as the console does",
        })
    }
}

impl core::error::Error for CustomRoleError {}

/// A custom role of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct RoleEntry {
    /// Which of the roles that were ever made.
    pub(crate) number: u64,
    pub(crate) role_id: String,
    pub(crate) role: CustomRole,
    pub(crate) description: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_ms: u64,
}

/// All roles of a tenant.
pub(crate) struct Roles {
    product: Product,
    pub(crate) custom: Vec<RoleEntry>,
    /// How many custom roles were ever made: an id is never given twice.
    pub(crate) made: u64,
}

impl Roles {
    pub(crate) fn new(product: Product, custom: Vec<CustomRole>, now_ms: u64) -> Self {
        let given = |(at, role): (usize, CustomRole)| RoleEntry {
            number: 0,
            role_id: format!("given_role_{}", at + 1),
            role: role.complete(),
            description: None,
            created_by: "tenant@localhost".to_owned(),
            created_ms: now_ms,
        };
        Self { product, custom: custom.into_iter().enumerate().map(given).collect(), made: 0 }
    }

    /// Which product the tenant is.
    pub(crate) fn product(&self) -> Product {
        self.product
    }

    /// Adds a role; its id.
    pub(crate) fn add(
        &mut self,
        role: CustomRole,
        description: Option<String>,
        created_by: &str,
        created_ms: u64,
    ) -> &RoleEntry {
        self.made += 1;
        let role_id = format!("custom_role_{}", self.made);
        let role = role.complete();
        let created_by = created_by.to_owned();
        let at = self.custom.len();
        let number = self.made;
        self.custom.push(RoleEntry { number, role_id, role, description, created_by, created_ms });
        &self.custom[at]
    }

    /// Takes a role away.
    pub(crate) fn remove(&mut self, role_id: &str) -> Option<RoleEntry> {
        let at = self.custom.iter().position(|entry| entry.role_id == role_id)?;
        Some(self.custom.remove(at))
    }

    /// Puts a role back that was kept, in place of one of the same name.
    pub(crate) fn restore(&mut self, number: u64, mut entry: RoleEntry) {
        self.custom.retain(|known| known.role.name != entry.role.name);
        entry.role = entry.role.complete();
        self.custom.push(entry);
        self.made = self.made.max(number);
    }

    /// The predefined roles that this tenant has.
    pub(crate) fn predefined(&self) -> impl Iterator<Item = &'static PredefinedRole> {
        PredefinedRole::of(self.product)
    }

    /// The id of a predefined role. The product's are not public; these do not resemble the name, so
    /// that whoever sends the one for the other is found out.
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

    /// The role with this display name.
    pub(crate) fn find(&self, name: &str) -> Option<Role<'_>> {
        if let Some(predefined) = self.predefined().find(|role| role.name == name) {
            let assumed = ASSUMED_ROLES.iter().find(|(assumed, _)| *assumed == name);
            let components = assumed.map_or(predefined.components, |(_, components)| components);
            return Some(Role { components, ..predefined.role() });
        }
        let role = &self.custom.iter().find(|entry| entry.role.name == name)?.role;
        Some(Role {
            name: &role.name,
            holds_all: false,
            components: &role.components,
            actions: Some(&role.actions),
        })
    }

    /// The roles with these names, as far as there are any.
    pub(crate) fn all(&self, names: &[String]) -> Vec<Role<'_>> {
        names.iter().filter_map(|name| self.find(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_they_are_written() {
        let custom = CustomRole::new("Key maker").unwrap().with("Public API", Edit).unwrap();
        let roles = Roles::new(Product::Xsiam, vec![custom], 1);
        assert!(roles.find(INSTANCE_ADMINISTRATOR).is_some_and(|role| role.holds_all));
        assert!(roles.find("Generic Collector").is_some());
        assert!(roles.find("instance_administrator").is_none());
        assert!(roles.find("Analyst").is_none(), "of another product");
        let components = roles.find("Key maker").unwrap().components;
        assert_eq!(components[0], ("Public API", Edit));
        assert!(components.contains(&("Auditing", Permission::None)));
    }

    #[test]
    fn what_is_assumed_is_of_roles_and_components_that_there_are() {
        for (name, components) in ASSUMED_ROLES {
            let role = PredefinedRole::by_name(name).unwrap();
            assert!(role.components.is_empty(), "the core knows what {name} holds");
            for (component, _) in *components {
                assert!(Component::by_name(component).is_some(), "{component}");
            }
        }
    }

    #[test]
    fn custom_roles_are_checked() {
        assert_eq!(CustomRole::new("Viewer").err(), Some(CustomRoleError::NameTaken));
        let role = || CustomRole::new("A").unwrap();
        assert_eq!(role().with("Pubic API", Edit).err(), Some(CustomRoleError::UnknownComponent));
        assert_eq!(role().with_action("Reboot").err(), Some(CustomRoleError::UnknownAction));
        let both = role().with_permission("public_api_action").unwrap();
        let both = both.with_permission("public_api_view").unwrap();
        assert_eq!(both.components, [("Public API", Edit)], "the higher level stays");
        assert!(both.with_permission("public_api").is_none());
    }
}

//! The roles of a tenant: the predefined ones, which the core knows, and custom ones.
//!
//! It refuses to decide: it looks roles up, and the core's [`Rights`] answer.

use core::fmt;

use cortexkey_core::access::{Component, Permission, PredefinedRole, Rights, Role};

/// The role that the seeded keys have.
pub(crate) const INSTANCE_ADMINISTRATOR: &str = "Instance Administrator";

/// The component that says who manages keys.
const PUBLIC_API: &str = "Public API";

/// What this tenant takes a predefined role to hold, where the core knows nothing.
const ASSUMED: &[(&str, &[(&str, Permission)])] = &[("Viewer", &[(PUBLIC_API, Permission::View)])];

/// A role that somebody made: a name, and the components that it holds. What it does not list it
/// does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    name: String,
    components: Vec<(&'static str, Permission)>,
}

impl CustomRole {
    /// A role that holds nothing yet. The name of a predefined role is taken.
    pub fn new(name: impl Into<String>) -> Result<Self, CustomRoleError> {
        let name = name.into();
        if PredefinedRole::by_name(&name).is_some() {
            return Err(CustomRoleError::NameTaken);
        }
        Ok(Self { name, components: Vec::new() })
    }

    /// With a component at a level, both as the console names them.
    pub fn with(mut self, component: &str, level: Permission) -> Result<Self, CustomRoleError> {
        let known = Component::by_name(component).ok_or(CustomRoleError::UnknownComponent)?;
        self.components.retain(|(name, _)| *name != known.name);
        self.components.push((known.name, level));
        Ok(self)
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
}

impl fmt::Display for CustomRoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTaken => "a predefined role has this name; choose another",
            Self::UnknownComponent => "no component has this name; write it as the console does",
        })
    }
}

impl core::error::Error for CustomRoleError {}

/// All roles of a tenant.
pub(crate) struct Roles {
    custom: Vec<CustomRole>,
}

impl Roles {
    pub(crate) fn new(custom: Vec<CustomRole>) -> Self {
        Self { custom }
    }

    /// The role with this display name.
    pub(crate) fn find(&self, name: &str) -> Option<Role<'_>> {
        if let Some(predefined) = PredefinedRole::by_name(name) {
            let assumed = ASSUMED.iter().find(|(assumed, _)| *assumed == name);
            let components = assumed.map_or(predefined.components, |(_, components)| components);
            return Some(Role { components, ..predefined.role() });
        }
        let role = self.custom.iter().find(|role| role.name == name)?;
        Some(Role { components: &role.components, ..Role::unknown(&role.name) })
    }

    /// The roles with these names, as far as there are any.
    pub(crate) fn all(&self, names: &[String]) -> Vec<Role<'_>> {
        names.iter().filter_map(|name| self.find(name)).collect()
    }
}

/// Whether keys may be listed. What is not known is refused.
pub(crate) fn may_list(held: &[Role<'_>]) -> bool {
    Rights(held).component(PUBLIC_API).0 >= Some(Permission::View)
}

/// Whether keys may be made and deleted. What is not known is refused.
pub(crate) fn may_make(held: &[Role<'_>]) -> bool {
    Rights(held).makes_keys() == Some(true)
}

/// Whether keys with these roles may be made and deleted: the administrators' roles are for
/// administrators.
pub(crate) fn may_handle(held: &[Role<'_>], roles: &[Role<'_>]) -> bool {
    let protected = |role: &&Role<'_>| role.holds_all;
    roles.iter().filter(protected).all(|role| Rights(held).may_assign(role.name) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_they_are_written() {
        let custom = CustomRole::new("Key maker").unwrap().with("Public API", Permission::Edit);
        let roles = Roles::new(vec![custom.unwrap()]);
        assert!(roles.find(INSTANCE_ADMINISTRATOR).is_some_and(|role| role.holds_all));
        assert!(roles.find("Generic Collector").is_some());
        assert!(roles.find("instance_administrator").is_none());
        assert!(may_make(&roles.all(&["Key maker".to_owned()])));
        assert!(may_list(&roles.all(&["Viewer".to_owned()])));
        assert!(!may_make(&roles.all(&["Viewer".to_owned()])));
        assert!(!may_list(&roles.all(&["Responder".to_owned()])), "unknown is refused");
    }

    #[test]
    fn custom_roles_are_checked() {
        assert_eq!(CustomRole::new("Viewer").err(), Some(CustomRoleError::NameTaken));
        let made = CustomRole::new("A").unwrap().with("Pubic API", Permission::Edit);
        assert_eq!(made.err(), Some(CustomRoleError::UnknownComponent));
    }
}

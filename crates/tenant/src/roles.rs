//! The predefined roles, and what they may do with keys.
//!
//! It refuses custom roles: there are none yet.

/// What a role may do in the component *Public API*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Nothing.
    None,
    /// List keys.
    View,
    /// Make and delete keys as well.
    Edit,
}

/// A role.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// The display name, by which requests name it.
    pub(crate) name: &'static str,
    /// What it may do with keys.
    pub(crate) public_api: Access,
    /// Whether only an Instance Administrator gives or takes it.
    pub(crate) protected: bool,
}

/// The role that the seeded keys have.
pub(crate) const INSTANCE_ADMINISTRATOR: &Role =
    &Role { name: "Instance Administrator", public_api: Access::Edit, protected: true };

const ACCOUNT_ADMIN: &Role =
    &Role { name: "Account Admin", public_api: Access::Edit, protected: true };
const VIEWER: &Role = &Role { name: "Viewer", public_api: Access::View, protected: false };

/// Predefined roles of the products that publicly nothing is known of as to the component.
const OTHERS: &[Role] = &[
    other("AI Security Administrator"),
    other("AI Security Viewer"),
    other("Analyst"),
    other("App Service Account"),
    other("AppSec Admin"),
    other("CLI Read Only Role"),
    other("CLI Role"),
    other("Compliance Administrator"),
    other("Data Security Administrator"),
    other("Data Security Viewer"),
    other("Deployment Admin"),
    other("DevSecOps"),
    other("Developer"),
    other("Exposure Management Administrator"),
    other("Generic Collector"),
    other("IT Admin"),
    other("Identity Security Administrator"),
    other("Identity Security Runtime Administrator"),
    other("Identity Security Runtime Viewer"),
    other("Identity Security Viewer"),
    other("Investigation Admin"),
    other("Investigator"),
    other("Privileged IT Admin"),
    other("Privileged Investigator"),
    other("Privileged Responder"),
    other("Privileged Security Admin"),
    other("Read-Only"),
    other("Responder"),
    other("Scoped Agent Admin"),
    other("Scoped Endpoint Admin"),
    other("Security Admin"),
];

const fn other(name: &'static str) -> Role {
    Role { name, public_api: Access::None, protected: false }
}

/// The role with this display name.
pub(crate) fn find(name: &str) -> Option<&'static Role> {
    [INSTANCE_ADMINISTRATOR, ACCOUNT_ADMIN, VIEWER]
        .into_iter()
        .chain(OTHERS)
        .find(|role| role.name == name)
}

/// The highest level that one of the roles has.
pub(crate) fn public_api(roles: &[&Role]) -> Access {
    roles.iter().map(|role| role.public_api).max().unwrap_or(Access::None)
}

/// Whether a key with these roles may give or take protected roles.
pub(crate) fn handles_protected(roles: &[&Role]) -> bool {
    roles.contains(&INSTANCE_ADMINISTRATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_they_are_written() {
        assert_eq!(find("Instance Administrator"), Some(INSTANCE_ADMINISTRATOR));
        assert!(find("Generic Collector").is_some());
        assert!(find("instance_administrator").is_none());
    }

    #[test]
    fn the_highest_level_counts() {
        assert_eq!(public_api(&[]), Access::None);
        assert_eq!(public_api(&[VIEWER, &OTHERS[0]]), Access::View);
        assert_eq!(public_api(&[VIEWER, ACCOUNT_ADMIN]), Access::Edit);
        assert!(!handles_protected(&[ACCOUNT_ADMIN]));
    }
}

//! [`ApiPermission`]: what a role must grant so that a call is allowed.

use core::fmt;

/// A permission that calls about keys need, in the product's words.
///
/// The product's documents disagree about the calls for one key: its interface description requires
/// Access Management, its page on roles Public API. The client reports what the description says,
/// and continues if the tenant allows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiPermission {
    /// List keys.
    PublicApiView,
    /// Generate and delete keys.
    PublicApiEdit,
    /// Read roles, one key, and scopes.
    AccessManagementView,
    /// Edit a key, and replace its scope.
    AccessManagementEdit,
}

impl ApiPermission {
    /// The component of a role, as the console calls it.
    pub const fn component(self) -> &'static str {
        match self {
            Self::PublicApiView | Self::PublicApiEdit => "Public API",
            Self::AccessManagementView | Self::AccessManagementEdit => "Access Management",
        }
    }

    /// The level of the component.
    pub const fn level(self) -> &'static str {
        match self {
            Self::PublicApiView | Self::AccessManagementView => "View",
            Self::PublicApiEdit | Self::AccessManagementEdit => "View/Edit",
        }
    }
}

impl fmt::Display for ApiPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the permission {} ({})", self.component(), self.level())
    }
}

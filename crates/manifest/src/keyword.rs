//! Enumerations: fields with a fixed set of values.
//!
//! Each word is written once, next to its variant. The field tables in [`crate::format`] list these
//! words, and the reader converts them to values.

use cortexkey_core::access::{
    AreaMode, AxisMode, EndpointMode, Permission, Product, Sbac, TagMode, Unreferenced,
};
use cortexkey_core::auth::Level;

/// A type whose values are written as one of a fixed set of words.
pub trait Keyword: Copy + 'static {
    /// All values, in the order of the documentation.
    const ALL: &'static [Self];

    /// The word in a file.
    fn as_str(self) -> &'static str;
}

/// All words of a type.
pub(crate) fn keywords<T: Keyword>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.as_str()).collect()
}

/// Declares an enum together with the word of each variant.
macro_rules! keywords {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The word in a file.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl Keyword for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

/// How serious a finding is; a greater one is more serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be fixed.
    Warning,
    /// Must be fixed.
    Error,
}

impl Severity {
    /// The word in a file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Keyword for Severity {
    const ALL: &'static [Self] = &[Self::Error, Self::Warning, Self::Info];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for AreaMode {
    const ALL: &'static [Self] = &[Self::None, Self::All, Self::Select];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for EndpointMode {
    const ALL: &'static [Self] = &[Self::None, Self::All, Self::Select, Self::Raw];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for AxisMode {
    const ALL: &'static [Self] = &[Self::NoScope, Self::SeeAll, Self::Scope, Self::Any];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for Unreferenced {
    const ALL: &'static [Self] = &[Self::Yes, Self::No, Self::Unknown];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

keywords! {
    /// A list of facts that a policy may open to the policies that extend it.
    Open {
        /// The permissions of predefined roles.
        Roles = "roles",
        /// `catalog.teams`
        Teams = "teams",
        /// `catalog.emailDomains`
        EmailDomains = "emailDomains",
        /// Tenants of a policy that is extended in parallel with this one.
        Tenants = "tenants",
        /// `assetGroups` of a tenant.
        AssetGroups = "assetGroups",
        /// `endpointGroups` of a tenant.
        EndpointGroups = "endpointGroups",
        /// `endpointTags` of a tenant.
        EndpointTags = "endpointTags",
        /// `domains` of a tenant.
        Domains = "domains",
    }
}

impl Keyword for bool {
    const ALL: &'static [Self] = &[true, false];

    fn as_str(self) -> &'static str {
        if self { "true" } else { "false" }
    }
}

impl Keyword for Level {
    const ALL: &'static [Self] = &[Self::Standard, Self::Advanced];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for Permission {
    const ALL: &'static [Self] = &[Self::None, Self::View, Self::Edit];

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for Product {
    const ALL: &'static [Self] = &Self::ALL;

    fn as_str(self) -> &'static str {
        self.as_str()
    }
}

impl Keyword for Sbac {
    const ALL: &'static [Self] = &[Self::Enforced, Self::Disabled, Self::Unknown];

    fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown",
        }
    }
}

impl Keyword for TagMode {
    const ALL: &'static [Self] = &[Self::Permissive, Self::Restrictive];

    fn as_str(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::Restrictive => "restrictive",
        }
    }
}

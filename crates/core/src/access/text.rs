//! [`Text`]: how the access model stores strings and lists.

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt::Debug;
use core::ops::Deref;

use super::known::Grant;

/// A string of the access model. Its type also determines how lists are stored.
///
/// | type | strings | lists | needs |
/// |---|---|---|---|
/// | `&str` | borrowed | borrowed | nothing |
/// | `Cow<str>` | borrowed or owned | owned | the feature `alloc` |
/// | `String` | owned | owned | the feature `alloc` |
///
/// A list alone does not determine the string type, so annotate it where nothing else does: `let
/// role: Role<&str> = …`.
pub trait Text: Deref<Target = str> + Clone + Debug + Eq {
    /// A list of names.
    type Names: Deref<Target = [Self]> + Clone + Debug + Eq;
    /// A list of datasets, each with a filter.
    type Filters: Deref<Target = [(Self, Self)]> + Clone + Debug + Eq;
    /// A list of a role's grants.
    type Grants: Deref<Target = [Grant<Self>]> + Clone + Debug + Eq;

    /// No names.
    const NO_NAMES: Self::Names;
    /// No filters.
    const NO_FILTERS: Self::Filters;
    /// No grants.
    const NO_GRANTS: Self::Grants;
}

impl<'a> Text for &'a str {
    type Names = &'a [&'a str];
    type Filters = &'a [(&'a str, &'a str)];
    type Grants = &'a [Grant<&'a str>];

    const NO_NAMES: Self::Names = &[];
    const NO_FILTERS: Self::Filters = &[];
    const NO_GRANTS: Self::Grants = &[];
}

#[cfg(feature = "alloc")]
macro_rules! owned {
    ($($type:ty),*) => {$(
        impl Text for $type {
            type Names = Vec<Self>;
            type Filters = Vec<(Self, Self)>;
            type Grants = Vec<Grant<Self>>;

            const NO_NAMES: Self::Names = Vec::new();
            const NO_FILTERS: Self::Filters = Vec::new();
            const NO_GRANTS: Self::Grants = Vec::new();
        }
    )*};
}

#[cfg(feature = "alloc")]
owned!(String, Cow<'_, str>);

/// Whether a list contains a name.
pub(super) fn has<S: Text>(names: &[S], name: &str) -> bool {
    names.iter().any(|held| **held == *name)
}

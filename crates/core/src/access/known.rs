//! How much is known of a role's level on a component: [`KnownLevel`], [`Grant`].

use core::fmt;

use super::component::Permission;

/// The bounds of a level: at least [`lowest`](Self::lowest), at most [`highest`](Self::highest).
///
/// The product's documents often give only a bound. *Viewer* "has no edit permissions", which
/// decides that it cannot edit a component, and leaves open whether it can view it.
///
/// ```
/// use cortexkey_core::access::{KnownLevel, Permission};
///
/// let level = KnownLevel::at_most(Permission::View);
/// assert_eq!(level.reaches(Permission::Edit), Some(false));
/// assert_eq!(level.reaches(Permission::View), None);
/// assert_eq!(level.to_string(), "at most view");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KnownLevel {
    lowest: Permission,
    highest: Permission,
}

impl KnownLevel {
    /// Unknown: any level is possible.
    pub const UNKNOWN: Self = Self { lowest: Permission::None, highest: Permission::Edit };

    /// The exact level is known.
    pub const fn exactly(level: Permission) -> Self {
        Self { lowest: level, highest: level }
    }

    /// This level or a higher one.
    pub const fn at_least(level: Permission) -> Self {
        Self { lowest: level, highest: Permission::Edit }
    }

    /// This level or a lower one.
    pub const fn at_most(level: Permission) -> Self {
        Self { lowest: Permission::None, highest: level }
    }

    /// The lowest possible level: the one that is certainly held.
    pub const fn lowest(self) -> Permission {
        self.lowest
    }

    /// The highest possible level.
    pub const fn highest(self) -> Permission {
        self.highest
    }

    /// The level, if only one is possible.
    pub fn exact(self) -> Option<Permission> {
        (self.lowest == self.highest).then_some(self.lowest)
    }

    /// Whether the level reaches the wanted one; `None` if uncertain.
    pub fn reaches(self, wanted: Permission) -> Option<bool> {
        if self.lowest >= wanted {
            Some(true)
        } else if self.highest < wanted {
            Some(false)
        } else {
            None
        }
    }

    /// The union of two roles: the higher level counts.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { lowest: self.lowest.max(other.lowest), highest: self.highest.max(other.highest) }
    }
}

impl From<Permission> for KnownLevel {
    fn from(level: Permission) -> Self {
        Self::exactly(level)
    }
}

impl fmt::Display for KnownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exact(), self.lowest, self.highest) {
            (Some(level), ..) => level.fmt(f),
            (None, Permission::None, Permission::Edit) => f.pad("unknown"),
            (None, lowest, Permission::Edit) => write!(f, "at least {lowest}"),
            (None, _, highest) => write!(f, "at most {highest}"),
        }
    }
}

/// How certain a fact about the product is, in order, the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The organisation's policy lists it.
    Listed,
    /// The product's public documents state it.
    Documented,
    /// It was seen in published examples or reported by users. No document states it.
    Observed,
    /// It is inferred from a description. Decisions ignore it.
    Assumed,
}

impl Certainty {
    /// The name in JSON and documents: `listed`, `documented`, `observed`, `assumed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumed => "assumed",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of a role's grant on one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Grant<S> {
    /// The component's name in the console.
    pub component: S,
    /// The level or its bounds.
    pub level: KnownLevel,
    /// How certain the level is.
    pub certainty: Certainty,
    /// The title of the document or report; empty for what a policy lists.
    pub source: &'static str,
}

impl<S> Grant<S> {
    /// A level that an organisation's policy lists.
    pub const fn listed(component: S, level: Permission) -> Self {
        let level = KnownLevel::exactly(level);
        Self { component, level, certainty: Certainty::Listed, source: "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{Edit, None as Nothing, View};

    #[test]
    fn bounds_settle_what_they_can() {
        let cases = [
            (KnownLevel::exactly(View), [Some(true), Some(true), Some(false)], "view"),
            (KnownLevel::at_least(View), [Some(true), Some(true), None], "at least view"),
            (KnownLevel::at_most(View), [Some(true), None, Some(false)], "at most view"),
            (KnownLevel::UNKNOWN, [Some(true), None, None], "unknown"),
            (KnownLevel::at_least(Edit), [Some(true); 3], "edit"),
            (KnownLevel::at_most(Nothing), [Some(true), Some(false), Some(false)], "none"),
        ];
        for (level, expected, words) in cases {
            assert_eq!([Nothing, View, Edit].map(|wanted| level.reaches(wanted)), expected);
            assert_eq!(std::string::ToString::to_string(&level), words);
        }
    }

    #[test]
    fn a_union_takes_the_higher_of_each_bound() {
        let viewer = KnownLevel::at_most(View);
        assert_eq!(viewer.union(KnownLevel::exactly(View)), KnownLevel::exactly(View));
        assert_eq!(viewer.union(KnownLevel::UNKNOWN), KnownLevel::UNKNOWN);
        assert_eq!(viewer.union(KnownLevel::exactly(Edit)), KnownLevel::exactly(Edit));
        assert_eq!(viewer.union(KnownLevel::at_least(View)), KnownLevel::at_least(View));
    }
}

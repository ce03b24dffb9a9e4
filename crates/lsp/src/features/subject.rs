//! [`Subject`]: what the value of a field refers to.

use super::catalog::CatalogEntry;

/// A kind of name that occurs in several places.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Role,
    Team,
    Tenant,
    Key,
    Rule,
    CatalogEntry(CatalogEntry),
}

impl Subject {
    /// What the field at a path of a definition or policy names.
    pub(super) fn for_field(path: &[&str]) -> Option<Self> {
        Some(match path {
            ["spec", "roles"]
            | [.., "match", "roles"]
            | ["catalog", "roles", "implies"]
            | ["catalog", "roles", "deprecated", "use"]
            | ["catalog", "conflicts"] => Self::Role,
            ["metadata", "owner"] | [.., "match", "owner"] => Self::Team,
            ["metadata", "tenant"] | [.., "match", "tenant"] => Self::Tenant,
            ["waivers", "key"] => Self::Key,
            ["waivers", "rule"] => Self::Rule,
            _ => Self::CatalogEntry(CatalogEntry::for_field(path)?),
        })
    }
}

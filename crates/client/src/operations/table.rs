//! [`Operation`]: one call of the product's API and what it needs.

use core::fmt;
use std::collections::HashMap;
use std::sync::OnceLock;

use cortexkey_core::access::Permission;
use serde::Serialize;

const TABLE: &str = include_str!("table.tsv");
/// The table's mark for an operation whose permission no source names.
const UNKNOWN: &str = "?";
/// The table's mark for the documented permission for agent settings, whose component is not named.
const AGENT_SETTINGS: &str = "agent settings";
/// The table's marks for operations that administer access, and for the others.
const ADMINISTERS: &str = "access";
const ADMINISTERS_NOTHING: &str = "-";

/// How a permission of an operation is known, the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// A public document of the vendor states it.
    Documented,
    /// It was observed on a live tenant.
    Observed,
    /// The name of a component suggests it.
    Assumed,
    /// Nothing is known.
    Unknown,
}

/// What an operation needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// A component at a level.
    Component {
        /// The component's name in the console.
        name: &'static str,
        /// The level.
        level: Permission,
    },
    /// A named action below a component.
    Action {
        /// The component's name.
        component: &'static str,
        /// The action's name.
        name: &'static str,
    },
    /// A role by name.
    Role(&'static str),
    /// A permission that the document describes without naming its component.
    Unnamed(&'static str),
}

/// One call of the product's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with `{…}` for a part that varies.
    pub path: &'static str,
    /// What it needs: any one of these is enough. Empty where that is unknown.
    pub needs: Vec<Need>,
    /// How that is known.
    pub evidence: Evidence,
    /// The document or report.
    pub source: &'static str,
    /// Whether it creates, changes or shows what gives access: keys, scopes, users, roles, groups
    /// and the settings of the sign-in. Lists of users, groups and roles are not included.
    pub administers_access: bool,
}

/// All operations that public documents list.
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: OnceLock<Vec<Operation>> = OnceLock::new();
    OPERATIONS.get_or_init(|| TABLE.lines().filter_map(row).collect())
}

/// Finds the operation of a call; a literal part of a path takes precedence over a part that
/// varies.
pub(super) fn find(method: &str, path: &str) -> Option<&'static Operation> {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(Index::new);
    if let Some(operation) = index.literal.get(&(method, path)) {
        return Some(operation);
    }
    let fits = |operation: &&&Operation| operation.method == method && is_at(operation.path, path);
    let fitting = index.varying.iter().filter(fits).copied();
    fitting.min_by_key(|operation| operation.path.matches('{').count())
}

/// The operations, so that a log of many calls is looked up fast.
struct Index {
    literal: HashMap<(&'static str, &'static str), &'static Operation>,
    /// Those with a part that varies.
    varying: Vec<&'static Operation>,
}

impl Index {
    fn new() -> Self {
        let (varying, literal): (Vec<_>, Vec<_>) =
            operations().iter().partition(|operation| operation.path.contains('{'));
        let entry = |operation: &'static Operation| ((operation.method, operation.path), operation);
        Self { literal: literal.into_iter().map(entry).collect(), varying }
    }
}

fn is_at(template: &str, path: &str) -> bool {
    let mut parts = template.split('/');
    let mut given = path.split('/');
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() => {}
            (Some(part), Some(given)) if part == given => {}
            _ => return false,
        }
    }
}

fn row(line: &'static str) -> Option<Operation> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let method = field()?;
    let path = field()?;
    let needs = field()?;
    let level = field()?;
    let evidence = field()?;
    let source = field()?;
    let administers = field()?;
    if method.starts_with('#') {
        return None;
    }
    let level = level.parse().ok()?;
    let administers_access = match administers {
        ADMINISTERS => true,
        ADMINISTERS_NOTHING => false,
        _ => return None,
    };
    let evidence = match evidence {
        "documented" => Evidence::Documented,
        "observed" => Evidence::Observed,
        "assumed" => Evidence::Assumed,
        _ => Evidence::Unknown,
    };
    let needs = match needs {
        UNKNOWN => Vec::new(),
        AGENT_SETTINGS => vec![Need::Unnamed(AGENT_SETTINGS)],
        needs => needs.split(" | ").map(|need| one(need, level)).collect(),
    };
    Some(Operation { method, path, needs, evidence, source, administers_access })
}

fn one(need: &'static str, level: Permission) -> Need {
    if let Some(role) = need.strip_prefix("role: ") {
        return Need::Role(role);
    }
    match need.split_once(" / ") {
        Some((component, name)) => Need::Action { component, name },
        None => Need::Component { name: need, level },
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { name, level } => write!(f, "{name} ({level})"),
            Self::Action { component, name } => write!(f, "{component}, action {name}"),
            Self::Role(name) => write!(f, "the role {name}"),
            Self::Unnamed(what) => write!(f, "{what}, in a component that is not named"),
        }
    }
}

impl Evidence {
    /// The name in JSON and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumed => "assumed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_core::access::{Component, PredefinedRole};

    use super::*;

    #[test]
    fn every_row_is_read_and_names_what_exists() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((operations().len(), rows), (332, 332));
        for operation in operations() {
            assert!(operation.path.starts_with('/') && !operation.source.is_empty());
            let is_unknown = operation.evidence == Evidence::Unknown;
            assert_eq!(operation.needs.is_empty(), is_unknown, "{operation:?}");
            for need in &operation.needs {
                match need {
                    Need::Component { name, level } => {
                        assert!(Component::by_name(name).is_some(), "{name}");
                        assert_ne!(*level, Permission::None);
                    }
                    Need::Action { component, name } => {
                        let component = Component::by_name(component).unwrap();
                        assert!(component.actions.contains(name), "{name}");
                    }
                    Need::Role(name) => assert!(PredefinedRole::by_name(name).is_some()),
                    Need::Unnamed(_) => assert_eq!(operation.evidence, Evidence::Documented),
                }
            }
        }
        let count = |evidence| operations().iter().filter(|row| row.evidence == evidence).count();
        let grounds =
            [Evidence::Documented, Evidence::Observed, Evidence::Assumed, Evidence::Unknown];
        assert_eq!(grounds.map(count), [95, 5, 182, 50]);
    }

    /// Compares the mark in the table with the permission.
    #[test]
    fn administrative_calls_are_marked() {
        let administers = |need: &Need| {
            matches!(
                need,
                Need::Component {
                    name: "Access Management" | "Public API",
                    level: Permission::Edit
                }
            )
        };
        for operation in operations() {
            let needs_it = operation.needs.iter().any(administers);
            assert!(!needs_it || operation.administers_access, "{operation:?}");
        }
        let marked = operations().iter().filter(|operation| operation.administers_access).count();
        assert_eq!(marked, 19);
    }

    #[test]
    fn a_literal_segment_precedes_a_parameter() {
        let rules = "/public_api/appsec/v1/rules";
        let at = |path: &str| find("GET", path).map(|operation| operation.path);
        assert_eq!(at(&format!("{rules}/rule-labels")), Some(&*format!("{rules}/rule-labels")));
        assert_eq!(at(&format!("{rules}/17")), Some(&*format!("{rules}/{{ruleId}}")));
        assert_eq!((at(&format!("{rules}/")), at(&format!("{rules}/1/2"))), (None, None));
        assert_eq!(find("BREW", rules), None);
    }
}

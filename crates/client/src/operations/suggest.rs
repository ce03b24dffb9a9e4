//! [`suggest`]: the smallest set of permissions for a set of calls, and the roles that hold it.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_core::access::{Certainty, Permission, Rights, Role};
use serde::Serialize;

use super::calls::{ApiCall, CallList};
use super::table::{Evidence, Need};

/// A permission that some calls need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Any one of these is enough.
    pub needs: Vec<Need>,
    /// The strongest basis for it among its calls.
    pub evidence: Evidence,
    /// The document or report for that call.
    pub source: &'static str,
    /// The calls that need it.
    pub calls: Vec<ApiCall>,
}

/// What calls need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// What is needed, each component at its highest level.
    pub required: Vec<Requirement>,
    /// Calls of which no public document or report names the permission.
    pub unknown: Vec<ApiCall>,
    /// Calls that no public document lists.
    pub unlisted: Vec<ApiCall>,
}

/// Whether a role holds everything that calls need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleMatch {
    /// It certainly does.
    Yes,
    /// It may: for some permissions this is unknown.
    Unknown,
    /// It certainly does not.
    No,
}

/// A role, compared with what calls need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The role's name.
    pub name: String,
    /// Whether it holds everything.
    pub fit: RoleMatch,
    /// The weakest basis of the facts behind this result.
    pub certainty: Option<Certainty>,
    /// What it does not hold.
    pub lacks: Vec<Requirement>,
    /// What it may hold; this is unknown.
    pub open: Vec<Requirement>,
    /// What it grants in addition, as far as is known.
    pub excess: Vec<String>,
    /// Whether it holds everything in the product.
    pub holds_all: bool,
    /// Whether it should be granted with care.
    pub privileged: bool,
}

/// What calls need, and the roles, the best first.
#[derive(Clone, Debug, Default)]
pub struct Suggestion {
    /// What is needed.
    pub permissions: Permissions,
    /// All roles that were considered.
    pub roles: Vec<Candidate>,
}

impl Permissions {
    /// Finds out what calls need.
    pub fn required_by(list: &CallList) -> Self {
        let mut found = Self::default();
        let mut all: BTreeMap<Vec<Need>, Requirement> = BTreeMap::new();
        for call in list.calls.keys() {
            let Some((operation, is_suggested)) = call.operation() else {
                found.unlisted.push(call.clone());
                continue;
            };
            if operation.needs.is_empty() {
                found.unknown.push(call.clone());
                continue;
            }
            let evidence = if is_suggested {
                operation.evidence.max(Evidence::Assumed)
            } else {
                operation.evidence
            };
            let new = || Requirement {
                needs: operation.needs.clone(),
                evidence,
                source: operation.source,
                calls: Vec::new(),
            };
            let requirement = all.entry(operation.needs.clone()).or_insert_with(new);
            if evidence < requirement.evidence {
                requirement.evidence = evidence;
                requirement.source = operation.source;
            }
            requirement.calls.push(call.clone());
        }
        found.required = highest(all.into_values().collect());
        found
    }

    /// Whether everything that the calls need is known.
    pub fn is_complete(&self) -> bool {
        let is_named = |requirement: &Requirement| {
            !requirement.needs.iter().any(|need| matches!(need, Need::Unnamed(_)))
        };
        self.unknown.is_empty() && self.unlisted.is_empty() && self.required.iter().all(is_named)
    }
}

/// Drops requirements that others imply: editing implies viewing, and one of several alternatives
/// may be required on its own.
fn highest(all: Vec<Requirement>) -> Vec<Requirement> {
    let alone: BTreeSet<Need> = all
        .iter()
        .filter_map(|requirement| match requirement.needs.as_slice() {
            [need] => Some(need.clone()),
            _ => None,
        })
        .collect();
    let implied = |need: &Need| match need {
        Need::Component { name, level: Permission::View } => {
            alone.contains(&Need::Component { name, level: Permission::Edit })
        }
        _ => false,
    };
    let is_met = |requirement: &Requirement| match requirement.needs.as_slice() {
        [need] => implied(need),
        several => several.iter().any(|need| alone.contains(need) || implied(need)),
    };
    all.into_iter().filter(|requirement| !is_met(requirement)).collect()
}

/// A role with the roles that it implies.
#[derive(Clone, Debug)]
pub struct ExpandedRole {
    /// Its name.
    pub name: String,
    /// It and all that it implies.
    pub roles: Vec<Role<String>>,
    /// Whether one of them should be granted with care.
    pub privileged: bool,
}

/// Compares roles with what calls need; the best role comes first.
pub fn suggest(list: &CallList, roles: impl IntoIterator<Item = ExpandedRole>) -> Suggestion {
    let permissions = Permissions::required_by(list);
    let mut roles: Vec<Candidate> =
        roles.into_iter().map(|role| match_role(&permissions, &role)).collect();
    roles.sort_by(|one, other| rank(one).cmp(&rank(other)));
    Suggestion { permissions, roles }
}

fn rank(candidate: &Candidate) -> (RoleMatch, bool, bool, usize, usize, &str) {
    let Candidate { fit, holds_all, privileged, open, excess, name, .. } = candidate;
    (*fit, *holds_all, *privileged, open.len(), excess.len(), name)
}

/// Compares one role with what calls need.
pub fn match_role(permissions: &Permissions, held_role: &ExpandedRole) -> Candidate {
    let roles = held_role.roles.as_slice();
    let holds_all = roles.iter().any(|role| role.holds_all);
    let mut lacks = Vec::new();
    let mut open = Vec::new();
    let mut certainty = None;
    for requirement in &permissions.required {
        let held = requirement.needs.iter().map(|need| held(roles, need));
        match held.min_by_key(|held| order(*held)).flatten() {
            Some((true, known)) => certainty = certainty.max(known),
            Some((false, known)) => {
                certainty = certainty.max(known);
                lacks.push(requirement.clone());
            }
            None => open.push(requirement.clone()),
        }
    }
    // Calls whose permission is unknown may need anything.
    let is_open = !open.is_empty() || !permissions.is_complete() && !holds_all;
    let fit = match (lacks.is_empty(), is_open) {
        (false, _) => RoleMatch::No,
        (true, true) => RoleMatch::Unknown,
        (true, false) => RoleMatch::Yes,
    };
    Candidate {
        name: held_role.name.clone(),
        fit,
        certainty,
        lacks,
        open,
        excess: excess(permissions, roles),
        holds_all,
        privileged: held_role.privileged,
    }
}

type Held = Option<(bool, Option<Certainty>)>;

fn held(roles: &[Role<String>], need: &Need) -> Held {
    if roles.iter().any(|role| role.holds_all) {
        return Some((true, Some(Certainty::Documented)));
    }
    match need {
        Need::Component { name, level } => {
            let (held, certainty) = Rights(roles).reaches(name, *level)?;
            Some((held, Some(certainty)))
        }
        Need::Action { name, .. } => Some((Rights(roles).action(name)?, None)),
        Need::Role(name) => {
            let held = roles.iter().any(|role| role.name == *name);
            Some((held, Some(Certainty::Documented)))
        }
        Need::Unnamed(_) => None,
    }
}

/// The sort order of a need: held, possibly held, not held.
fn order(held: Held) -> u8 {
    match held {
        Some((true, _)) => 0,
        None => 1,
        Some((false, _)) => 2,
    }
}

/// What a role grants beyond what is needed.
fn excess(permissions: &Permissions, roles: &[Role<String>]) -> Vec<String> {
    let needs = || permissions.required.iter().flat_map(|requirement| &requirement.needs);
    let needed = |component: &str| {
        let levels = needs().filter_map(|need| match need {
            Need::Component { name, level } if *name == component => Some(*level),
            Need::Action { component: name, .. } if *name == component => Some(Permission::View),
            _ => None,
        });
        levels.max().unwrap_or(Permission::None)
    };
    let mut excess: Vec<String> = Vec::new();
    let components: BTreeSet<&String> =
        roles.iter().flat_map(|role| &role.grants).map(|grant| &grant.component).collect();
    for component in components {
        let lowest = Rights(roles).component(component).lowest();
        if lowest > needed(component) {
            excess.push(format!("{component} ({lowest})"));
        }
    }
    let is_needed = |action: &String| {
        needs().any(|need| matches!(need, Need::Action { name, .. } if name == action))
    };
    let actions: BTreeSet<&String> = roles.iter().flat_map(|role| &role.actions.held).collect();
    excess.extend(actions.into_iter().filter(|action| !is_needed(action)).cloned());
    excess
}

#[cfg(test)]
mod tests {
    use cortexkey_core::access::{Actions, Grant, KnownLevel};

    use super::*;
    use crate::operations::read_calls;

    fn role(name: &str, grants: &[(&str, Permission)]) -> ExpandedRole {
        let listed = |(name, level): &(&str, Permission)| Grant::listed((*name).to_owned(), *level);
        let grants = grants.iter().map(listed).collect();
        let actions = Actions { held: Vec::new(), lacked: Vec::new(), is_complete: true };
        let nothing = KnownLevel::exactly(Permission::None);
        let role = Role { grants, actions, others: nothing, ..Role::unknown(name).to_owned() };
        ExpandedRole { name: name.to_owned(), roles: vec![role], privileged: false }
    }

    const LIST: &str = "POST /public_api/v1/api_keys/get_api_keys";
    const GENERATE: &str = "POST /public_api/v1/api_keys/generate";

    #[test]
    fn the_smallest_role_that_holds_everything_comes_first() {
        use Permission::{Edit, View};
        let roles = [
            role("Large", &[("Public API", Edit), ("Auditing", View), ("Playbooks", Edit)]),
            role("Looks", &[("Public API", View)]),
            role("Small", &[("Public API", Edit)]),
        ];
        let found = suggest(&read_calls(&format!("{LIST}\n{GENERATE}")), roles);
        let required = &found.permissions.required;
        assert_eq!(required.len(), 1, "{required:?}");
        assert_eq!(required[0].evidence, Evidence::Documented);
        let fits: Vec<_> = found.roles.iter().map(|role| (role.name.as_str(), role.fit)).collect();
        assert_eq!(
            fits,
            [("Small", RoleMatch::Yes), ("Large", RoleMatch::Yes), ("Looks", RoleMatch::No)]
        );
        assert_eq!(found.roles[1].excess.len(), 2);
        assert_eq!(found.roles[2].lacks.len(), 1);
    }

    #[test]
    fn an_unknown_call_leaves_every_role_possible() {
        let roles = [role("Small", &[("Public API", Permission::Edit)])];
        let found = suggest(&read_calls(&format!("{LIST}\nGET /nowhere")), roles.clone());
        assert_eq!((found.permissions.unlisted.len(), found.roles[0].fit), (1, RoleMatch::Unknown));
        let unknown = "GET /public_api/appsec/v1/application";
        let found = suggest(&read_calls(unknown), roles.clone());
        assert_eq!((found.permissions.unknown.len(), found.roles[0].fit), (1, RoleMatch::Unknown));
        let unnamed = "GET /public_api/v1/configurations/agent/agent_status";
        let found = suggest(&read_calls(unnamed), roles);
        assert!(!found.permissions.is_complete());
        assert_eq!(found.roles[0].fit, RoleMatch::Unknown);
    }

    #[test]
    fn one_of_several_permissions_is_enough() {
        let call = "GET /public_api/appsec/v1/scans/1/issues";
        let scans = role("Scans", &[("PR scans", Permission::View)]);
        let found = suggest(&read_calls(call), [scans, role("Nothing", &[])]);
        assert_eq!(found.permissions.required[0].needs.len(), 3);
        let fits: Vec<_> = found.roles.iter().map(|role| role.fit).collect();
        assert_eq!(fits, [RoleMatch::Yes, RoleMatch::No]);
        // Where one of them is needed in any case, nothing is added.
        let also = format!("{call}\nGET /public_api/appsec/v1/scans/pr");
        assert_eq!(Permissions::required_by(&read_calls(&also)).required.len(), 1);
    }
}

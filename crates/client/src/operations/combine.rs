//! [`combine`]: the smallest sets of roles that together hold everything that calls need.
//!
//! The search is exact for up to [`SIZE_MAX`] roles. It branches on the permission that the fewest
//! roles hold, in a fixed order, and stops after a fixed number of steps. If the limit is reached,
//! it keeps only one of the roles that hold the same permissions.

use std::collections::BTreeSet;

use super::suggest::{Candidate, Permissions, RoleMatch};

/// The largest number of roles in a set.
const SIZE_MAX: usize = 4;
/// How many sets of the same size are returned.
const RETURNED_MAX: usize = 3;
const STEPS_MAX: usize = 100_000;

/// One bit for each permission that is needed.
type Mask = u128;

/// Roles that together hold everything that calls need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// The roles, by name.
    pub roles: Vec<Candidate>,
    /// Whether they certainly hold everything.
    pub fit: RoleMatch,
}

/// The best combinations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Combinations {
    /// The smallest, those with the least in addition first. Empty if one role is sufficient, or if
    /// no set of up to four roles is.
    pub found: Vec<Combination>,
    /// Whether the search ended before it had tried everything, so that a better combination may exist.
    pub is_cut: bool,
}

/// Combines the roles of a suggestion where none alone is sufficient. Roles with every permission of the product are not
/// combined, because each is sufficient alone.
pub fn combine(permissions: &Permissions, candidates: &[Candidate]) -> Combinations {
    let roles: Vec<&Candidate> = candidates.iter().filter(|role| !role.holds_all).collect();
    let certain = |role: &Candidate, at: usize| {
        may_hold(permissions, role, at) && !role.open.contains(&permissions.required[at])
    };
    let possible = |role: &Candidate, at: usize| may_hold(permissions, role, at);
    let sure = if permissions.is_complete() { RoleMatch::Yes } else { RoleMatch::Unknown };
    let first = search(permissions, &roles, sure, certain);
    // Sets that may be sufficient count only if no set certainly is.
    if !first.found.is_empty() || is_any_sufficient(permissions, &roles, certain) {
        return first;
    }
    let second = search(permissions, &roles, RoleMatch::Unknown, possible);
    Combinations { is_cut: first.is_cut || second.is_cut, ..second }
}

fn may_hold(permissions: &Permissions, role: &Candidate, at: usize) -> bool {
    !role.lacks.contains(&permissions.required[at])
}

fn is_any_sufficient(
    permissions: &Permissions,
    roles: &[&Candidate],
    holds: impl Fn(&Candidate, usize) -> bool,
) -> bool {
    roles.iter().any(|role| (0..permissions.required.len()).all(|at| holds(role, at)))
}

fn search(
    permissions: &Permissions,
    roles: &[&Candidate],
    fit: RoleMatch,
    holds: impl Fn(&Candidate, usize) -> bool,
) -> Combinations {
    let count = permissions.required.len();
    let bits = u32::try_from(count).unwrap_or(u32::MAX);
    if count == 0 || is_any_sufficient(permissions, roles, &holds) {
        return Combinations::default();
    }
    if bits > Mask::BITS {
        return Combinations { is_cut: true, ..Combinations::default() };
    }
    let mask = |role: &Candidate| {
        (0..count).filter(|at| holds(role, *at)).fold(0, |mask: Mask, at| mask | 1 << at)
    };
    let held: Vec<(Mask, &Candidate)> = roles.iter().map(|role| (mask(role), *role)).collect();
    let (mut sets, is_cut) = smallest(&held, bits);
    if is_cut {
        sets = smallest(&distinct(held), bits).0;
    }
    sets.sort_by_cached_key(|set| cost(set));
    sets.truncate(RETURNED_MAX);
    let combination = |set: Vec<&Candidate>| {
        let roles = set.into_iter().cloned().collect();
        Combination { roles, fit }
    };
    Combinations { found: sets.into_iter().map(combination).collect(), is_cut }
}

/// All sets of the smallest sufficient size, and whether the search was cut short.
fn smallest<'a>(held: &[(Mask, &'a Candidate)], bits: u32) -> (Vec<Vec<&'a Candidate>>, bool) {
    let mut search = Search::new(held.iter().map(|(mask, _)| *mask).collect(), bits);
    for size in 2..=SIZE_MAX {
        search.extend(&mut Vec::new(), 0, size);
        if !search.found.is_empty() {
            break;
        }
    }
    let of = |set: BTreeSet<usize>| {
        let mut roles: Vec<&Candidate> = set.into_iter().map(|at| held[at].1).collect();
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        roles
    };
    (search.found.into_iter().map(of).collect(), search.steps >= STEPS_MAX)
}

/// Of the roles that hold the same, the one with the least in addition.
fn distinct(mut held: Vec<(Mask, &Candidate)>) -> Vec<(Mask, &Candidate)> {
    held.sort_by_cached_key(|(mask, role)| (*mask, cost(&[*role])));
    held.dedup_by_key(|(mask, _)| *mask);
    held
}

/// Privileged roles, permissions that are not needed, and the names, which make the order total.
fn cost(set: &[&Candidate]) -> (usize, usize, Vec<String>) {
    let privileged = set.iter().filter(|role| role.privileged).count();
    let excess: BTreeSet<&String> = set.iter().flat_map(|role| &role.excess).collect();
    (privileged, excess.len(), set.iter().map(|role| role.name.clone()).collect())
}

struct Search {
    /// What each role holds.
    masks: Vec<Mask>,
    /// The permissions, those that the fewest roles hold first.
    rarest: Vec<Mask>,
    steps: usize,
    /// Sets of positions in `masks`.
    found: BTreeSet<BTreeSet<usize>>,
}

impl Search {
    fn new(masks: Vec<Mask>, bits: u32) -> Self {
        let mut rarest: Vec<Mask> = (0..bits).map(|at| 1 << at).collect();
        rarest.sort_by_key(|bit| masks.iter().filter(|mask| *mask & bit != 0).count());
        Self { masks, rarest, steps: 0, found: BTreeSet::new() }
    }

    /// Extends a set to every sufficient one of up to a size. Each has a role that holds the rarest
    /// permission that is still missing.
    fn extend(&mut self, chosen: &mut Vec<usize>, held: Mask, size: usize) {
        if self.steps >= STEPS_MAX {
            return;
        }
        self.steps += 1;
        let Some(missing) = self.rarest.iter().copied().find(|bit| held & bit == 0) else {
            self.found.insert(chosen.iter().copied().collect());
            return;
        };
        if chosen.len() == size {
            return;
        }
        for at in 0..self.masks.len() {
            if self.masks[at] & missing != 0 {
                chosen.push(at);
                self.extend(chosen, held | self.masks[at], size);
                chosen.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cortexkey_core::access::{Actions, Grant, KnownLevel, Permission, Role};

    use super::*;
    use crate::operations::{ExpandedRole, read_calls, suggest};

    /// A role with these components at *edit*, and no other permission.
    fn role(name: &str, components: &[&str]) -> ExpandedRole {
        let grant = |name: &&str| Grant::listed((*name).to_owned(), Permission::Edit);
        let grants = components.iter().map(grant).collect();
        let actions = Actions { held: Vec::new(), lacked: Vec::new(), is_complete: true };
        let others = KnownLevel::exactly(Permission::None);
        let role = Role { grants, actions, others, ..Role::unknown(name).to_owned() };
        ExpandedRole { name: name.to_owned(), roles: vec![role], privileged: false }
    }

    /// Each line needs another component.
    const CALLS: [(&str, &str); 5] = [
        ("Public API", "POST /public_api/v1/api_keys/generate"),
        ("Access Management", "POST /platform/iam/v1/role"),
        ("Alert Notifications", "POST /platform/notifications/v1/rule"),
        ("Network Scanners", "POST /public_api/netscan/v1/scan/run"),
        ("Asset Groups", "POST /public_api/v1/asset-groups/create"),
    ];

    fn combined(lines: &str, roles: Vec<ExpandedRole>) -> (Vec<(Vec<String>, RoleMatch)>, bool) {
        let found = suggest(&read_calls(lines), roles);
        let found = combine(&found.permissions, &found.roles);
        let names =
            |set: Combination| (set.roles.into_iter().map(|role| role.name).collect(), set.fit);
        (found.found.into_iter().map(names).collect(), found.is_cut)
    }

    fn lines(count: usize) -> String {
        CALLS[..count].iter().flat_map(|(_, call)| [*call, "\n"]).collect()
    }

    #[test]
    fn the_smallest_set_with_the_least_in_addition_comes_first() {
        let [(a, _), (b, _), (c, _), ..] = CALLS;
        let roles = vec![
            role("A", &[a]),
            role("B", &[b]),
            role("C", &[c]),
            role("AB more", &[a, b, "Playbooks"]),
            role("AB", &[a, b]),
            role("BC", &[b, c]),
            role("None", &["Playbooks"]),
        ];
        let (found, is_cut) = combined(&lines(3), roles);
        let sets: Vec<_> = found.iter().map(|(names, _)| names.join("+")).collect();
        assert_eq!((sets.join(" "), is_cut), ("A+BC AB+BC AB+C".to_owned(), false));
        assert!(found.iter().all(|(_, fit)| *fit == RoleMatch::Yes));
    }

    #[test]
    fn nothing_is_combined_where_one_role_is_sufficient_or_no_set_is() {
        let names = CALLS.map(|(component, _)| component);
        let [a, b, ..] = names;
        let one = vec![role("A", &[a]), role("B", &[b]), role("AB", &[a, b])];
        assert_eq!(combined(&lines(2), one), (Vec::new(), false));
        assert_eq!(combined(&lines(2), vec![role("A", &[a])]), (Vec::new(), false));
        let five = names.map(|component| role(component, &[component])).to_vec();
        assert_eq!(combined(&lines(5), five.clone()), (Vec::new(), false));
        assert_eq!(combined(&lines(4), five).0[0].0.len(), 4);
    }

    #[test]
    fn an_unknown_call_makes_every_set_uncertain() {
        let [(a, _), (b, _), ..] = CALLS;
        let two = vec![role("A", &[a]), role("B", &[b])];
        let (found, _) = combined(&format!("{}GET /nowhere\n", lines(2)), two);
        assert_eq!(found, [(vec!["A".to_owned(), "B".to_owned()], RoleMatch::Unknown)]);
        // A role whose other components are not public may hold the second permission.
        let mut open = role("Open", &[b]);
        open.roles[0].grants.clear();
        open.roles[0].others = KnownLevel::UNKNOWN;
        let (found, _) =
            combined(&lines(2), vec![role("A", &[a]), role("None", &[]), open.clone()]);
        assert_eq!(found, [], "the open role alone may be sufficient");
    }

    #[test]
    fn with_too_many_roles_equal_ones_are_tried_once() {
        let [a, b, c, d, _] = CALLS.map(|(component, _)| component);
        let mut roles: Vec<ExpandedRole> = Vec::new();
        for at in (0..60).rev() {
            for (place, component) in [a, b, c, d].into_iter().enumerate() {
                let also = if at == 7 { &[component][..] } else { &[component, "Playbooks"] };
                roles.push(role(&format!("{place}-{at}"), also));
            }
        }
        let (found, is_cut) = combined(&lines(4), roles);
        assert!(is_cut);
        assert_eq!(found[0].0, ["0-7", "1-7", "2-7", "3-7"]);
    }

    /// A naive search over all sets is the oracle.
    #[test]
    fn the_guards_size_is_the_smallest_possible() {
        let mut state = 7_u64;
        for _ in 0..200 {
            let mut roles = Vec::new();
            for at in 0..7 {
                let mut components = Vec::new();
                for (component, _) in CALLS {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if (state >> 33).is_multiple_of(4) {
                        components.push(component);
                    }
                }
                roles.push(role(&format!("R{at}"), &components));
            }
            let holds = |set: u32, component: &str| {
                (0..7).any(|at| {
                    let grants = &roles[at].roles[0].grants;
                    set >> at & 1 == 1 && grants.iter().any(|grant| grant.component == component)
                })
            };
            let sufficient =
                (0..1_u32 << 7).filter(|set| CALLS.iter().all(|(name, _)| holds(*set, name)));
            let smallest = sufficient.map(u32::count_ones).min();
            let expected = smallest.filter(|size| (2..=4).contains(size));
            let (found, _) = combined(&lines(5), roles.clone());
            let size = found.first().map(|(names, _)| u32::try_from(names.len()).unwrap_or(0));
            assert_eq!(size, expected);
        }
    }
}

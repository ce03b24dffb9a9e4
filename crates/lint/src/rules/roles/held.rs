//! The roles that a key holds, with those that its roles include.

use std::collections::HashSet;

use cortexkey_manifest::access::{ResolvedRole, closure, closure_beyond};
use cortexkey_manifest::{Span, quote};

use crate::rule::KeyContext;

/// The roles of a key, including those that other roles imply, each with the index of the listed
/// role that it comes from.
pub(crate) fn held<'c>(cx: &'c KeyContext<'_>) -> &'c [(usize, ResolvedRole)] {
    cx.held.get_or_init(|| look_up(cx))
}

/// For each listed role, the first match among it and its implied roles, with the listed role's
/// span.
pub(super) fn first_held<'c>(
    cx: &'c KeyContext<'_>,
    is: impl Fn(&ResolvedRole) -> bool,
) -> impl Iterator<Item = (Span, &'c ResolvedRole)> {
    let of_one = held(cx).chunk_by(|(a, _), (b, _)| a == b);
    let first = of_one.filter_map(move |held| held.iter().find(|(_, role)| is(role)));
    first.map(|(at, role)| (cx.definition.roles()[*at].span, role))
}

/// A role in words: its name, and the role that includes it.
pub(super) fn role_text(role: &ResolvedRole) -> String {
    let name = quote(role.name());
    match &role.facts.implied_by {
        Some(by) => format!("{name}, which {} includes,", quote(by)),
        None => name,
    }
}

/// How many roles are looked up for each listed role anew. Beyond that, each role counts once, for the
/// first listed role that includes it.
const HELD_MAX: usize = 20_000;

fn look_up(cx: &KeyContext<'_>) -> Vec<(usize, ResolvedRole)> {
    let product = cx.policy.product(cx.tenant);
    let find = |name: &str| cx.listed.meant(name);
    let mut named: HashSet<&str> = HashSet::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut all = Vec::new();
    for (at, role) in cx.definition.roles().iter().enumerate() {
        // Another rule reports duplicates.
        if !named.insert(&role.value) {
            continue;
        }
        let held = if all.len() < HELD_MAX {
            closure([role.value.as_str()], find)
        } else {
            closure_beyond([role.value.as_str()], find, &mut seen)
        };
        seen.extend(held.iter().map(|(name, _)| *name));
        all.extend(held.into_iter().map(|(name, by)| {
            let resolved = ResolvedRole::resolve(cx.listed.name_of(name), find(name), product);
            (at, resolved.implied_by(by))
        }));
    }
    all
}

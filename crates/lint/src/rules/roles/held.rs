//! The roles that a key holds, with those that its roles include.

use std::collections::HashSet;

use cortexkey_manifest::access::{ResolvedRole, closure};
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
pub(super) fn words(role: &ResolvedRole) -> String {
    let name = quote(role.name());
    match &role.facts.implied_by {
        Some(by) => format!("{name}, which {} includes,", quote(by)),
        None => name,
    }
}

fn look_up(cx: &KeyContext<'_>) -> Vec<(usize, ResolvedRole)> {
    let product = cx.policy.product(cx.tenant);
    let find = |name: &str| cx.listed.named(name);
    let mut named: HashSet<&str> = HashSet::new();
    let roles = cx.definition.roles().iter().enumerate();
    // Another rule reports duplicates.
    roles
        .filter(|(_, role)| named.insert(&role.value))
        .flat_map(|(at, role)| {
            let held = closure([role.value.as_str()], find).into_iter();
            held.map(move |(name, by)| {
                (at, ResolvedRole::of(name, find(name), product).implied_by(by))
            })
        })
        .collect()
}

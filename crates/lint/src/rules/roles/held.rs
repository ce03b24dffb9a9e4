//! The roles that a key holds, with those that its roles include.

use std::collections::HashSet;

use cortexkey_manifest::access::{ResolvedRole, closure};
use cortexkey_manifest::{Span, quote};

use crate::rule::KeyContext;

/// The roles that a key holds, those included that others bring, each with the place in its list
/// of the role that brings it.
pub(crate) fn held<'c>(cx: &'c KeyContext<'_>) -> &'c [(usize, ResolvedRole)] {
    cx.held.get_or_init(|| look_up(cx))
}

/// Of each role in a key's list the first that is so, itself or one that it brings, and where the
/// role in the list stands.
pub(super) fn first_held<'c>(
    cx: &'c KeyContext<'_>,
    is: impl Fn(&ResolvedRole) -> bool,
) -> impl Iterator<Item = (Span, &'c ResolvedRole)> {
    let of_one = held(cx).chunk_by(|(a, _), (b, _)| a == b);
    let first = of_one.filter_map(move |held| held.iter().find(|(_, role)| is(role)));
    first.map(|(at, role)| (cx.definition.roles()[*at].span, role))
}

/// A held role in words: its name, and what includes it.
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
    // One that stands twice grants no more, and is another rule's matter.
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

//! The roles that a key holds, with those that its roles include.

use std::collections::{HashSet, VecDeque};

use cortexkey_manifest::access::HeldRole;
use cortexkey_manifest::{Span, quote};

use crate::rule::KeyContext;

/// The roles that a key holds, those included that others bring, each with the place in its list
/// of the role that brings it.
pub(crate) fn held<'c>(cx: &'c KeyContext<'_>) -> &'c [(usize, HeldRole)] {
    cx.held.get_or_init(|| look_up(cx))
}

/// Of each role in a key's list the first that is so, itself or one that it brings, and where the
/// role in the list stands.
pub(super) fn first_held<'c>(
    cx: &'c KeyContext<'_>,
    is: impl Fn(&HeldRole) -> bool,
) -> impl Iterator<Item = (Span, &'c HeldRole)> {
    let of_one = held(cx).chunk_by(|(a, _), (b, _)| a == b);
    let first = of_one.filter_map(move |held| held.iter().find(|(_, role)| is(role)));
    first.map(|(at, role)| (cx.definition.roles()[*at].span, role))
}

/// A held role in words: its name, and what includes it.
pub(super) fn words(role: &HeldRole) -> String {
    let name = quote(&role.name);
    match &role.implied_by {
        Some(by) => format!("{name}, which {} includes,", quote(by)),
        None => name,
    }
}

fn look_up(cx: &KeyContext<'_>) -> Vec<(usize, HeldRole)> {
    let product = cx.policy.product(cx.tenant);
    let of = |name: &str| {
        let listed = cx.listed.named(name);
        HeldRole::of(name, listed.as_slice(), product)
    };
    let mut held: Vec<(usize, HeldRole)> = Vec::new();
    let mut named: HashSet<&str> = HashSet::new();
    for (at, role) in cx.definition.roles().iter().enumerate() {
        // One that stands twice grants no more, and is another rule's matter.
        if !named.insert(&role.value) {
            continue;
        }
        held.push((at, of(&role.value)));
        // Most roles include no others.
        let Some(first) = cx.listed.named(&role.value) else { continue };
        let mut seen = HashSet::from([role.value.as_str()]);
        let mut open = VecDeque::from([first]);
        while let Some(outer) = open.pop_front() {
            for implied in outer.implies.iter().filter(|implied| seen.insert(&implied.value)) {
                let mut role = of(&implied.value);
                role.implied_by = Some(outer.name.value.clone());
                held.push((at, role));
                open.extend(cx.listed.named(&implied.value));
            }
        }
    }
    held
}

//! R006 role-redundant: a role that another role of the key includes.

use std::collections::{HashMap, HashSet};

use cortexkey_manifest::access::closure;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::model::remove_item;
use crate::rule::{Check, Example, Fixes, KeyContext, Listed, Rule, Sink};

const IMPLIES: &str = "catalog: { roles: [{ name: Break Glass, implies: [Responder] }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R006",
    name: "role-redundant",
    severity: Severity::Warning,
    summary: "a role that another role of the key includes",
    why: "A role that adds nothing makes the review harder, and it stays when the other role is \
          removed.",
    bad: Example::fields("spec:\n  roles: [Break Glass, Responder]\n").policy(IMPLIES),
    good: Example::fields("spec:\n  roles: [Break Glass]\n").policy(IMPLIES),
    remedy: "Remove the included role. `implies` in the catalogue lists which role includes which.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let roles = cx.definition.roles();
    let mut first_at: HashMap<&str, usize> = HashMap::with_capacity(roles.len());
    for (at, role) in roles.iter().enumerate() {
        first_at.entry(&role.value).or_insert(at);
    }
    // Few roles include others.
    let outer = first_at.iter().filter_map(|(name, at)| {
        let included = included(cx.listed, name);
        (!included.is_empty()).then_some((*at, included))
    });
    let mut outer: Vec<(usize, HashSet<&str>)> = outer.collect();
    outer.sort_by_key(|(at, _)| *at);
    if outer.is_empty() {
        return;
    }
    let of = |name: &str| {
        let at = first_at.get(name)?;
        let found = outer.binary_search_by_key(at, |(at, _)| *at).ok()?;
        outer.get(found).map(|(_, included)| included)
    };
    let mut by: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, included) in &outer {
        for name in included.iter().filter(|name| first_at.contains_key(*name)) {
            by.entry(name).or_default().push(*at);
        }
    }
    for (at, role) in roles.iter().enumerate() {
        let own = of(&role.value);
        let by = by.get(role.value.as_str()).into_iter().flatten().find(|other| {
            // Of two roles that include each other the first stays.
            let back = |own: &HashSet<&str>| own.contains(roles[**other].value.as_str());
            **other < at || !own.is_some_and(back)
        });
        let Some(by) = by.and_then(|by| roles.get(*by)) else { continue };
        let message = format!("{} is included in {}", quote(&role.value), quote(&by.value));
        cx.finding(role.span, message)
            .help("remove it; it adds nothing")
            .also(by.span, "includes it")
            .fix(remove_item(cx.tree, role.span, false))
            .report(sink);
    }
}

/// The roles that a role includes according to the catalogue, directly or indirectly.
fn included<'a>(listed: &Listed<'a>, outer: &str) -> HashSet<&'a str> {
    let implied = listed.named(outer).map_or(&[][..], |role| &role.implies);
    let implied = implied.iter().map(|role| role.value.as_str());
    closure(implied, |name| listed.named(name)).into_iter().map(|(name, _)| name).collect()
}

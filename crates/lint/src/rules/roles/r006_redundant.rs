//! R006 role-redundant: a role that another role of the key includes.

use std::collections::HashSet;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::model::remove_item;
use crate::rule::{FindingSink, Fixes, Included, KeyContext, Rule, RuleCheck, RuleExample};

const IMPLIES: &str = "catalog: { roles: [{ name: Break Glass, implies: [Responder] }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R006",
    name: "role-redundant",
    severity: Severity::Warning,
    summary: "a role that another role of the key includes",
    why: "A role that adds nothing makes the review harder, and it stays when the other role is \
          removed.",
    bad: RuleExample::fields("spec:\n  roles: [Break Glass, Responder]\n").policy(IMPLIES),
    good: RuleExample::fields("spec:\n  roles: [Break Glass]\n").policy(IMPLIES),
    remedy: "Remove the included role. `implies` in the catalog lists which role includes which.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let roles = cx.definition.roles();
    let mut seen: HashSet<&str> = HashSet::with_capacity(roles.len());
    // Few roles include others.
    let mut outer: Vec<(usize, usize, &Included)> = Vec::new();
    for (at, role) in roles.iter().enumerate() {
        let name = cx.listed.name_of(&role.value);
        if seen.insert(name)
            && let (Some(number), Some(included)) =
                (cx.listed.number(name), cx.listed.included(name))
        {
            outer.push((at, number, included));
        }
    }
    if outer.is_empty() {
        return;
    }
    for (at, role) in roles.iter().enumerate() {
        let name = cx.listed.name_of(&role.value);
        let Some(number) = cx.listed.number(name) else { continue };
        let own = cx.listed.included(name);
        let by = outer.iter().find(|(other, of_other, included)| {
            // Of two roles that include each other the first stays.
            let is_mutual = || own.is_some_and(|own| own.has(*of_other));
            included.has(number) && (*other < at || !is_mutual())
        });
        let Some(by) = by.and_then(|(by, ..)| roles.get(*by)) else { continue };
        let message = format!("{} is included in {}", quote(&role.value), quote(&by.value));
        cx.finding(role.span, message)
            .help("remove it; it adds nothing")
            .also(by.span, "includes it")
            .fix(remove_item(cx.tree, role.span, false))
            .report(sink);
    }
}

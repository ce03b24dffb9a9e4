//! R006 role-redundant: a role that another role of the key includes.

use cortexkey_manifest::policy::Role;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::fix::remove_item;
use crate::rules::{Check, Draft, Example, Fixes, KeyContext, Rule, Sink};
use crate::settings::Settings;

const IMPLIES: &str = "catalog: { roles: [{ name: Break Glass, implies: [Responder] }] }\n";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "R006",
    name: "role-redundant",
    severity: Severity::Warning,
    summary: "a role that another role of the key includes",
    why: "A role that adds nothing makes the list longer and the review harder, and it stays behind when the other one is taken away.",
    bad: Example::fields("spec:\n  roles: [Break Glass, Responder]\n").policy(IMPLIES),
    good: Example::fields("spec:\n  roles: [Break Glass]\n").policy(IMPLIES),
    mend: "Remove the role that is included. Which role includes which stands under `implies` in the catalogue.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let roles = cx.definition.roles();
    for (at, role) in roles.iter().enumerate() {
        let includes = |outer, inner| includes(cx.catalogue, outer, inner);
        let by = roles.iter().enumerate().find(|(other_at, other)| {
            // Of two that include each other the first stays.
            includes(&other.value, &role.value)
                && (*other_at < at || !includes(&role.value, &other.value))
        });
        let Some((_, by)) = by else { continue };
        let message = format!("{} is included in {}", quote(&role.value), quote(&by.value));
        let draft = Draft::at_key(cx, role.span, message)
            .help("remove it; it adds nothing")
            .also(by.span, "includes it")
            .fix(remove_item(cx.tree, role.span, false));
        sink.report_as(settings, draft);
    }
}

/// True when the catalogue says, in any number of steps, that one role includes another.
fn includes(catalogue: &[&Role], outer: &str, inner: &str) -> bool {
    let mut open = vec![outer];
    let mut seen = vec![outer];
    while let Some(name) = open.pop() {
        let listed = catalogue.iter().find(|role| role.name.value == name);
        for implied in listed.map_or(&[][..], |role| &role.implies) {
            if implied.value == inner {
                return true;
            }
            if !seen.contains(&implied.value.as_str()) {
                seen.push(&implied.value);
                open.push(&implied.value);
            }
        }
    }
    false
}

//! R005 role-toxic-combination: two roles that must not come together.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rules::{Check, Draft, Example, Fixes, KeyContext, Rule, Sink};
use crate::settings::Settings;

const CONFLICT: &str = "catalog: { conflicts: [[Responder, Investigation Admin]] }\nrules: { role-privileged-without-approval: { enabled: false } }\n";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "R005",
    name: "role-toxic-combination",
    severity: Severity::Error,
    summary: "two roles that must not come together",
    why: "Separation of duties: whoever can act must not be the one who reads the audit of it. Rights of roles add up, so a key with both is exactly that one.",
    bad: Example::fields("spec:\n  roles: [Responder, Investigation Admin]\n").policy(CONFLICT),
    good: Example::fields("spec:\n  roles: [Responder, Viewer]\n").policy(CONFLICT),
    mend: "Split the key in two, one for each duty. The pairs stand in `catalog.conflicts` of the policy.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let roles = cx.definition.roles();
    for (layer, pair) in cx.policy.conflicts() {
        let held = |name: &str| roles.iter().find(|role| role.value == name);
        let mut found = pair.iter().filter_map(|name| Some((name, held(&name.value)?)));
        let (Some((_, first)), Some((name, second))) = (found.next(), found.next()) else {
            continue;
        };
        let (first, second) =
            if first.span < second.span { (first, second) } else { (second, first) };
        let message =
            format!("{} must not come with {}", quote(&second.value), quote(&first.value));
        let draft = Draft::at_key(cx, second.span, message)
            .help("split the key in two, one for each duty")
            .also(first.span, "the other role")
            .also_in(layer, name.span, "said here");
        sink.report_as(settings, draft);
    }
}

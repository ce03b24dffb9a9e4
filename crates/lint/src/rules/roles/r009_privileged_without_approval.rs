//! R009 role-privileged-without-approval: a privileged role, and nobody's consent in `approvals`.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};
use crate::rules::roles::held::{first_held, words};

pub(crate) static RULE: Rule = Rule {
    code: "R009",
    name: "role-privileged-without-approval",
    severity: Severity::Error,
    summary: "a privileged role, and nobody's consent in `approvals`",
    why: "A privileged role is given in one line of a file. `approvals` says who agreed to it and where that was discussed, beside the line itself.",
    bad: Example::fields("spec:\n  roles: [Deployment Admin]\n"),
    good: Example::fields(
        "metadata:\n  approvals: [{ by: ciso@example.com, ticket: SEC-99 }]\nspec:\n  roles: [Deployment Admin]\n",
    ),
    mend: "Write `approvals: [{ by: …, ticket: … }]` under `metadata` once somebody has agreed.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(metadata) = &cx.definition.metadata else { return };
    let named = |by: Option<&String>| by.is_some_and(|by| !by.trim().is_empty());
    if metadata.approvals.iter().any(|approval| named(approval.by.get())) {
        return;
    }
    for (span, role) in first_held(cx, |role| role.facts.privileged) {
        let message = format!("{} is privileged, and nobody's approval is noted", words(role));
        cx.finding(span, message)
            .help("write `approvals: [{ by: …, ticket: … }]` under `metadata`")
            .report(sink);
    }
}

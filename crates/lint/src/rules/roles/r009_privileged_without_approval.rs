//! R009 role-privileged-without-approval: a privileged role without an entry in `approvals`.

use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::{first_held, role_text};

pub(crate) static RULE: Rule = Rule {
    code: "R009",
    name: "role-privileged-without-approval",
    severity: Severity::Error,
    summary: "a privileged role without an entry in `approvals`",
    why: "One line in a file grants a privileged role. `approvals` records next to it who agreed, \
          and where it was discussed.",
    bad: RuleExample::fields("spec:\n  roles: [Deployment Admin]\n"),
    good: RuleExample::fields(
        "metadata:\n  approvals: [{ by: ciso@example.com, ticket: SEC-99 }]\nspec:\n  roles: [Deployment Admin]\n",
    ),
    remedy: "Write `approvals: [{ by: …, ticket: … }]` under `metadata` once the role is approved.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(metadata) = &cx.definition.metadata else { return };
    let named = |by: Option<&String>| by.is_some_and(|by| !by.trim().is_empty());
    if metadata.approvals.iter().any(|approval| named(approval.by.get())) {
        return;
    }
    for (span, role) in first_held(cx, |role| role.facts.privileged) {
        let message = format!("{} is privileged, and no approval is recorded", role_text(role));
        cx.finding(span, message)
            .help("write `approvals: [{ by: …, ticket: … }]` under `metadata`")
            .report(sink);
    }
}

//! R004 role-too-many: more roles than a key should hold.

use cortexkey_manifest::Spanned;
use cortexkey_manifest::policy::Severity;
use cortexkey_system::counted;

use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options {
        /// how many roles a key may hold
        max: Option<usize> = "5", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "R004",
    name: "role-too-many",
    severity: Severity::Warning,
    summary: "more roles than a key should hold",
    why: "Permissions of roles add up: the highest level of each component counts. With more \
          than a few roles, it is hard to see what a key may do.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer, Responder, Developer]\n")
        .policy("rules: { role-too-many: { max: 2 } }\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer, Responder]\n")
        .policy("rules: { role-too-many: { max: 2 } }\n"),
    remedy: "Create one custom role with what the key needs, or split the key by consumer.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let limit = Options::of(sink.settings).max;
    let Some(max) = limit.value else { return };
    let roles = cx.definition.roles();
    let Some(first_over) = roles.get(max) else { return };
    let message =
        format!("the key holds {}; the policy allows at most {max}", counted(roles.len(), "role"));
    cx.finding(first_over.span, message)
        .detail(names(roles))
        .help("create one role with what the key needs, or split the key by consumer")
        .decided(limit.decided, "the limit")
        .report(sink);
}

/// All roles in one string, in canonical order: one more is a different finding.
fn names(roles: &[Spanned<String>]) -> String {
    let mut names: Vec<&str> = roles.iter().map(|role| role.value.as_str()).collect();
    names.sort_unstable();
    names.join("\n")
}

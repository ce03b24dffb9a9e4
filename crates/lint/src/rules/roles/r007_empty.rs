//! R007 role-empty: the key has no role.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::{Node, NodeKind};

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "R007",
    name: "role-empty",
    severity: Severity::Error,
    summary: "the key has no role",
    why: "The product generates no key without a role, so the person who creates the key by hand would \
          choose one.",
    bad: RuleExample::fields("spec:\n  roles: []\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n"),
    remedy: "Write the least powerful role that is sufficient.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let empty = spec.roles.spanned().filter(|roles| {
        // An item that could not be read is in the tree, but not among the values.
        let is_list = |node: &Node| {
            node.span == roles.span
                && matches!(&node.kind, NodeKind::Sequence { items, .. } if items.is_empty())
        };
        roles.value.is_empty() && cx.tree.nodes().any(|(_, node)| is_list(node))
    });
    let (span, message) = match empty {
        Some(roles) => (roles.span, "`spec.roles` is empty: a key needs a role"),
        None if spec.roles.is_missing() => {
            (missing_span(&spec.roles, spec.place), "`spec.roles` is missing: a key needs a role")
        }
        None => return,
    };
    cx.finding(span, message).help("write `roles: [Viewer]`").report(sink);
}

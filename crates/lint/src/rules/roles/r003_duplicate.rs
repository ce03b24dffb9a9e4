//! R003 role-duplicate: the same role twice.

use std::collections::HashMap;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Span, quote};

use crate::model::{folded, remove_item};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "R003",
    name: "role-duplicate",
    severity: Severity::Warning,
    summary: "the same role appears twice",
    why: "The second entry grants nothing more, and usually another role was meant.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer, Responder, Viewer]\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer, Responder]\n"),
    remedy: "Remove one, or write the role that was meant.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let roles = cx.definition.roles();
    let mut seen: HashMap<String, Span> = HashMap::with_capacity(roles.len());
    for role in roles {
        let name = folded(&role.value);
        let first = seen.get(&name).copied();
        if first.is_none() {
            seen.insert(name, role.span);
        }
        if let Some(first) = first {
            let message = format!("role {} appears twice", quote(&role.value));
            cx.finding(role.span, message)
                .help("remove one of the two")
                .also(first, "first here")
                .fix(remove_item(cx.tree, role.span, true))
                .report(sink);
        }
    }
}

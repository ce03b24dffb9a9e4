//! R011 role-by-id: a role's id instead of its display name.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{quote, scalar};

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const ID: &str = "catalog: { roles: [{ name: SIEM Export, id: custom_role_4711 }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R011",
    name: "role-by-id",
    severity: Severity::Error,
    summary: "a role's id instead of its display name",
    why: "A role has an id and a display name. The call that generates keys accepts only the \
        display name, and fails with status 500 if it gets an id.",
    bad: RuleExample::fields("spec:\n  roles: [custom_role_4711]\n").policy(ID),
    good: RuleExample::fields("spec:\n  roles: [SIEM Export]\n").policy(ID),
    remedy: "Write the display name. `--fix` does that if the catalog lists the id.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    for role in cx.definition.roles() {
        let Some(listed) = cx.listed.of_id(&role.value) else { continue };
        let name = &listed.name.value;
        let message = format!("{} is the id of role {}", quote(&role.value), quote(name));
        cx.finding(role.span, message)
            .help(format!("write {}", quote(name)))
            .fix(Some(Fix::safe(role.span, scalar(name))))
            .report(sink);
    }
}

//! R002 role-forbidden: a role that no key may hold.

use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::policy::Severity;

use crate::model::same_role;
use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::{first_held, role_text};

rule_options! {
    struct Options<'a> {
        /// the roles that no key may hold
        roles: &'a [String] = "Account Admin, Instance Administrator", More;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "R002",
    name: "role-forbidden",
    severity: Severity::Error,
    summary: "a role that no key may hold",
    why: "An administrator's role lets a key do everything an administrator can: generate keys, \
          grant roles, delete evidence. Automation needs only some of these permissions, which a \
          custom role can grant.",
    bad: RuleExample::fields("spec:\n  roles: [Instance Administrator]\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n"),
    remedy: "Create a custom role with the components that the key needs. A policy sets the list \
           with `roles`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let forbidden = Options::of(sink.settings).roles;
    let is_forbidden =
        |role: &ResolvedRole| forbidden.value.iter().any(|name| same_role(name, role.name()));
    for (span, role) in first_held(cx, is_forbidden) {
        let message = format!("keys must not hold role {}", role_text(role));
        cx.finding(span, message)
            .help("create a custom role with what the key needs")
            .decided(forbidden.decided, "forbidden here")
            .report(sink);
    }
}

//! L003 level-standard-with-privileged-role: a standard key holds a privileged role.

use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::held;

const ALLOWED: &str = "rules:\n  level-standard-forbidden: { enabled: false }\n  role-privileged-without-approval: { enabled: false }\n";

pub(crate) static RULE: Rule = Rule {
    code: "L003",
    name: "level-standard-with-privileged-role",
    severity: Severity::Error,
    summary: "a standard key holds a privileged role",
    why: "Every request carries a standard key in the clear. With an administrator's role, one \
          line in a proxy's log gives access to the whole tenant.",
    bad: RuleExample::fields("spec:\n  securityLevel: standard\n  roles: [Deployment Admin]\n")
        .policy(ALLOWED),
    good: RuleExample::fields("spec:\n  securityLevel: advanced\n  roles: [Deployment Admin]\n")
        .policy(ALLOWED),
    remedy: "Make the key advanced, or give it a role that is not privileged. Privileged roles are \
        the predefined roles that the product calls privileged or that administer the product, and \
        the roles with `privileged: true` in the catalog.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let Some(level) = spec.level.spanned() else { return };
    if level.value == Level::Advanced {
        return;
    }
    let Some((at, role)) = held(cx).iter().find(|(_, role)| role.facts.privileged) else { return };
    let message = format!("a standard key holds {}, which is privileged", quote(role.name()));
    cx.finding(level.span, message)
        .help("write `securityLevel: advanced`, or use a role that is not privileged")
        .detail(role.name())
        .also(cx.definition.roles()[*at].span, "the role")
        .fix(Some(Fix::unsafe_(level.span, "advanced")))
        .report(sink);
}

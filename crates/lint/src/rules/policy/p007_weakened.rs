//! P007 policy-weakened: a child policy loosens what a parent locked.

use cortexkey_manifest::policy::Severity;

use crate::policy::Policy;
use crate::rule::{FindingSink, Fixes, PolicyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "P007",
    name: "policy-weakened",
    severity: Severity::Error,
    summary: "a child policy loosens what a parent locks, or changes a fact that a parent states",
    why: "Parent policies lock rules so that no child can loosen them, directly or by changing \
          facts such as what a role grants, which product a tenant is, or which teams may own \
          keys. The attempt has no effect and is reported.",
    bad: RuleExample::fields("").policy(WEAKER),
    good: RuleExample::fields("").policy(STRICTER),
    remedy: "Remove the setting or fact, or change the parent: unlock the rule, correct the fact, \
           or open the list with `catalog: { open: [teams] }`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Policy(check),
};

/// Extends a policy that the tests put next to it, in which the rule is locked.
const WEAKER: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: team }\n\
    extends: [../acme.yaml] # has expiry-too-long: { max: 180d, locked: true }\n\
    rules: { expiry-too-long: { max: 900d } }\n";

/// Like [`WEAKER`], with a stricter limit, which a child may set.
const STRICTER: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: team }\n\
    extends: [../acme.yaml] # has expiry-too-long: { max: 180d, locked: true }\n\
    rules: { expiry-too-long: { max: 90d } }\n";

fn check(cx: &PolicyContext<'_>, sink: &mut FindingSink<'_>) {
    for refused in &cx.policy.merged.refused {
        let message = format!(
            "`{}` of {} is locked; this would loosen it and has no effect",
            refused.what,
            label(cx.policy, &refused.code)
        );
        cx.finding(refused.at.layer, refused.at.span, message)
            .help("remove it, or unlock the rule in the parent")
            .decided(Some(cx.policy.location(refused.lock)), "locked here")
            .report(sink);
    }
    for refused in &cx.policy.facts.refused {
        let message = format!("another policy states {}; this has no effect", refused.what);
        let help = match refused.open {
            Some(open) => format!(
                "remove it, add it there, or open the list there: `catalog: {{ open: [{}] }}`",
                open.as_str()
            ),
            None => "remove it, or change it there".to_owned(),
        };
        cx.finding(refused.at.layer, refused.at.span, message)
            .help(help)
            .decided(Some(cx.policy.location(refused.by)), "stated by this policy")
            .report(sink);
    }
}

fn label(policy: &Policy, code: &str) -> String {
    policy.rule_id(code).map_or_else(|| code.to_owned(), |rule| rule.to_string())
}

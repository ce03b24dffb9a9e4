//! P007 policy-weakened: a child policy loosens what a parent locked.

use cortexkey_manifest::policy::Severity;

use crate::policy::Policy;
use crate::rule::{Check, Example, Fixes, PolicyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "P007",
    name: "policy-weakened",
    severity: Severity::Error,
    summary: "a child policy loosens what a parent locked, or changes a fact that a parent states",
    why: "A locked rule is a promise to those who audit the parent policy, and it is worth nothing \
          where a child may say that a role holds less, that a tenant is another product, or that \
          one more team may own keys. The attempt does not count, and it is shown.",
    bad: Example::fields("").policy(WEAKER),
    good: Example::fields("").policy("rules: { expiry-too-long: { max: 120d, locked: true } }\n"),
    mend: "Remove it, or have the parent changed: its lock lifted, its fact corrected, or the list \
           opened with `catalog: { open: [teams] }`.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Policy(check),
};

/// Extends a policy that the tests put beside it, in which the rule is locked.
const WEAKER: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: team }\n\
    extends: [../acme.yaml]\nrules: { expiry-too-long: { max: 900d } }\n";

fn check(cx: &PolicyContext<'_>, sink: &mut Sink<'_>) {
    for refused in &cx.policy.merged.refused {
        let message = format!(
            "`{}` of {} is locked; what stands here would loosen it and does not count",
            refused.what,
            label(cx.policy, &refused.code)
        );
        cx.finding(refused.at.layer, refused.at.span, message)
            .help("remove it, or have the lock lifted in the parent")
            .decided(Some(cx.policy.location(refused.lock)), "locked here")
            .report(sink);
    }
    for refused in &cx.policy.facts.refused {
        let message = format!(
            "{} is for another policy to say; what stands here does not count",
            refused.what
        );
        let help = match refused.open {
            Some(open) => format!(
                "remove it, add it there, or open the list there: `catalog: {{ open: [{}] }}`",
                open.as_str()
            ),
            None => "remove it, or change it there".to_owned(),
        };
        cx.finding(refused.at.layer, refused.at.span, message)
            .help(help)
            .decided(Some(cx.policy.location(refused.by)), "this policy says it")
            .report(sink);
    }
}

fn label(policy: &Policy, code: &str) -> String {
    policy.rule_id(code).map_or_else(|| code.to_owned(), |rule| rule.to_string())
}

//! P004 suppression-not-allowed: a waiver or a comment for a rule that cannot be waived.

use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, PolicyContext, Rule, RuleCheck, RuleExample};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P004",
    name: "suppression-not-allowed",
    severity: Severity::Error,
    summary: "a waiver or suppression comment for a rule that allows none",
    why: "A rule with `waivable: false` allows no exceptions. A locked rule allows no comment, \
          and no waiver in a policy that extends the one that locks it. A waiver without effect \
          would look like a granted exception.",
    bad: RuleExample::fields("").policy(
        "rules: { expiry-too-long: { waivable: false } }\nwaivers:\n  - { rule: E003, \
         key: svc-siem-export-prod, reason: \"SEC-77\", approvedBy: ciso@example.com, \
         expires: 2026-03-31 }\n",
    ),
    good: RuleExample::fields(LONG).policy(SOUND),
    remedy: "Fix the key, or ask the policy's owner to make the rule waivable.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Policy(check),
};

fn check(cx: &PolicyContext<'_>, sink: &mut FindingSink<'_>) {
    for (layer, waiver) in cx.policy.waivers() {
        let Some(written) = waiver.rule.spanned() else { continue };
        let Some(rule) = cx.policy.rule_id(&written.value) else { continue };
        let Some(forbidden) = cx.policy.waiver_forbidden(&rule, Some(layer)) else { continue };
        let message = format!("rule {rule} cannot be waived here: {}", forbidden.reason);
        cx.finding(layer, written.span, message)
            .help("fix the key; this waiver has no effect")
            .decided(forbidden.decided, "set here")
            .report(sink);
    }
}

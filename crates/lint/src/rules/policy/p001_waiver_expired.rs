//! P001 waiver-expired: a waiver that has expired.

use cortexkey_manifest::policy::Severity;

use crate::model::remove_waiver;
use crate::rule::{FindingSink, Fixes, PolicyContext, Rule, RuleCheck, RuleExample};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P001",
    name: "waiver-expired",
    severity: Severity::Error,
    summary: "a waiver that has expired and no longer applies",
    why: "A waiver is a temporary decision. When it expires, the decision has to be made again.",
    bad: RuleExample::fields("").policy(
        "waivers:\n  - { rule: expiry-too-long, key: svc-siem-export-prod, reason: \"SEC-77\", \
         approvedBy: ciso@example.com, expires: 2025-06-30 }\n",
    ),
    good: RuleExample::fields(LONG).policy(SOUND),
    remedy: "Fix the key and remove the waiver, or have it approved again with a new date.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Policy(check),
};

fn check(cx: &PolicyContext<'_>, sink: &mut FindingSink<'_>) {
    for (layer, waiver) in cx.policy.waivers() {
        if let Some(expires) = waiver.expires.spanned()
            && expires.value <= cx.now
        {
            cx.finding(layer, expires.span, "this waiver has expired and no longer applies")
                .help("fix the key and remove the waiver, or have it approved again")
                .fix(remove_waiver(&cx.policy.layers[layer].tree, waiver.span, false))
                .report(sink);
        }
    }
}

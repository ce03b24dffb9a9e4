//! P003 waiver-too-long: a waiver or a suppression lasts longer than the policy allows.

use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;

use crate::model::{duration_beyond, duration_in_words};
use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, PolicyContext, Rule, RuleCheck, RuleExample};
use crate::rules::policy::samples::{LONG, SOUND};

const YEARS: &str = "rules: { expiry-beyond-product: { enabled: false } }\nwaivers:\n  \
    - { rule: expiry-too-long, key: svc-siem-export-prod, reason: \"vendor rotates yearly, SEC-77\", \
    approvedBy: ciso@example.com, expires: 2029-03-31 }\n";

rule_options! {
    struct Options {
        /// the longest duration of a waiver, counted from now
        max: Option<SignedDuration> = "180d", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "P003",
    name: "waiver-too-long",
    severity: Severity::Error,
    summary: "a waiver or suppression that lasts longer than the policy allows",
    why: "A waiver covers the time until the key is fixed. One that lasts for years changes the \
          policy without a decision.",
    bad: RuleExample::fields(LONG).policy(YEARS),
    good: RuleExample::fields(LONG).policy(SOUND),
    remedy: "Set an earlier date and review the waiver then, or change the policy if the exception \
           is permanent.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Policy(check),
};

fn check(cx: &PolicyContext<'_>, sink: &mut FindingSink<'_>) {
    let limit = Options::of(sink.settings).max;
    let Some(max) = limit.value else { return };
    for (layer, waiver) in cx.policy.waivers() {
        let Some(end) = waiver.expires.spanned() else { continue };
        let lasts = end.value.duration_since(cx.now);
        if lasts <= max {
            continue;
        }
        let message = format!(
            "this waiver lasts {}; the policy allows at most {}",
            duration_beyond(lasts, max),
            duration_in_words(max)
        );
        cx.finding(layer, end.span, message)
            .help("set an earlier date, and review the waiver then")
            .decided(limit.decided, "the limit")
            .report(sink);
    }
}

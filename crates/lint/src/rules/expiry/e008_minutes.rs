//! E008 expiry-in-minutes: a lifetime of less than an hour, where months are usually meant.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;
use jiff::SignedDuration;

use crate::model::duration_in_words;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "E008",
    name: "expiry-in-minutes",
    severity: Severity::Warning,
    summary: "a lifetime of less than an hour: `m` means minutes, not months",
    why: "`3m` looks like three months and means three minutes. The key expires before its \
          consumer is configured, and the calls fail with the same 401 as calls with a wrong key.",
    bad: RuleExample::fields("spec:\n  lifetime: 3m\n"),
    good: RuleExample::fields("spec:\n  lifetime: 90d\n"),
    remedy: "Write months in days: `90d` for three months. There is no unit for months, because \
           their lengths differ.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.lifetime.spanned()) else {
        return;
    };
    let ExpirySpec::After(lifetime) = end.value else { return };
    let minutes = lifetime.as_mins();
    if lifetime >= SignedDuration::from_hours(1) {
        return;
    }
    let days = minutes.saturating_mul(30);
    let message =
        format!("the lifetime is {}; `m` means minutes, not months", duration_in_words(lifetime));
    cx.finding(end.span, message)
        .help(format!("write {} if you mean months", quote(&format!("{days}d"))))
        .report(sink);
}

//! E003 expiry-too-long: the key lives longer than the policy allows.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;

use crate::model::{Fix, duration_beyond, duration_in_words};
use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::expiry::e007_beyond_product;
use crate::rules::expiry::time::{clamped, product_limit, remaining};

rule_options! {
    struct Options {
        /// the longest lifetime; for `expires`, the longest time from now
        max: Option<SignedDuration> = "365d", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E003",
    name: "expiry-too-long",
    severity: Severity::Error,
    summary: "the key's lifetime is longer than the policy allows",
    why: "A stolen key works until it expires. Use overrides to set shorter limits for powerful \
          roles or weaker levels.",
    bad: RuleExample::fields("spec:\n  lifetime: 730d\n"),
    good: RuleExample::fields("spec:\n  lifetime: 90d\n"),
    remedy: "Shorten the lifetime, and rotate the key before it expires.",
    options: Options::DOCS,
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.end()) else { return };
    let maximum = Options::of(sink.settings).max;
    let Some(max) = maximum.value else { return };
    let Some(left) = remaining(end.value, cx.now).filter(|left| *left > max) else { return };
    // An expiry beyond the product's limit would be the next finding.
    let asked = (cx.settings_of)(&e007_beyond_product::RULE).enabled;
    let product = product_limit(cx.now).filter(|_| asked);
    let limit = product.map_or(max, |product| max.min(product));
    let fix = clamped(end.value, limit, cx.now).map(|text| Fix::unsafe_(end.span, text));
    let left = duration_beyond(left, max);
    let max = duration_in_words(max);
    let message = match end.value {
        ExpirySpec::At(_) => format!("this key expires in {left}; the policy allows at most {max}"),
        _ => format!("the lifetime is {left}; the policy allows at most {max}"),
    };
    cx.finding(end.span, message)
        .help(format!("set at most {max}, and rotate the key before it expires"))
        .decided(maximum.decided, "the limit")
        .fix(fix)
        .report(sink);
}

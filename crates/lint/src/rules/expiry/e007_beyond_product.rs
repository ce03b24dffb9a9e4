//! E007 expiry-beyond-product: an expiry that the product's API does not accept.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;

use crate::model::{Fix, duration_in_words};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::expiry::time::{clamped, product_limit, remaining};

pub(crate) static RULE: Rule = Rule {
    code: "E007",
    name: "expiry-beyond-product",
    severity: Severity::Warning,
    summary: "`never`, or more than six months: the product's API cannot generate such a key",
    why: "The API sets an expiry of one week by default and six months at most. Only the console \
          can generate keys that live longer, so a program cannot apply such a definition.",
    bad: RuleExample::fields("spec:\n  lifetime: 300d\n"),
    good: RuleExample::fields("spec:\n  lifetime: 180d\n"),
    remedy: "Shorten the lifetime to six months, or generate the key in the console. The rule \
           reports nothing if expiry-missing or expiry-too-long already reports the key, unless \
           that finding is waived.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.end()) else { return };
    let message = match remaining(end.value, cx.now) {
        None => "the product's API cannot generate a key that never expires".to_owned(),
        Some(left) if Some(left) > product_limit(cx.now) => {
            format!(
                "the product's API generates keys for at most six months; this is {}",
                duration_in_words(left)
            )
        }
        Some(_) => return,
    };
    let limit = product_limit(cx.now);
    // `never` is a value of `expires`, where no lifetime is allowed.
    let text = limit.and_then(|limit| match end.value {
        ExpirySpec::Never => clamped(ExpirySpec::At(cx.now), limit, cx.now),
        other => clamped(other, limit, cx.now),
    });
    cx.finding(end.span, message)
        .fix(text.map(|text| Fix::unsafe_(end.span, text)))
        .help("shorten it to six months, or generate the key in the console")
        .report(sink);
}

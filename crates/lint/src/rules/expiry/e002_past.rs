//! E002 expiry-past: the key has expired.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;

use crate::model::duration_in_words;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "E002",
    name: "expiry-past",
    severity: Severity::Error,
    summary: "the key has expired",
    why: "Calls with an expired key get the same 401 as calls with a wrong key, so the cause is \
          hard to find.",
    bad: RuleExample::fields("spec:\n  expires: 2020-01-31\n"),
    good: RuleExample::fields("spec:\n  lifetime: 90d\n"),
    remedy: "Generate a new key and write its expiry, or remove the definition together with the \
           key.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.expires.spanned()) else {
        return;
    };
    if let ExpirySpec::At(moment) = end.value
        && moment <= cx.now
    {
        let message =
            format!("this key expired {} ago", duration_in_words(cx.now.duration_since(moment)));
        cx.finding(end.span, message)
            .help("generate a new key and write its expiry, or remove the definition with the key")
            .report(sink);
    }
}

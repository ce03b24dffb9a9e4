//! E007 expiry-beyond-product: an end that the product's API cannot set.

use cortexkey_manifest::definition::Expiry;
use cortexkey_manifest::policy::Severity;

use crate::model::{Fix, duration_in_words};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};
use crate::rules::expiry::time::{beyond, clamped, remaining};

pub(crate) static RULE: Rule = Rule {
    code: "E007",
    name: "expiry-beyond-product",
    severity: Severity::Warning,
    summary: "`never`, or more than six months ahead: the product's API cannot make such a key",
    why: "The API sets an end of one week unless told otherwise, and of six months at most. Only \
          the console makes keys that live longer, so such a definition cannot be applied by a \
          program.",
    bad: Example::fields("spec:\n  lifetime: 300d\n"),
    good: Example::fields("spec:\n  lifetime: 180d\n"),
    mend: "Shorten it to six months, or make the key in the console. The rule is silent where \
           expiry-missing or expiry-too-long has spoken already, unless that is waived.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.end()) else { return };
    let message = match remaining(end.value, cx.now) {
        None => "the product's API cannot make a key that never ends".to_owned(),
        Some(left) if Some(left) > beyond(cx.now) => {
            format!(
                "the product's API makes keys of at most six months; this is {}",
                duration_in_words(left)
            )
        }
        Some(_) => return,
    };
    let limit = beyond(cx.now);
    // `never` stands under `expires`, where no lifetime may stand.
    let text = limit.and_then(|limit| match end.value {
        Expiry::Never => clamped(Expiry::At(cx.now), limit, cx.now),
        other => clamped(other, limit, cx.now),
    });
    cx.finding(end.span, message)
        .fix(text.map(|text| Fix::unsafe_(end.span, text)))
        .help("shorten it to six months, or make the key in the console")
        .report(sink);
}

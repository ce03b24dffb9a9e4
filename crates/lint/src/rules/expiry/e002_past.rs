//! E002 expiry-past: the key has ended.

use cortexkey_manifest::definition::Expiry;
use cortexkey_manifest::policy::Severity;

use crate::model::duration_in_words;
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "E002",
    name: "expiry-past",
    severity: Severity::Error,
    summary: "the key has ended already",
    why: "Calls with an ended key get the same 401 as calls with a wrong one, so whoever looks for \
          the cause looks in the wrong place first.",
    bad: Example::fields("spec:\n  expires: 2020-01-31\n"),
    good: Example::fields("spec:\n  lifetime: 90d\n"),
    mend: "Generate a new key and write its end, or remove the definition together with the key.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.expires.spanned()) else {
        return;
    };
    if let Expiry::At(moment) = end.value
        && moment <= cx.now
    {
        let message =
            format!("this key ended {} ago", duration_in_words(cx.now.duration_since(moment)));
        cx.finding(end.span, message)
            .help("generate a new key and write its end, or remove the definition with the key")
            .report(sink);
    }
}

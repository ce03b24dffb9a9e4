//! L001 level-standard-forbidden: a standard key where the policy asks for advanced.

use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::Severity;

use crate::model::Fix;
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "L001",
    name: "level-standard-forbidden",
    severity: Severity::Error,
    summary: "a standard key where the policy asks for advanced",
    why: "A standard key travels in full with every request: whoever sees one request, in a proxy, \
          a log or a debugger, has the key. An advanced key sends a digest over a fresh nonce and \
          the time instead, which cannot be used again.",
    bad: Example::fields("spec:\n  securityLevel: standard\n"),
    good: Example::fields("spec:\n  securityLevel: advanced\n"),
    mend: "Write `securityLevel: advanced`, and generate the key anew: the level of an existing \
           key says how it was made. For a tool that only takes standard keys, switch the rule \
           off for its label with an override.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(level) = cx.definition.spec.as_ref().and_then(|spec| spec.level.spanned()) else {
        return;
    };
    if level.value == Level::Advanced {
        return;
    }
    let message = "a standard key travels in full with every request; the policy asks for advanced";
    cx.finding(level.span, message)
        .help("write `securityLevel: advanced`")
        .fix(Some(Fix::unsafe_(level.span, "advanced")))
        .decided(sink.settings.decided, "asked for here")
        .report(sink);
}

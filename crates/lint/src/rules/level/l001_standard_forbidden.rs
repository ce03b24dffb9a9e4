//! L001 level-standard-forbidden: a standard key, although the policy requires advanced keys.

use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::Severity;

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "L001",
    name: "level-standard-forbidden",
    severity: Severity::Error,
    summary: "a standard key, although the policy requires advanced keys",
    why: "Every request carries the standard key itself: anyone who sees one request, in a proxy, \
          a log or a debugger, can reuse the key. With an advanced key, each request carries a \
          digest of the key, a new nonce and the time, which cannot be used again.",
    bad: RuleExample::fields("spec:\n  securityLevel: standard\n"),
    good: RuleExample::fields("spec:\n  securityLevel: advanced\n"),
    remedy: "Write `securityLevel: advanced`, and replace the key: clients of the existing key \
           would fail if its level changed. For a tool that supports only standard keys, disable \
           the rule with an override that matches the key's label.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(level) = cx.definition.spec.as_ref().and_then(|spec| spec.level.spanned()) else {
        return;
    };
    if level.value == Level::Advanced {
        return;
    }
    let message = "every request carries a standard key in the clear; the policy requires advanced";
    cx.finding(level.span, message)
        .help("write `securityLevel: advanced`")
        .fix(Some(Fix::unsafe_(level.span, "advanced")))
        .decided(sink.settings.decided, "required here")
        .report(sink);
}

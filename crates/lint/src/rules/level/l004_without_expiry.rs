//! L004 level-standard-without-expiry: a standard key that never expires.

use cortexkey_core::auth::Level;
use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const ALLOWED: &str = "rules:\n  level-standard-forbidden: { enabled: false }\n  expiry-missing: { allowNever: true }\n  expiry-beyond-product: { enabled: false }\n";

pub(crate) static RULE: Rule = Rule {
    code: "L004",
    name: "level-standard-without-expiry",
    severity: Severity::Error,
    summary: "a standard key that never expires",
    why: "A standard key that was exposed once works until it is deleted, and the exposure goes \
          unnoticed. Only an expiry stops it automatically.",
    bad: RuleExample::fields("spec:\n  securityLevel: standard\n  expires: never\n")
        .policy(ALLOWED),
    good: RuleExample::fields("spec:\n  securityLevel: standard\n  lifetime: 90d\n")
        .policy(ALLOWED),
    remedy: "Write `lifetime: 90d`, or make the key advanced.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let Some(level) = spec.level.spanned() else { return };
    let end = spec.expires.spanned().filter(|end| end.value == ExpirySpec::Never);
    let (Level::Standard, Some(end)) = (level.value, end) else { return };
    cx.finding(end.span, "a standard key never expires")
        .help("write `lifetime: 90d`, or make the key advanced")
        .also(level.span, "the level")
        .report(sink);
}

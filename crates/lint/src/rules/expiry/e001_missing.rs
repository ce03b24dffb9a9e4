//! E001 expiry-missing: the key never expires, or has no expiry.

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::{ExpirySpec, Spec};
use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;

use crate::model::{Fix, add_after};
use crate::policy::{Settings, rule_options};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};
use crate::rules::expiry::e003_too_long;
use crate::rules::expiry::time::format_lifetime;

rule_options! {
    struct Options {
        /// whether `expires: never` is allowed
        allow_never as "allowNever": bool = "false", No;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E001",
    name: "expiry-missing",
    severity: Severity::Error,
    summary: "neither `expires` nor `lifetime`, or `never` although the policy does not allow it",
    why: "By default the console generates keys without an expiry, and nothing reminds the owner \
          of such a key. A key that expires is reviewed when it is renewed.",
    bad: RuleExample::fields("spec:\n  expires: never\n"),
    good: RuleExample::fields("spec:\n  lifetime: 90d\n"),
    remedy: "Write `lifetime: 90d`, which starts when the key is generated, or a fixed `expires`.",
    options: Options::DOCS,
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let field = || format!("lifetime: {}", default_lifetime(cx));
    let help = || format!("write `{}`, or `expires:` with a time", field());
    if spec.expires.is_missing() && spec.lifetime.is_missing() {
        let span = spec.lifetime.key().unwrap_or(missing_span(&spec.expires, spec.place));
        let message = "neither `spec.expires` nor `spec.lifetime` is set: the key would never \
            expire";
        let fix = add(cx, spec, &field());
        cx.finding(span, message).help(help()).fix(fix).report(sink);
    } else if forbidden_never(cx, sink.settings)
        && let Some(end) = spec.expires.spanned()
    {
        let decided = Options::of(sink.settings).allow_never.decided;
        let message = "this key never expires; the policy requires an expiry";
        let finding =
            cx.finding(end.span, message).help(help()).decided(decided, "required here").fix(
                spec.expires
                    .key()
                    .map(|key| Fix::unsafe_(Span { start: key.start, end: end.span.end }, field())),
            );
        finding.report(sink);
    }
}

/// Inserts a lifetime in place of an empty field, or after the comment, the level or the roles.
fn add(cx: &KeyContext<'_>, spec: &Spec, field: &str) -> Option<Fix> {
    if let Some(key) = spec.lifetime.key().or(spec.expires.key()) {
        let colon = cx.tree.source().get(key.end as usize..)?.find(':')? + 1;
        let end = key.end as usize + colon;
        return Some(Fix::unsafe_(Span::new(key.start as usize, end), field));
    }
    let behind = spec.comment.key().or(spec.level.key()).or(spec.roles.key())?;
    add_after(cx.tree, behind, field, false)
}

/// Three months, or the limit for this key where that is shorter.
fn default_lifetime(cx: &KeyContext<'_>) -> String {
    let usual = SignedDuration::from_hours(90 * 24);
    let settings = (cx.settings_of)(&e003_too_long::RULE);
    let limit = e003_too_long::Options::of(&settings).max.value.filter(|_| settings.enabled);
    format_lifetime(limit.filter(|limit| *limit < usual).unwrap_or(usual))
}

/// True if the key never expires and the policy does not allow that.
fn forbidden_never(cx: &KeyContext<'_>, settings: &Settings) -> bool {
    let end = cx.definition.spec.as_ref().and_then(|spec| spec.expires.get());
    end == Some(&ExpirySpec::Never) && !Options::of(settings).allow_never.value
}

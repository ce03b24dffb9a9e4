//! E001 expiry-missing: the key never ends, or does not say when.

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::{Expiry, Spec, lifetime};
use cortexkey_manifest::policy::Severity;

use crate::finding::Fix;
use crate::fix::add_after;
use crate::rules::{
    Check, Draft, Example, Fixes, KeyContext, OptionDoc, OptionType, Rule, Sink, Tighter,
};
use crate::settings::{Settings, missing_place};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "E001",
    name: "expiry-missing",
    severity: Severity::Error,
    summary: "neither `expires` nor `lifetime`, or `never` where the policy does not allow it",
    why: "The console makes keys without an end unless somebody ticks a box, and nothing reminds \
          anybody of such a key. A key that ends is looked at again.",
    bad: Example::fields("spec:\n  expires: never\n"),
    good: Example::fields("spec:\n  lifetime: 90d\n"),
    mend: "Write `lifetime: 90d`, counted from when the key is generated, or a fixed `expires`.",
    options: &[OptionDoc {
        name: "allowNever",
        kind: OptionType::Flag,
        default: Some("false"),
        what: "whether `expires: never` is allowed",
        tighter: Tighter::No,
    }],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let usual = usual(cx);
    let help = format!("write `lifetime: {usual}`, or `expires:` with a time");
    let field = format!("lifetime: {usual}");
    if spec.expires.is_missing() && spec.lifetime.is_missing() {
        let span = spec.lifetime.key().unwrap_or(missing_place(&spec.expires, spec.place));
        let message = "neither `spec.expires` nor `spec.lifetime`: the key would never end";
        let fix = add(cx, spec, &field);
        sink.report_as(settings, Draft::at_key(cx, span, message).help(help).fix(fix));
    } else if forbidden_never(cx, settings)
        && let Some(end) = spec.expires.spanned()
    {
        let (_, source) = settings.flag("allowNever");
        let message = "this key never ends; the policy asks for an end";
        let draft =
            Draft::at_key(cx, end.span, message).help(help).decided(source, "asked for here").fix(
                spec.expires
                    .key()
                    .map(|key| Fix::unsafe_(Span { start: key.start, end: end.span.end }, field)),
            );
        sink.report_as(settings, draft);
    }
}

/// A lifetime in the place of an empty field, or behind the comment, the level or the roles.
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
fn usual(cx: &KeyContext<'_>) -> String {
    const USUAL: &str = "90d";
    let limit = (cx.settings_of)("E003").filter(|settings| settings.enabled);
    let limit = limit.and_then(|settings| settings.text("max").map(|(text, _)| text.to_owned()));
    let shorter = |limit: &String| {
        let (limit, usual) = (lifetime(limit).ok(), lifetime(USUAL).ok());
        limit.zip(usual).is_some_and(|(limit, usual)| limit < usual)
    };
    limit.filter(shorter).unwrap_or_else(|| USUAL.to_owned())
}

/// True when the key never ends and the policy does not allow that.
fn forbidden_never(cx: &KeyContext<'_>, settings: &Settings) -> bool {
    let end = cx.definition.spec.as_ref().and_then(|spec| spec.expires.get());
    end == Some(&Expiry::Never) && !settings.flag("allowNever").0
}

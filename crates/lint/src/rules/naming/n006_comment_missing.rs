//! N006 comment-missing: no comment that says what the key is for.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

/// Typical placeholders.
const PLACEHOLDERS: [&str; 16] = [
    "todo",
    "to do",
    "tbd",
    "tba",
    "fixme",
    "xxx",
    "test",
    "test key",
    "testing",
    "n/a",
    "none",
    "comment",
    "description",
    "api key",
    "placeholder",
    "temporary",
];

rule_options! {
    struct Options {
        /// the minimum length in characters
        min: Option<usize> = "8", More;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "N006",
    name: "comment-missing",
    severity: Severity::Warning,
    summary: "no comment that says what the key is for",
    why: "The comment is the only free text that the product stores with a key. It is what people \
          in the console read when they decide whether the key can be deleted.",
    bad: RuleExample::fields("spec:\n  comment: TODO\n"),
    good: RuleExample::fields("spec:\n  comment: Exports incidents to the SIEM. SEC-1234\n"),
    remedy: "Say in a few words what uses the key, and why.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let help = "say in a few words what uses the key, and why";
    let finding = match spec.comment.spanned() {
        None if spec.comment.is_missing() => {
            let span = missing_span(&spec.comment, spec.place);
            cx.finding(
                span,
                "`spec.comment` is missing; the product shows nothing else about a key's purpose",
            )
        }
        None => return,
        Some(comment) => {
            let text = comment.value.trim();
            let min = Options::of(sink.settings).min;
            let words = text.trim_end_matches(['.', '!', '?', ':']).to_lowercase();
            if PLACEHOLDERS.contains(&words.as_str()) {
                cx.finding(comment.span, format!("comment {} is a placeholder", quote(text)))
            } else if min.value.is_some_and(|min| text.chars().count() < min) {
                let message =
                    format!("comment {} is too short to say what the key is for", quote(text));
                cx.finding(comment.span, message).decided(min.decided, "the limit")
            } else {
                return;
            }
        }
    };
    finding.help(help).report(sink);
}

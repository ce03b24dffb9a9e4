//! N002 name-length: the name is too short to say anything, or too long for the console.

use cortexkey_manifest::policy::Severity;

use crate::policy::{OptionDoc, OptionType, Tighter};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "N002",
    name: "name-length",
    severity: Severity::Warning,
    summary: "the name is too short to say anything, or too long for the console",
    why: "The product has no names for keys: the name stands in the comment, of whose column the console shows the beginning. A name of two letters tells nobody what the key is for.",
    bad: Example::fields("metadata:\n  name: ab\n"),
    good: Example::fields("metadata:\n  name: svc-siem-export-prod\n"),
    mend: "Choose a name that says what the key is for, in a few words.",
    options: &[
        OptionDoc {
            name: "min",
            kind: OptionType::Number,
            default: Some("3"),
            what: "the fewest characters",
            tighter: Tighter::More,
        },
        OptionDoc {
            name: "max",
            kind: OptionType::Number,
            default: Some("64"),
            what: "the most characters",
            tighter: Tighter::Less,
        },
    ],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let length = name.value.trim().chars().count();
    let over = sink.settings.number("max").filter(|(max, _)| length > *max);
    let under = sink.settings.number("min").filter(|(min, _)| length < *min);
    let (words, (limit, source)) = match (over, under) {
        (Some(max), _) => ("at most", max),
        (_, Some(min)) => ("at least", min),
        _ => return,
    };
    let message = format!("the name has {length} characters; {words} {limit} are asked for");
    let finding = cx
        .finding(name.span, message)
        .help("choose a name that says what the key is for, in a few words")
        .decided(source, "the limit");
    sink.report(finding);
}

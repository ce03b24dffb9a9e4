//! N007 ticket-missing: the comment names no ticket by the policy's pattern.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::{OptionDoc, OptionType, Tighter};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

const PATTERN: &str = "rules: { ticket-missing: { pattern: 'SEC-[0-9]+' } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "N007",
    name: "ticket-missing",
    severity: Severity::Warning,
    summary: "the comment names no ticket by the policy's pattern",
    why: "A ticket leads from the key in the console to the discussion in which it was granted, long after whoever asked for it has left.",
    bad: Example::fields("spec:\n  comment: Exports incidents to the SIEM\n").policy(PATTERN),
    good: Example::fields("spec:\n  comment: Exports incidents to the SIEM. SEC-1234\n")
        .policy(PATTERN),
    mend: "Name the ticket in the comment. Nothing is asked for until a policy sets `pattern`.",
    options: &[OptionDoc {
        name: "pattern",
        kind: OptionType::Pattern,
        default: None,
        what: "the regular expression that finds a ticket, as in `\\b(SEC|OPS)-[0-9]+\\b`",
        tighter: Tighter::Neither,
    }],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(comment) = cx.definition.spec.as_ref().and_then(|spec| spec.comment.spanned()) else {
        return;
    };
    let Some((pattern, source)) = sink.settings.text("pattern") else { return };
    if cx.patterns.get(pattern).is_none_or(|regex| regex.is_match(&comment.value)) {
        return;
    }
    let finding = cx
        .finding(comment.span, "the comment names no ticket")
        .help(format!("name the ticket; the pattern is {}", quote(pattern)))
        .decided(source, "the pattern");
    sink.report(finding);
}

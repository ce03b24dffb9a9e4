//! N007 ticket-missing: the comment contains no ticket that matches the policy's pattern.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::{Pattern, rule_options};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const PATTERN: &str = "rules: { ticket-missing: { pattern: 'SEC-[0-9]+' } }\n";

rule_options! {
    struct Options<'a> {
        /// the regular expression that finds a ticket, such as `\b(SEC|OPS)-[0-9]+\b`
        pattern: Option<&'a Pattern>, Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "N007",
    name: "ticket-missing",
    severity: Severity::Warning,
    summary: "the comment contains no ticket that matches the policy's pattern",
    why: "A ticket leads from the key in the console to the discussion in which it was granted, \
          long after the requester has left.",
    bad: RuleExample::fields("spec:\n  comment: Exports incidents to the SIEM\n").policy(PATTERN),
    good: RuleExample::fields("spec:\n  comment: Exports incidents to the SIEM. SEC-1234\n")
        .policy(PATTERN),
    remedy: "Name the ticket in the comment. The rule has no effect until a policy sets `pattern`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(comment) = cx.definition.spec.as_ref().and_then(|spec| spec.comment.spanned()) else {
        return;
    };
    let options = Options::of(sink.settings);
    let Some(pattern) = options.pattern.value else { return };
    if pattern.is_match(&comment.value) {
        return;
    }
    cx.finding(comment.span, "the comment contains no ticket")
        .help(format!("add the ticket; the pattern is {}", quote(pattern.text())))
        .decided(options.pattern.decided, "the pattern")
        .report(sink);
}

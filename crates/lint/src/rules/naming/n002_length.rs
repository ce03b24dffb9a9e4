//! N002 name-length: the name is too short to be meaningful, or too long for the console.

use cortexkey_manifest::policy::Severity;
use cortexkey_system::counted;

use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options {
        /// the minimum length in characters
        min: Option<usize> = "3", More;
        /// the maximum length in characters
        max: Option<usize> = "64", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "N002",
    name: "name-length",
    severity: Severity::Warning,
    summary: "the name is too short to be meaningful, or too long for the console",
    why: "A name of two letters does not say what the key is for. The console cuts off a long \
        comment, and with it a long name in the comment.",
    bad: RuleExample::fields("metadata:\n  name: ab\n"),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n"),
    remedy: "Choose a name that says what the key is for, in a few words.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let length = name.value.trim().chars().count();
    let Options { min, max } = Options::of(sink.settings);
    let over = max.value.filter(|max| length > *max);
    let under = min.value.filter(|min| length < *min);
    let (words, limit, decided) = match (over, under) {
        (Some(limit), _) => ("at most", limit, max.decided),
        (_, Some(limit)) => ("at least", limit, min.decided),
        _ => return,
    };
    let length = counted(length, "character");
    let message = format!("the name has {length}; the policy requires {words} {limit}");
    cx.finding(name.span, message)
        .help("choose a name that says what the key is for, in a few words")
        .decided(decided, "the limit")
        .report(sink);
}

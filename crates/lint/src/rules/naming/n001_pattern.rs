//! N001 name-pattern: the name does not match the policy's pattern.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::{Pattern, rule_options};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const PATTERN: &str =
    "rules: { name-pattern: { pattern: '^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$' } }\n";

rule_options! {
    struct Options<'a> {
        /// the regular expression that names must match, such as `^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$`
        pattern: Option<&'a Pattern>, Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "N001",
    name: "name-pattern",
    severity: Severity::Error,
    summary: "the name does not match the policy's pattern",
    why: "A good name tells the on-call engineer what a key is, who owns it and where it belongs. \
          Programs that sort keys by name rely on it too.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-test\n").policy(PATTERN),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").policy(PATTERN),
    remedy: "Rename the key. The rule has no effect until a policy sets `pattern`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let options = Options::of(sink.settings);
    let Some(pattern) = options.pattern.value else { return };
    if pattern.is_match(&name.value) {
        return;
    }
    let fits = pattern.matched_length(&name.value);
    let message = match fits.map(|length| name.value.split_at(length)) {
        Some((good, bad)) if !good.is_empty() && !bad.is_empty() => format!(
            "name {} matches the pattern up to {}, but not {}",
            quote(&name.value),
            quote(good),
            quote(bad)
        ),
        Some((_, "")) => {
            format!(
                "name {} matches the beginning of the pattern, but ends too early",
                quote(&name.value)
            )
        }
        _ => format!("name {} does not match the pattern", quote(&name.value)),
    };
    cx.finding(name.span, message)
        .help(format!("the pattern is {}", quote(pattern.text())))
        .decided(options.pattern.decided, "the pattern")
        .report(sink);
}

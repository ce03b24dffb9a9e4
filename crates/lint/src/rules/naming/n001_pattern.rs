//! N001 name-pattern: the name does not fit the policy's pattern.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;
use regex_syntax::hir::HirKind;

use crate::policy::{OptionDoc, OptionType, Patterns, Tighter};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

const PATTERN: &str =
    "rules: { name-pattern: { pattern: '^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$' } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "N001",
    name: "name-pattern",
    severity: Severity::Error,
    summary: "the name does not fit the policy's pattern",
    why: "A name tells whoever finds a key at night what it is, whose it is and where it belongs. Programs that sort keys by their names rely on it, too.",
    bad: Example::fields("metadata:\n  name: svc-siem-export-test\n").policy(PATTERN),
    good: Example::fields("metadata:\n  name: svc-siem-export-prod\n").policy(PATTERN),
    mend: "Rename the key. Nothing is asked for until a policy sets `pattern`.",
    options: &[OptionDoc {
        name: "pattern",
        kind: OptionType::Pattern,
        default: None,
        what: "the regular expression that names must fit, as in `^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$`",
        tighter: Tighter::Neither,
    }],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let Some((pattern, source)) = sink.settings.text("pattern") else { return };
    let Some(regex) = cx.patterns.get(pattern) else { return };
    if regex.is_match(&name.value) {
        return;
    }
    let fits = fitting(cx.patterns, pattern, &name.value);
    let message = match fits.map(|length| name.value.split_at(length)) {
        Some((good, bad)) if !good.is_empty() && !bad.is_empty() => format!(
            "name {} fits the pattern as far as {}; {} does not",
            quote(&name.value),
            quote(good),
            quote(bad)
        ),
        Some((_, "")) => {
            format!("name {} fits the pattern so far, and ends too early", quote(&name.value))
        }
        _ => format!("name {} does not fit the pattern", quote(&name.value)),
    };
    let finding = cx
        .finding(name.span, message)
        .help(format!("the pattern is {}", quote(pattern)))
        .decided(source, "the pattern");
    sink.report(finding);
}

/// How much of the name the pattern's beginning takes: tried with ever fewer of its parts.
fn fitting(patterns: &Patterns, pattern: &str, name: &str) -> Option<usize> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let parts: Vec<String> = parts
        .iter()
        .filter(|part| !matches!(part.kind(), HirKind::Look(_)))
        .map(ToString::to_string)
        .collect();
    (1..=parts.len()).rev().find_map(|count| {
        let begin = format!("^(?:{})", parts.get(..count)?.concat());
        Some(patterns.get(&begin)?.find(name)?.end())
    })
}

//! The linter's findings: at a field, in a list, as a word in a table.

use cortexkey_lint::Severity;
use maud::{Markup, html};

use cortexkey_fleet::KeyFinding;

/// The class of a severity.
pub(crate) const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Info => "info",
    }
}

/// Findings, the gravest first, each with its rule and what to do.
pub(crate) fn list<'f>(found: impl Iterator<Item = &'f KeyFinding>) -> Markup {
    let mut found: Vec<&KeyFinding> = found.collect();
    found.sort_by_key(|found| core::cmp::Reverse(found.severity));
    html! {
        @if !found.is_empty() {
            ul class="findings" {
                @for found in found {
                    li class=(class(found.severity)) {
                        span class="word" { (found.severity.as_str()) } " "
                        (found.message)
                        @if let Some(help) = &found.help { p class="help" { (help) } }
                        a class="rule" href={ "/findings/rules/" (found.code) } { (found.code) " " (found.name) }
                    }
                }
            }
        }
    }
}

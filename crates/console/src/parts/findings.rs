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
                        (with_code(&found.message))
                        @if let Some(help) = &found.help { p class="help" { (with_code(help)) } }
                        a class="rule" href={ "/findings/rules/" (found.code) } { (found.code) " " (found.name) }
                    }
                }
            }
        }
    }
}

/// A message, with what it has between backticks as code.
pub(crate) fn with_code(message: &str) -> Markup {
    let parts: Vec<&str> = message.split('`').collect();
    html! {
        @if parts.len().is_multiple_of(2) {
            // A backtick of the text itself.
            (message)
        } @else {
            @for (at, part) in parts.iter().enumerate() {
                @if at.is_multiple_of(2) { (part) } @else { code { (part) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_between_backticks_is_code() {
        for (message, html) in [
            ("write `a<b` or `c`", "write <code>a&lt;b</code> or <code>c</code>"),
            ("one ` alone <", "one ` alone &lt;"),
            ("none", "none"),
            ("", ""),
        ] {
            assert_eq!(with_code(message).into_string(), html);
        }
    }
}

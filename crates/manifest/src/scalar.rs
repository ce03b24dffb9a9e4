//! Writes a string as a YAML scalar: plain if every reader reads the same string, otherwise quoted.
//!
//! Anything other than plain words is quoted.

use core::fmt::Write as _;

use crate::yaml::retyped;

/// Formats a string so that it can follow `key: `, or be an item or a key, in block and flow style.
///
/// ```
/// use cortexkey_manifest::scalar;
///
/// assert_eq!(scalar("SIEM Export"), "SIEM Export");
/// assert_eq!(scalar("no"), "\"no\"");
/// assert_eq!(scalar("a: b\n"), "\"a: b\\n\"");
/// ```
#[must_use]
pub fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Letters first; then letters, digits and characters that no reader interprets as structure or as
/// a number.
fn is_plain(text: &str) -> bool {
    let inner =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | '@');
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
        && text.chars().all(inner)
        && !text.contains("  ")
        && retyped(text).is_none()
        && !text.eq_ignore_ascii_case("nan")
}

/// Writes text as a YAML string, always in double quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if crate::is_invisible(c) || matches!(c, '\u{a0}' | '\u{85}') => {
                let _ = if u32::from(c) <= 0xffff {
                    write!(out, "\\u{:04x}", u32::from(c))
                } else {
                    write!(out, "\\U{:08x}", u32::from(c))
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{NodeKind, YamlLimits, parse};
    use proptest::prelude::*;

    fn read_back(text: &str) -> Option<String> {
        let source = format!("{}: [{}]\n", scalar(text), scalar(text));
        let parsed = parse(&source, &YamlLimits::default());
        assert!(parsed.problems.is_empty(), "{source:?}: {:?}", parsed.problems);
        let tree = parsed.tree;
        let NodeKind::Mapping { entries, .. } = &tree.node(tree.documents()[0].root).kind else {
            return None;
        };
        let NodeKind::Sequence { items, .. } = &tree.node(entries[0].value).kind else {
            return None;
        };
        let key = tree.text_of(entries[0].key)?;
        assert_eq!(key, tree.text_of(items[0])?);
        Some(key.to_owned())
    }

    #[test]
    fn retyped_scalars_are_quoted() {
        for text in
            ["no", "YES", "1_000", "017", "12:30:45", "2026-11-24", "", "~", "nUll", "=", "<<"]
        {
            assert!(scalar(text).starts_with('"'), "{text}");
            assert_eq!(read_back(text).as_deref(), Some(text));
        }
        for text in ["Viewer", "SIEM Export", "team-detection", "a@example.com", "SEC-12."] {
            assert_eq!(scalar(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_is(text in "\\PC{0,40}|[a-z #:,\\[\\]{}'\"&*!|>%@`\\-]{0,20}|.{0,20}") {
            // YAML cannot contain NUL at all.
            let text = text.replace('\0', "");
            prop_assert_eq!(read_back(&text), Some(text));
        }
    }
}

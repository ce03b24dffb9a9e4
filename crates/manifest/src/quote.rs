//! Makes text from a file safe to print.
//!
//! Escapes control characters and invisible characters, and masks possible secrets: see
//! [`crate::mask_tokens`].

use core::fmt::Write as _;

use crate::inert::inert_part;
use crate::tokens::{REFUSED_MIN, is_refused_secret, mask_path, mask_tokens};

/// Longest quotation in a message, in characters.
const LONGEST: usize = 80;

/// A value in backticks: masked, escaped and shortened.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("`{}`", printable(text))
}

/// Like [`quote`], without the backticks, for a part of a path.
pub(crate) fn printable(text: &str) -> String {
    let masked = mask_tokens(text);
    match masked.char_indices().nth(LONGEST) {
        Some((end, _)) => escape(masked.get(..end).unwrap_or_default()) + "…",
        None => escape(&masked),
    }
}

/// The text in one line that no CI service interprets as a command: control and invisible
/// characters are escaped.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert_part(text).chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Other spaces look like the plain one.
            c if is_invisible(c) || (c != ' ' && c.is_whitespace()) => {
                let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A path that may start a line, with possible secrets as asterisks.
#[must_use]
pub fn line_path(path: &str) -> String {
    let path = escape(&mask_path(path));
    // GitHub interprets lines that start like this as commands.
    if path.trim_start().starts_with("::") { format!("./{path}") } else { path }
}

/// [`quote`] for a value that its field does not accept. It may be a key that was pasted into the
/// wrong line, so a value that is longer than a word and looks random is masked completely.
#[must_use]
pub fn quote_refused(text: &str) -> String {
    if is_refused_secret(text) { format!("`{}`", "*".repeat(REFUSED_MIN)) } else { quote(text) }
}

/// Characters that print nothing, move the cursor or change the direction of writing, including
/// tags and variation selectors, which carry invisible text, and what Unicode says is no character.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    // Most text is ASCII.
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e0fff}')
        // The last two of each plane.
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_safe_to_print() {
        assert_eq!(quote("no"), "`no`");
        assert_eq!(quote("a\u{1b}[31m\u{202e}b\n"), "`a\\u{001b}[31m\\u{202e}b\\n`");
        assert_eq!(quote("##vso[a]"), "`#\\u{0023}vso[a]`");
        assert_eq!(line_path(" ::a"), "./ ::a");
        assert_eq!(quote("a\u{e0041}\u{fe0f}b"), "`a\\u{e0041}\\u{fe0f}b`");
        assert_eq!(
            quote("a\u{fffe}\u{10ffff}\u{fdd0}\u{fffd}"),
            "`a\\u{fffe}\\u{10ffff}\\u{fdd0}\u{fffd}`"
        );
        let key = "Ab1".repeat(43);
        assert!(!quote(&format!("x {key} y")).contains("Ab1"));
        assert_eq!(quote(&"é ".repeat(60)).chars().count(), 83);
    }

    #[test]
    fn refused_values_are_quoted_when_they_are_words_and_times() {
        for plain in [
            "3 weeks",
            "advnaced",
            "2027-03-01T00:00:00",
            "a very long while",
            "1.5 years",
            "2027-02-30",
            "no_scope_at_all",
            "2027-03-01T00:00:00.000+01:00",
            "tomorrow at noon",
        ] {
            assert_eq!(quote_refused(plain), format!("`{plain}`"));
        }
        for secret in
            ["S3cr3tS3cr3tS3cr3t", "hunter2hunter2hunter2", "aB3dE5gH7jK9m", "x9Tq-2Lp7-Vw4z"]
        {
            assert_eq!(quote_refused(secret), "`************`", "{secret}");
        }
    }
}

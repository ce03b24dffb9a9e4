//! Text from a file, made fit to be printed.
//!
//! Refuses to let through what a terminal would act on, what no eye can see, and what may be a
//! secret: runs of 40 and more letters and digits, and the values of fields that are named like
//! secrets. A Cortex API key is such a run (of 128).

use core::fmt::Write as _;
use core::ops::Range;

use crate::yaml::{NodeKind, Tree};

/// Runs of letters and digits this long may be a key or a hash of one.
const TOKEN: usize = 40;

/// Longest quotation in a message, in characters.
const LONGEST: usize = 80;

/// Names of fields whose values are secrets.
#[derive(Clone, Copy, Debug)]
pub struct Secret;

impl Secret {
    /// True for a field name that announces a secret. Case, `-` and `_` do not matter.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let folded: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        matches!(
            folded.as_str(),
            "key"
                | "apikey"
                | "apitoken"
                | "accesstoken"
                | "bearertoken"
                | "token"
                | "secret"
                | "clientsecret"
                | "password"
                | "passwd"
                | "passphrase"
                | "authorization"
                | "privatekey"
                | "secretkey"
                | "xdrapikey"
                | "cortexapikey"
                | "cortexkeyapikey"
        )
    }
}

/// A value in backticks: masked, escaped and of bearable length.
#[must_use]
pub fn quote(text: &str) -> String {
    let masked = mask_tokens(text);
    let mut out = String::with_capacity(masked.len() + 2);
    out.push('`');
    for (count, c) in masked.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) => {
                let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('`');
    out
}

/// The text with each run that may be a secret replaced by asterisks, of the same length in
/// bytes, so that offsets stay good.
#[must_use]
pub fn mask_tokens(text: &str) -> String {
    let ranges = tokens(text);
    if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
}

/// Where a file holds what may be a secret; `tree` is its tree where it could be parsed.
#[must_use]
pub fn secret_ranges(text: &str, tree: Option<&Tree>, policy: bool) -> Vec<Range<usize>> {
    let mut ranges = tokens(text);
    if let Some(tree) = tree {
        for (_, node) in tree.nodes() {
            let NodeKind::Mapping { entries, .. } = &node.kind else { continue };
            for entry in entries {
                let name = tree.text_of(entry.key).unwrap_or_default();
                // A waiver names its key; that is a name and no secret.
                if Secret::is_name(name) && !(policy && name == "key") {
                    ranges.push(tree.node(entry.value).span.range());
                }
            }
        }
    }
    ranges.extend(secret_lines(text, policy));
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// The text with the given ranges as asterisks, line ends kept, byte for byte as long.
#[must_use]
pub fn blank(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        let (start, end) = (range.start.max(at), range.end.min(text.len()));
        let (Some(before), Some(inside)) = (text.get(at..start), text.get(start..end)) else {
            continue;
        };
        out.push_str(before);
        for c in inside.chars() {
            if matches!(c, '\n' | '\r') {
                out.push(c);
            } else {
                out.extend(core::iter::repeat_n('*', c.len_utf8()));
            }
        }
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Characters that print nothing, move the cursor or turn the direction of writing.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().chain(core::iter::once(b' ')).enumerate() {
        match (byte.is_ascii_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if at - from >= TOKEN {
                    ranges.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    ranges
}

/// Lines that look like `password: …`, in comments and in files that are no YAML. What follows
/// the colon is taken, and all lines that are indented deeper.
fn secret_lines(text: &str, policy: bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    let mut deeper_than: Option<usize> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let indent = line.len() - line.trim_start_matches([' ', '\t', '#']).len();
        let body = line.trim_end_matches(['\n', '\r']);
        if let Some(limit) = deeper_than {
            if indent > limit || body.trim().is_empty() {
                ranges.push(at + indent.min(body.len())..at + body.len());
                at += line.len();
                continue;
            }
            deeper_than = None;
        }
        if let Some(value) = secret_value(body, policy) {
            ranges.push(at + value..at + body.len());
            deeper_than = Some(indent);
        }
        at += line.len();
    }
    ranges
}

/// Offset behind the colon of the first `name: value` on the line whose name is a secret's.
fn secret_value(line: &str, policy: bool) -> Option<usize> {
    for (colon, _) in line.match_indices([':', '=']) {
        let before = line.get(..colon)?.trim_end_matches(['"', '\'', ' ']);
        let name = before
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .next()
            .unwrap_or_default();
        if Secret::is_name(name) && !(policy && name == "key") {
            let after = line.get(colon + 1..)?;
            return Some(line.len() - after.trim_start().len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_safe_to_print() {
        assert_eq!(quote("no"), "`no`");
        assert_eq!(quote("a\u{1b}[31m\u{202e}b\n"), "`a\\u{001b}[31m\\u{202e}b\\n`");
        let key = "Ab1".repeat(43);
        assert!(!quote(&format!("x {key} y")).contains("Ab1"));
        assert_eq!(quote(&"é ".repeat(60)).chars().count(), 83);
    }

    #[test]
    fn masking_keeps_offsets() {
        let text = format!("a: {}\nb: 1\n", "k9".repeat(30));
        let masked = mask_tokens(&text);
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("k9") && masked.contains("b: 1"));
        assert_eq!(blank("é: ü\n", std::slice::from_ref(&(4..6))), "é: **\n");
    }

    #[test]
    fn values_of_secret_names_are_found_without_a_tree() {
        let text =
            "spec:\n  api_key: hunter2\n  # Password = abc\n  token: |\n    l1\n    l2\n  x: 1\n";
        let masked = blank(text, &secret_ranges(text, None, false));
        for secret in ["hunter2", "abc", "l1", "l2"] {
            assert!(!masked.contains(secret), "{masked}");
        }
        assert!(masked.contains("x: 1"));
        let waiver = "- { rule: x, key: prod/svc }\n";
        assert!(secret_ranges(waiver, None, true).is_empty());
        assert!(!secret_ranges(waiver, None, false).is_empty());
    }
}

//! Finds assertions on fragments of sentences: tests assert codes and structure, and snapshots hold the wording.

use std::path::Path;

/// Files whose tests may look for words, a part of the text that they look for, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("crates/capi/tests/c/behaviour.c", "is held", "bytes that the test itself put there"),
    ("crates/capi/tests/header.rs", "typedef struct", "a declaration"),
    ("crates/cli/tests/it/console.rs", "cannot be answered", "only the page's text says so"),
    ("crates/cli/tests/it/pages.rs", "keys inventory", "the name of a command"),
    ("crates/client/src/watch/send/file.rs", "no line ending", "what the test itself wrote"),
    ("crates/console/tests/it/requests.rs", "1 hour behind", "a number with its unit"),
    ("go/examples/routers/routers_test.go", "hello, key", "what the example itself prints"),
];

/// Calls that look for a string.
const CALLS: &[&str] = &[
    ".contains(",
    ".starts_with(",
    ".ends_with(",
    "strings.Contains(",
    "strings.HasPrefix(",
    "strings.HasSuffix(",
    "strstr(",
];

/// Checks the tests of one file.
pub(crate) fn check(path: &str, text: &str, problems: &mut Vec<String>) {
    let Some(start) = tests(path, text) else { return };
    let text = text.replace("'\"'", "' '");
    for call in CALLS {
        for (at, _) in text[start..].match_indices(call) {
            let at = start + at;
            let Some(fragment) = literals(&text[at + call.len()..]).find(|it| is_sentence(it))
            else {
                continue;
            };
            if !is_allowed(path, fragment) {
                let line = text[..at].lines().count();
                problems.push(format!(
                    "{path}:{line}: looks for `{fragment}`; assert a code, and put the wording into a snapshot"
                ));
            }
        }
    }
}

fn is_allowed(path: &str, fragment: &str) -> bool {
    // A command that a message names is not prose.
    fragment.starts_with("cortexkey ")
        || ALLOWED.iter().any(|(place, part, _)| path == *place && fragment.contains(part))
}

/// Where the tests of a file start.
fn tests(path: &str, text: &str) -> Option<usize> {
    let extension = Path::new(path).extension()?.to_str()?;
    if !["rs", "go", "c", "cpp"].contains(&extension) || path == "xtask/src/sentences.rs" {
        return None;
    }
    let is_test = path.contains("/tests/") || path.ends_with("_test.go");
    if is_test { Some(0) } else { text.find("#[cfg(test)]") }
}

/// The string literals among the arguments of a call.
fn literals(arguments: &str) -> impl Iterator<Item = &str> {
    let mut depth = 1_usize;
    let mut rest = arguments;
    std::iter::from_fn(move || {
        while depth > 0 {
            let at = rest.find(['(', ')', '"', ';'])?;
            let is_raw = rest[..at].ends_with("r#");
            let found = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            match found {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'"' => {
                    let end = if is_raw { rest.find("\"#")? } else { end_of_literal(rest)? };
                    let literal = &rest[..end];
                    rest = &rest[end + 1..];
                    return Some(literal);
                }
                _ => return None,
            }
        }
        None
    })
}

fn end_of_literal(rest: &str) -> Option<usize> {
    let mut is_escaped = false;
    rest.char_indices().find_map(|(at, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// Two words of prose in a row. Code in backticks and what a format puts in are none.
fn is_sentence(literal: &str) -> bool {
    let without_code: Vec<&str> = literal.split('`').step_by(2).collect();
    let text = without_code.join(" ` ").replace("\\n", " \\ ");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| {
        let first = pair[0].trim_end_matches([',', ';']);
        let second = pair[1].trim_end_matches(['.', ',', ';', ':', '?']);
        is_word(first) && is_word(second)
    })
}

fn is_word(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        let mut problems = Vec::new();
        check("crates/x/tests/it/main.rs", text, &mut problems);
        problems.len()
    }

    #[test]
    fn sentences_are_found_and_codes_and_values_are_not() {
        for sentence in [
            r#"said.contains("the key works")"#,
            r#"said.contains(&format!("{x}: no such key"))"#,
            r#"strings.Contains(err.Error(), "is not valid")"#,
            r#"strstr(text, "a key, which")"#,
            "said.starts_with(\n    \"the `x` has no name\"\n)",
        ] {
            assert_eq!(found(sentence), 1, "{sentence}");
        }
        for other in [
            r#"said.contains("unknown-key")"#,
            r#"said.contains("[L001 ") && other("the key works")"#,
            r#"said.contains("Live Terminal")"#,
            r#"said.contains("level: advanced")"#,
            r#"said.contains(key); let x = "the key works";"#,
            r#"said.contains("`git add` {a} {b}")"#,
            r#"said.starts_with('"'); let x = "the key works";"#,
            "said.contains(r#\"let x = \"y\"; z\"#)",
        ] {
            assert_eq!(found(other), 0, "{other}");
        }
    }
}

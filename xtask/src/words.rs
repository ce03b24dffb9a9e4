//! Checks a word list over what people read: Markdown, comments, help texts and messages.
//!
//! `CONTRIBUTING.md` describes the style. A word that is needed anyway is in [`ALLOWED`] with its reason.

use std::collections::HashMap;
use std::path::Path;

/// A word or phrase in lower case, and what to write instead.
const WORDS: &[(&str, &str)] = &[
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("judge", "check"),
    ("judges", "checks"),
    ("judged", "checked"),
    ("judging", "checking"),
    ("held against", "checked against"),
    ("hush", "suppress"),
    ("hushed", "suppressed"),
    ("heed", "respect"),
    ("heeded", "respected"),
    ("silence a", "suppress a"),
    ("silences", "suppresses"),
    ("silenced", "suppressed"),
    ("passed over", "skipped"),
    ("wrong use", "usage error"),
    ("cannot stand", "is invalid"),
    ("strangers", "unauthenticated clients"),
    ("ways round", "bypasses"),
    ("goes wrong on demand", "fault injection"),
    ("what else there is", "alternatives"),
    ("a tenant of one's own machine", "local emulator"),
    ("unless said", "by default"),
    ("the like", "leave it out"),
    ("whoever", "name the actor"),
    ("who calls", "the caller"),
    ("hangs on", "depends on"),
    ("is told", "is reported, or is set"),
    ("was told", "was reported, or was set"),
    ("makes a key", "creates or generates a key"),
    ("fresh nonce", "new nonce"),
    ("for good", "permanently"),
    ("amongst", "among"),
    ("forthwith", "immediately"),
    ("hitherto", "so far"),
    ("lest", "so that … not"),
    ("nought", "nothing"),
    ("ought", "should"),
    ("thereof", "of it"),
    ("therein", "in it"),
    ("upon", "on"),
    ("whereby", "by which"),
    ("wherein", "in which"),
    ("stranger", "unauthenticated client, or unknown"),
    ("the stranger", "unauthenticated client"),
    ("told apart", "distinguished"),
    ("told by", "specified by, or distinguished by"),
    ("can be had", "is available"),
    ("to be had", "available"),
    ("in silence", "silently"),
    ("handed out", "released, or returned"),
    ("dearest", "most expensive"),
    ("as can be", "write how"),
    ("takes away", "removes"),
    ("take away", "remove"),
    ("taken away", "removed"),
    ("says nothing of", "does not mention"),
    ("nobody listed", "is not listed"),
    ("nor does", "and does not"),
    ("or else", "otherwise"),
    ("stands in a", "is in a"),
    ("stands in the", "is in the"),
    ("stand in a", "be in a"),
    ("stand in the", "be in the"),
    ("stands at", "is at"),
    ("laid down", "specified"),
    ("lays down", "specifies"),
    ("lay down", "specify"),
    ("that is why", "therefore"),
    ("bears", "has"),
    ("keeps to", "follows"),
    ("kept to", "followed"),
    ("without end", "without limit"),
    ("gives way", "yields"),
    ("what stands", "what is"),
    ("in vain", "without success"),
    ("goes by", "uses"),
    ("go by", "use"),
    ("to and fro", "back and forth"),
    ("whilst", "while"),
];

/// Files, or folders when they end with `/`, in which a word may stand, and why. `*` is every word.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("xtask/src/words.rs", "*", "the list itself"),
    ("CONTRIBUTING.md", "*", "shows what not to write"),
    ("crates/cli/src/commands/explain.rs", "mend", "the old name of a JSON field"),
];

/// Checks one file.
pub(crate) fn check(path: &str, text: &str, problems: &mut Vec<String>) {
    let prose = match Path::new(path).extension().and_then(|end| end.to_str()) {
        Some("md") => markdown(text),
        Some("rs") => source(text, true, !path.contains("/tests/")),
        Some("go" | "c" | "h" | "hpp" | "cpp" | "lua") => source(text, false, false),
        Some("toml" | "yaml" | "yml" | "py" | "sh") => hashes(text),
        _ => return,
    };
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("//! It refuses") && !is_allowed(path, "it refuses") {
            problems.push(format!("{path}:{}: a module says what it does", number + 1));
        }
    }
    for (line, word, instead) in found(&prose) {
        if !is_allowed(path, word) {
            problems.push(format!("{path}:{line}: says `{word}`; write `{instead}`"));
        }
    }
}

fn is_allowed(path: &str, word: &str) -> bool {
    ALLOWED.iter().any(|(place, allowed, _)| {
        let is_here = path == *place || place.ends_with('/') && path.starts_with(place);
        is_here && (*allowed == "*" || *allowed == word)
    })
}

/// A word of prose and its line. An empty word separates texts that do not belong together.
type Prose = Vec<(String, usize)>;

/// The words of a page, without blocks and spans of code.
fn markdown(text: &str) -> Prose {
    let mut prose = Prose::new();
    let mut in_block = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            prose.push((String::new(), number));
        } else if !in_block {
            push(&mut prose, line, number + 1);
        }
    }
    prose
}

/// The words of comments, and of string literals where they are asked for. Tests at the end of a file
/// have no messages.
fn source(text: &str, is_rust: bool, with_strings: bool) -> Prose {
    let mut prose = Prose::new();
    let mut with_strings = with_strings;
    // What closes the literal that is open.
    let mut close: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.replace("'\"'", "' '");
        let mut rest = line.trim_start();
        with_strings &= !rest.starts_with("#[cfg(test)]");
        close = close.filter(|_| is_rust);
        let comment = MARKS.iter().find_map(|mark| rest.strip_prefix(mark));
        if let (Some(comment), None) = (comment, &close) {
            push(&mut prose, comment, number + 1);
            continue;
        }
        loop {
            if let Some(end) = &close {
                let (string, behind) = literal(rest, end);
                // Names of values that a format puts in are code.
                for part in string.split(['{', '}']).step_by(2).filter(|_| with_strings) {
                    push(&mut prose, &part.replace("\\n", " "), number + 1);
                }
                let Some(behind) = behind else { break };
                rest = behind;
                close = None;
            }
            prose.push((String::new(), number));
            let quote = rest.find('"');
            if let Some(at) = rest.find("// ").filter(|at| quote.is_none_or(|quote| *at < quote)) {
                push(&mut prose, &rest[at + 3..], number + 1);
                break;
            }
            let Some(quote) = quote else { break };
            let code = rest[..quote].trim_end_matches('#');
            let is_raw = code.ends_with('r');
            close =
                Some(if is_raw { format!("\"{}", &rest[code.len()..quote]) } else { "\\".into() });
            rest = &rest[quote + 1..];
        }
    }
    prose
}

/// Beginnings of lines that are comments.
const MARKS: &[&str] = &["///", "//!", "//", "/**", "/*", "* ", "--"];

/// What a string literal holds in the rest of a line, and what is behind it when it ends there. `end`
/// is a backslash for a literal with escapes.
fn literal<'a>(rest: &'a str, end: &str) -> (&'a str, Option<&'a str>) {
    let mut escaped = false;
    let at = if end == "\\" {
        rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })
    } else {
        rest.find(end)
    };
    let length = if end == "\\" { 1 } else { end.len() };
    match at {
        Some(at) => (&rest[..at], Some(&rest[at + length..])),
        None => (rest, None),
    }
}

/// The words of comments that begin with `#`.
fn hashes(text: &str) -> Prose {
    let mut prose = Prose::new();
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start().strip_prefix('#');
        match start.or_else(|| line.split_once(" # ").map(|(_, comment)| comment)) {
            Some(comment) => push(&mut prose, comment, number + 1),
            None => prose.push((String::new(), number)),
        }
    }
    prose
}

/// Adds the words of a line, without spans of code.
fn push(prose: &mut Prose, line: &str, number: usize) {
    for (at, part) in line.split('`').enumerate() {
        if at % 2 == 1 {
            prose.push((String::new(), number));
            continue;
        }
        let words = part.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '-' && c != '_');
        for word in words.filter(|word| !word.is_empty()) {
            prose.push((word.to_lowercase(), number));
        }
    }
}

/// Each word of the list in some prose: its line, the word, and what to write.
fn found(prose: &Prose) -> Vec<(usize, &'static str, &'static str)> {
    let mut by_first: HashMap<&str, Vec<(Vec<&str>, usize)>> = HashMap::new();
    for (index, (phrase, _)) in WORDS.iter().enumerate() {
        let words: Vec<&str> = phrase.split(' ').collect();
        by_first.entry(words[0]).or_default().push((words, index));
    }
    let mut found = Vec::new();
    for (at, (word, line)) in prose.iter().enumerate() {
        for (words, index) in by_first.get(word.as_str()).into_iter().flatten() {
            let here = prose[at..].iter().map(|(word, _)| word.as_str());
            if here.take(words.len()).eq(words.iter().copied()) {
                let (phrase, instead) = WORDS[*index];
                found.push((*line, phrase, instead));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> usize {
        let mut problems = Vec::new();
        check(path, text, &mut problems);
        problems.len()
    }

    #[test]
    fn words_are_found_in_prose_and_messages_alone() {
        assert_eq!(of("a.md", "Mend it.\nThe key cannot\nstand."), 2);
        assert_eq!(of("a.md", "`mend`\n```sh\nmend\n```\nmender\n"), 0);
        assert_eq!(
            of("a.rs", "//! It refuses\n//! nothing.\nlet mend = \"was judged\"; // hush"),
            3
        );
        assert_eq!(of("a.rs", "#[cfg(test)]\nlet a = \"mend\";"), 0);
        assert_eq!(of("a/tests/a.rs", "let a = \"mend\"; // mend"), 1);
        assert_eq!(of("a.go", "// Mended.\nx := \"mend\""), 1);
        assert_eq!(of("a.rs", "let a = \"was \\\n    mended\\\"\\n\\\n  and judged\"; mend"), 2);
        assert_eq!(of("a.rs", "let a = r#\"a \" is\n  judged\"#;\nlet mend = 1;"), 1);
        assert_eq!(of("a.toml", "# mend\na = 1 # lest\nmend = \"#lest\""), 2);
    }

    #[test]
    fn every_exception_has_a_reason() {
        for (place, word, reason) in ALLOWED {
            assert!(!reason.is_empty(), "{place} {word}");
            assert!(
                ["*", "it refuses"].contains(word)
                    || WORDS.iter().any(|(listed, _)| listed == word),
                "{word}"
            );
        }
    }
}

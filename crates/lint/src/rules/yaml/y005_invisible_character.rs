//! Y005 yaml-invisible-character: an invisible character, or a word that mixes look-alike letters.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Span, is_invisible, quote};

use crate::model::Fix;
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "Y005",
    name: "yaml-invisible-character",
    severity: Severity::Error,
    summary: "an invisible character, or a word that mixes look-alike letters",
    why: "A reviewer approves what is visible. A zero-width space makes `Viewer` another role, a \
          direction mark displays a line in a different order from the one that programs read, and \
          a Cyrillic `а` in a name makes two keys that look the same.",
    bad: RuleExample::fields("metadata:\n  owner: team\u{a0}detection\n"),
    good: RuleExample::fields("metadata:\n  owner: team-detection\n"),
    remedy: "Type the value again. The fix removes zero-width characters and replaces other \
        invisible characters with a space; replace look-alike letters by hand.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let text = cx.tree.source();
    // Escapes in quotes can produce characters that the bytes do not show.
    let escaped = text.contains('\\');
    if text.is_ascii() && !escaped {
        return;
    }
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lead = text.len() - body.len();
    let mut last: Option<usize> = None;
    for (at, c) in hidden(body) {
        let start = lead + at;
        let end = lead + at + c.len_utf8();
        // Adjacent ones are part of the same fault.
        if last.replace(end) == Some(start) {
            continue;
        }
        let run = text.get(start..).unwrap_or_default();
        let run: &str =
            run.get(..run.find(|c| !is_hidden(c)).unwrap_or(run.len())).unwrap_or_default();
        let span = Span::new(start, start + run.len());
        let message = format!("{} is an invisible character", names(run));
        let space = run.chars().any(char::is_whitespace);
        let fix = Fix::unsafe_(span, if space { " " } else { "" });
        let finding =
            cx.finding(span, message).help("type the value again, without it").fix(Some(fix));
        finding.report(sink);
    }
    for (id, node) in cx.tree.nodes() {
        let Some(text) = cx.tree.text_of(id) else { continue };
        let written = node.span.slice(cx.tree.source());
        let found =
            hidden(text).next().filter(|_| hidden(written).next().is_none()).map(|(_, c)| c);
        let message = if let Some(c) = found {
            format!("an escape produces {}, which is invisible", names(&c.to_string()))
        } else if let Some((word, scripts)) = mixed(text) {
            format!("the word {} mixes {scripts} letters that look alike", quote(word))
        } else {
            continue;
        };
        cx.finding(node.span, message).help("type the value again, in one script").report(sink);
    }
}

/// Invisible, or a space other than the plain one; other rules report line endings and tabs.
fn is_hidden(c: char) -> bool {
    match c {
        ' ' | '\n' | '\r' | '\t' => false,
        c => c.is_whitespace() || is_invisible(c),
    }
}

/// Hidden characters with their offsets, except those that join or colour an emoji.
fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let neighbours = |at: usize, c: char| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let behind = text.get(at + c.len_utf8()..).and_then(|text| text.chars().next());
        (before, behind)
    };
    text.char_indices().filter(move |(at, c)| {
        is_hidden(*c) && {
            let (before, behind) = neighbours(*at, *c);
            !is_of_emoji(*c, before, behind)
        }
    })
}

/// A joiner between two emoji, and the selector that shows one in colour.
fn is_of_emoji(c: char, before: Option<char>, behind: Option<char>) -> bool {
    let emoji = |c: Option<char>| c.is_some_and(is_emoji);
    match c {
        '\u{200d}' => (emoji(before) || before == Some('\u{fe0f}')) && emoji(behind),
        '\u{fe0f}' => emoji(before) || behind == Some('\u{20e3}'),
        _ => false,
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{24c2}'
        | '\u{25aa}'..='\u{27bf}' | '\u{2934}' | '\u{2935}' | '\u{2b00}'..='\u{2bff}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

fn names(run: &str) -> String {
    let names: Vec<String> =
        run.chars().take(4).map(|c| format!("U+{:04X}", u32::from(c))).collect();
    names.join(" ")
}

/// A word with look-alike letters of two scripts, and the scripts.
fn mixed(text: &str) -> Option<(&str, &'static str)> {
    if text.is_ascii() {
        return None;
    }
    text.split(|c: char| !c.is_alphanumeric()).find_map(|word| {
        let has = |script: fn(char) -> bool| word.chars().any(script);
        let latin = has(|c| c.is_alphabetic() && c <= '\u{24f}');
        match (latin, has(is_cyrillic), has(is_greek)) {
            (true, true, _) => Some((word, "Latin and Cyrillic")),
            (true, _, true) => Some((word, "Latin and Greek")),
            (_, true, true) => Some((word, "Cyrillic and Greek")),
            _ => None,
        }
    })
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

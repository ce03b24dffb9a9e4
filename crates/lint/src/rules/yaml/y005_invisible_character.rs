//! Y005 yaml-invisible-character: a character that nobody sees, or a word that mixes look-alike letters.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Span, is_invisible, quote};

use crate::finding::Fix;
use crate::rules::{Check, Draft, Example, FileContext, Fixes, Rule, Sink};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "Y005",
    name: "yaml-invisible-character",
    severity: Severity::Error,
    summary: "a character that nobody sees, or a word that mixes look-alike letters",
    why: "A reviewer approves what he sees. A zero-width space makes `Viewer` another role, a character that turns the direction of writing shows a line in another order than programs read it, and a Cyrillic `а` in a name makes two keys that look like one.",
    bad: Example::fields("metadata:\n  owner: team\u{a0}detection\n"),
    good: Example::fields("metadata:\n  owner: team-detection\n"),
    mend: "Type the text anew. The fix removes what takes no room and writes a space for what does; look-alike letters have to be replaced by hand.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Text(check),
};

fn check(cx: &FileContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let text = cx.tree.source();
    // Escapes in quotes can make what the bytes do not show.
    let escaped = text.contains('\\');
    if text.is_ascii() && !escaped {
        return;
    }
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lead = text.len() - body.len();
    let mut last: Option<usize> = None;
    for (at, c) in body.char_indices().filter(|(_, c)| is_hidden(*c)) {
        let (start, end) = (lead + at, lead + at + c.len_utf8());
        // One that follows another is part of the same fault.
        if last.replace(end) == Some(start) {
            continue;
        }
        let run = text.get(start..).unwrap_or_default();
        let run: &str =
            run.get(..run.find(|c| !is_hidden(c)).unwrap_or(run.len())).unwrap_or_default();
        let span = Span::new(start, start + run.len());
        let message = format!("{} is no character that anybody sees", names(run));
        let space = run.chars().any(char::is_whitespace);
        let fix = Fix::unsafe_(span, if space { " " } else { "" });
        let draft = Draft::new(cx.source, span, message)
            .key(cx.key_at(span).as_deref())
            .help("type the text anew, without it")
            .fix(Some(fix));
        sink.report_as(settings, draft);
    }
    for (id, node) in cx.tree.nodes() {
        let Some(text) = cx.tree.text_of(id) else { continue };
        let written = node.span.slice(cx.tree.source());
        let hidden =
            text.chars().find(|c| is_hidden(*c)).filter(|_| !written.chars().any(is_hidden));
        let message = if let Some(c) = hidden {
            format!("an escape makes {}, which nobody sees", names(&c.to_string()))
        } else if let Some((word, scripts)) = mixed(text) {
            format!("the word {} mixes {scripts} letters that look alike", quote(word))
        } else {
            continue;
        };
        let draft = Draft::new(cx.source, node.span, message)
            .key(cx.key_at(node.span).as_deref())
            .help("type the text anew, on one keyboard");
        sink.report_as(settings, draft);
    }
}

/// Invisible, or a space that is none; line ends and tabs are other rules' matters.
fn is_hidden(c: char) -> bool {
    match c {
        ' ' | '\n' | '\r' | '\t' => false,
        // What joins or chooses forms of letters, and letters that are drawn as nothing.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_whitespace() || is_invisible(c),
    }
}

fn names(run: &str) -> String {
    let names: Vec<String> =
        run.chars().take(4).map(|c| format!("U+{:04X}", u32::from(c))).collect();
    names.join(" ")
}

/// A word with letters of two scripts that look alike, and which scripts these are.
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

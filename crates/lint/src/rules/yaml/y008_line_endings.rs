//! Y008 yaml-line-endings: mixed line endings, a missing final newline, a byte order mark, or tabs.

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::{NodeKind, Tree};

use crate::model::{Edit, Fix, end_of_line};
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "Y008",
    name: "yaml-line-endings",
    severity: Severity::Info,
    summary: "mixed line endings, a missing final newline, a byte order mark, or tabs",
    why: "cortexkey reads the file the same with or without these, but other programs do not: many \
          tools do not accept a lone CR as a line ending, a byte order mark becomes part of the \
          first key, and YAML 1.1 readers reject tabs.",
    bad: RuleExample::fields("spec:\n  lifetime: 90d\t# three months\n"),
    good: RuleExample::fields("spec:\n  lifetime: 90d # three months\n"),
    remedy: "Save the file as UTF-8 without a byte order mark, with one kind of line ending, \
             spaces only, and a final newline. The fix does that, except in quoted strings and \
             block scalars.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::File(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let text = cx.tree.source();
    let mut report = |at: usize, length: usize, message: &str, edits: Vec<Edit>| {
        let span = Span::new(at, at + length);
        let fix = (!edits.is_empty()).then_some(Fix { safe: true, edits });
        cx.finding(span, message)
            .help("save the file with plain line endings and spaces")
            .fix(fix)
            .report(sink);
    };
    if text.starts_with('\u{feff}') {
        let edits = vec![Edit { span: Span::new(0, 3), text: String::new() }];
        report(0, 3, "the file starts with a byte order mark", edits);
    }
    if let Some(odd) = unusual_line_end(cx.tree.source()) {
        report(odd.at, 1, odd.message, line_feeds(cx.tree.source()));
    }
    if let Some(at) = text.find('\t') {
        report(at, 1, "this is a tab", tabs(cx.tree));
    }
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        let at = text.len();
        let end = end_of_line(cx.tree);
        let edit = Edit { span: Span::new(at, at), text: end.to_owned() };
        report(at, 0, "the last line has no line ending", vec![edit]);
    }
}

/// A line ending that differs from the others, or that other tools do not recognise.
struct UnusualLineEnd {
    at: usize,
    message: &'static str,
}

/// The first unusual line ending.
fn unusual_line_end(text: &str) -> Option<UnusualLineEnd> {
    let bytes = text.as_bytes();
    // Most files have none.
    if !bytes.contains(&b'\r') {
        return None;
    }
    let mut lone = None;
    let mut pair = None;
    let mut feed = None;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => pair = pair.or(Some(at)),
            b'\r' => lone = lone.or(Some(at)),
            b'\n' if at == 0 || bytes.get(at - 1) != Some(&b'\r') => feed = feed.or(Some(at)),
            _ => {}
        }
    }
    if let Some(at) = lone {
        let message = "this is a lone CR, which many tools do not accept as a line ending";
        return Some(UnusualLineEnd { at, message });
    }
    let at = pair.zip(feed).map(|(pair, feed): (usize, usize)| pair.max(feed))?;
    Some(UnusualLineEnd { at, message: "some lines end with CR LF and others with LF" })
}

/// The edits that make every line ending LF.
fn line_feeds(text: &str) -> Vec<Edit> {
    let bytes = text.as_bytes();
    let returns = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r');
    let edits = returns.map(|(at, _)| {
        let is_paired = bytes.get(at + 1) == Some(&b'\n');
        Edit { span: Span::new(at, at + 1), text: if is_paired { "" } else { "\n" }.into() }
    });
    edits.collect()
}

/// Tabs outside strings and comments become spaces; in a line's indentation, as many as its
/// siblings have.
fn tabs(tree: &Tree) -> Vec<Edit> {
    let texts = tree.nodes().filter(|(_, node)| matches!(node.kind, NodeKind::Scalar { .. }));
    let comments = tree.comments().iter().map(|comment| comment.span);
    let mut taken: Vec<Span> = texts.map(|(_, node)| node.span).chain(comments).collect();
    // A file may have many of them, and many tabs. Each extends at least as far as any before it.
    taken.sort_unstable();
    let mut reach = 0;
    for span in &mut taken {
        reach = span.end.max(reach);
        span.end = reach;
    }
    let inside = |at: usize| {
        let before = taken.partition_point(|span| span.start as usize <= at);
        let last = before.checked_sub(1).and_then(|last| taken.get(last));
        last.is_some_and(|span| at < span.end as usize)
    };
    let text = tree.source();
    let mut edits = indentation(text);
    edits.retain(|edit| !inside(edit.span.start as usize));
    let indented: Vec<Span> = edits.iter().map(|edit| edit.span).collect();
    let is_indented = |at: usize| {
        let next = indented.partition_point(|span| span.end as usize <= at);
        indented.get(next).is_some_and(|span| span.start as usize <= at)
    };
    let others = text.match_indices('\t').filter(|(at, _)| !inside(*at) && !is_indented(*at));
    edits.extend(others.map(|(at, _)| Edit { span: Span::new(at, at + 1), text: " ".into() }));
    edits
}

/// A line with contents, with its new indentation.
struct Level<'t> {
    written: &'t str,
    indent: usize,
}

/// The indentation of each line that has tabs there.
fn indentation(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut opens = false;
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let body = line.trim_start_matches([' ', '\t']);
        let written = line.get(..line.len() - body.len()).unwrap_or_default();
        let says = !body.trim().is_empty() && !body.starts_with('#');
        if says {
            let indent = if written.contains('\t') {
                let rest = text.get(start + line.len()..).unwrap_or_default();
                indent_of(written, &levels, opens, rest)
            } else {
                written.len()
            };
            if written.contains('\t') {
                let span = Span::new(start, start + written.len());
                edits.push(Edit { span, text: " ".repeat(indent) });
            }
            while levels.last().is_some_and(|level| level.indent >= indent) {
                levels.pop();
            }
            levels.push(Level { written, indent });
            opens = body.split(" #").next().unwrap_or(body).trim_end().ends_with(':');
        }
        start += line.len();
    }
    edits
}

/// How far a line is indented: like a line above it with the same tabs, like the line below it if
/// it is the first of its mapping, or like the line above it.
fn indent_of(written: &str, levels: &[Level<'_>], opens: bool, rest: &str) -> usize {
    if let Some(same) = levels.iter().rev().find(|level| level.written == written) {
        return same.indent;
    }
    let above = levels.last().map_or(0, |level| level.indent);
    if !opens {
        return above;
    }
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let below = rest.lines().take(LINES_BELOW).find(says);
    let below = below.map(|line| line.len() - line.trim_start_matches(' ').len());
    below.filter(|below| *below > above).unwrap_or(above + 2)
}

/// How many lines below are searched for contents.
const LINES_BELOW: usize = 100;

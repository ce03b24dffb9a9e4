//! Y008 yaml-line-endings: mixed or odd ends of line, no end of line at the end, a byte order mark, or tabs.

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::{NodeKind, Tree};

use crate::finding::{Edit, Fix};
use crate::fix::end_of_line;
use crate::rules::{Check, Draft, Example, FileContext, Fixes, Rule, Sink};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "Y008",
    name: "yaml-line-endings",
    severity: Severity::Info,
    summary: "mixed or odd ends of line, no end of line at the end, a byte order mark, or tabs",
    why: "Each of these reads the same here and differently somewhere else: a lone CR is no end of line for many tools, a byte order mark becomes a part of the first key, and a tab is refused by readers of YAML 1.1.",
    bad: Example::fields("spec:\n  lifetime: 90d\t# three months\n"),
    good: Example::fields("spec:\n  lifetime: 90d # three months\n"),
    mend: "Save the file as UTF-8 without a mark, with one kind of line end, spaces only, and an end of line at the end. The fix does that outside of quotes and blocks.",
    options: &[],
    fixes: Fixes::Safe,
    check: Check::File(check),
};

fn check(cx: &FileContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let text = cx.tree.source();
    let mut report = |at: usize, length: usize, message: &str, edits: Vec<Edit>| {
        let span = Span::new(at, at + length);
        let fix = (!edits.is_empty()).then_some(Fix { safe: true, edits });
        let draft = Draft::new(cx.source, span, message)
            .key(cx.key_at(span).as_deref())
            .help("save the file with plain ends of line and spaces")
            .fix(fix);
        sink.report_as(settings, draft);
    };
    if text.starts_with('\u{feff}') {
        let edits = vec![Edit { span: Span::new(0, 3), text: String::new() }];
        report(0, 3, "the file begins with a byte order mark", edits);
    }
    if let Some((at, message, edits)) = ends(cx.tree) {
        report(at, 1, message, edits);
    }
    if let Some(at) = text.find('\t') {
        report(at, 1, "a tab stands here", tabs(cx.tree));
    }
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        let (at, end) = (text.len(), end_of_line(cx.tree));
        let edit = Edit { span: Span::new(at, at), text: end.to_owned() };
        report(at, 0, "the last line has no end", vec![edit]);
    }
}

/// The first end of line that is not as the others, or is a lone CR, and what makes all of them LF.
fn ends(tree: &Tree) -> Option<(usize, &'static str, Vec<Edit>)> {
    let bytes = tree.source().as_bytes();
    if !bytes.contains(&b'\r') {
        return None;
    }
    let (mut lone, mut pair, mut feed) = (None, None, None);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => pair = pair.or(Some(at)),
            b'\r' => lone = lone.or(Some(at)),
            b'\n' if at == 0 || bytes.get(at - 1) != Some(&b'\r') => feed = feed.or(Some(at)),
            _ => {}
        }
    }
    let edits = || {
        let returns = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r');
        returns
            .map(|(at, _)| {
                let paired = bytes.get(at + 1) == Some(&b'\n');
                Edit { span: Span::new(at, at + 1), text: if paired { "" } else { "\n" }.into() }
            })
            .collect()
    };
    if let Some(at) = lone {
        return Some((
            at,
            "a lone CR stands here, which many tools take for no end of line",
            edits(),
        ));
    }
    let second = pair.zip(feed).map(|(pair, feed): (usize, usize)| pair.max(feed))?;
    Some((second, "some lines end in CR LF and others in LF", edits()))
}

/// Tabs that are no part of a text or a comment become spaces.
fn tabs(tree: &Tree) -> Vec<Edit> {
    let texts = tree.nodes().filter(|(_, node)| matches!(node.kind, NodeKind::Scalar { .. }));
    let comments = tree.comments().iter().map(|comment| comment.span);
    let mut taken: Vec<Span> = texts.map(|(_, node)| node.span).chain(comments).collect();
    // A file may have many of them, and many tabs. Each reaches as far as any before it does.
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
    let all = tree.source().match_indices('\t').filter(|(at, _)| !inside(*at));
    all.map(|(at, _)| Edit { span: Span::new(at, at + 1), text: " ".into() }).collect()
}

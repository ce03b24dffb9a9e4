//! For people: the source line, a caret under the value, other places labelled, and what to do.

use std::collections::HashMap;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};
use cortexkey_manifest::policy::Severity;

use super::Report;
use crate::finding::{Finding, Place};

/// Lines between two places of a file up to which they share a snippet.
const NEAR: usize = 40;

pub(super) fn render(report: &Report, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut texts: HashMap<usize, String> = HashMap::new();
    for finding in &report.findings {
        let places = core::iter::once(finding.place.source);
        for at in places.chain(finding.related.iter().map(|related| related.place.source)) {
            texts.entry(at).or_insert_with(|| report.sources[at].masked());
        }
    }
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&renderer.render(&[group(report, &texts, finding)]));
        out.push_str("\n\n");
    }
    out.push_str(&report.summary_line());
    out.push('\n');
    out
}

/// A place with its label, and whether it is the finding's own.
struct Mark<'a> {
    place: Place,
    label: &'a str,
    primary: bool,
}

fn group<'a>(
    report: &'a Report,
    texts: &'a HashMap<usize, String>,
    finding: &'a Finding,
) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let id = format!("{} {}", finding.code, finding.name);
    let mut elements: Vec<Element<'a>> = Vec::new();
    let own = Mark { place: finding.place, label: "", primary: true };
    let mut clusters: Vec<Vec<Mark<'a>>> = vec![vec![own]];
    for related in &finding.related {
        let mark = Mark { place: related.place, label: &related.message, primary: false };
        match clusters.iter_mut().find(|cluster| near(report, &cluster[0], &mark)) {
            Some(cluster) => cluster.push(mark),
            None => clusters.push(vec![mark]),
        }
    }
    for cluster in clusters {
        let source = &report.sources[cluster[0].place.source];
        // There is no line to show of a file that is empty or could not be read.
        if source.tree.source().is_empty() {
            elements.push(Origin::path(source.path.as_str()).into());
        } else {
            elements.push(snippet(report, texts, &cluster).into());
        }
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    level.primary_title(finding.message.as_str()).id(id).elements(elements)
}

fn near(report: &Report, a: &Mark<'_>, b: &Mark<'_>) -> bool {
    let line =
        |mark: &Mark<'_>| report.sources[mark.place.source].positions(mark.place.span).0.line;
    a.place.source == b.place.source && line(a).abs_diff(line(b)) <= NEAR
}

/// The lines around some places of one file. Only these are handed over: the renderer reads all
/// that it gets.
fn snippet<'a>(
    report: &'a Report,
    texts: &'a HashMap<usize, String>,
    marks: &[Mark<'a>],
) -> Snippet<'a, Annotation<'a>> {
    let at = marks[0].place.source;
    let source = &report.sources[at];
    let text = texts.get(&at).map_or("", String::as_str);
    let first = marks.iter().map(|mark| mark.place.span.start).min().unwrap_or(0) as usize;
    let last = marks.iter().map(|mark| mark.place.span.end).max().unwrap_or(0) as usize;
    let begin = text.get(..first).and_then(|t| t.rfind(['\n', '\r'])).map_or(0, |at| at + 1);
    let end =
        text.get(last..).and_then(|t| t.find(['\n', '\r'])).map_or(text.len(), |at| last + at);
    let line = source.positions(cortexkey_manifest::Span::new(begin, begin)).0.line;
    let annotations = marks.iter().map(|mark| {
        let range = mark.place.span.range();
        let range = range.start - begin..range.end.max(range.start) - begin;
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(range);
        if mark.label.is_empty() { annotation } else { annotation.label(mark.label) }
    });
    Snippet::source(text.get(begin..end).unwrap_or_default())
        .line_start(line)
        .path(source.path.as_str())
        .fold(true)
        .annotations(annotations)
}

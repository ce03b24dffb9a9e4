//! The human-readable format: the source line, a caret under the value, labels, and what to do.

use core::ops::Range;
use std::collections::HashMap;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Span, is_invisible};

use super::{Report, statistics, summary_line};
use crate::model::{Finding, Location, SourceId};
use crate::rules;

/// The most lines between two locations that share a snippet.
const SNIPPET_LINES_MAX: usize = 40;

/// The overview is shown if there are more findings than this.
const OVERVIEW_FROM: usize = 50;

/// Rules in the overview.
const OVERVIEW_RULES: usize = 5;

/// Characters of a source line that are shown.
const LINE_CHARS_MAX: usize = 200;

pub(super) fn render(report: &Report, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut texts: HashMap<SourceId, String> = HashMap::new();
    for finding in &report.findings {
        let places = core::iter::once(finding.location.source);
        for at in places.chain(finding.related.iter().map(|related| related.location.source)) {
            texts.entry(at).or_insert_with(|| visible(report.sources[at].masked()));
        }
    }
    let mut out = String::new();
    for finding in &report.findings {
        let text = renderer.render(&[group(report, &texts, finding, color)]);
        for line in text.lines().filter(|line| !is_stray(line)) {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    if report.tallies.total() > OVERVIEW_FROM {
        out += &most_frequent(report);
    }
    out.push_str(&summary_line(report));
    out.push('\n');
    out
}

/// The most frequent rules, and what to do about very many findings.
fn most_frequent(report: &Report) -> String {
    let all = report.tallies.by_count();
    let width = all.first().map_or(1, |tally| tally.count.to_string().len());
    let kinds = statistics::kinds(report);
    let lines = all
        .iter()
        .take(OVERVIEW_RULES)
        .map(|tally| format!("  {}", statistics::line(tally, width)));
    format!(
        "{kinds}; the most frequent:\n{}`--format grouped` groups them by rule, `--select RULE` \
            shows one rule, and\n`--write-baseline` records them, so that only new findings \
            count.\n\n",
        lines.collect::<String>()
    )
}

/// Replaces each invisible character with a visible one of the same length in bytes, so that spans
/// stay valid. The renderer handles control characters.
fn visible(text: String) -> String {
    let is_hidden = |c: char| is_invisible(c) && !c.is_control();
    if text.is_ascii() || !text.contains(is_hidden) {
        return text;
    }
    let sign = |c: char| match (is_hidden(c), c.len_utf8()) {
        (false, _) => c.to_string(),
        (true, 2) => "\u{b7}".to_owned(),
        (true, 3) => "\u{fffd}".to_owned(),
        // No four-byte character is displayed everywhere.
        (true, _) => "\u{fffd}?".to_owned(),
    };
    text.chars().map(sign).collect()
}

/// True for the line `:::`, which the renderer prints between an origin and its snippet.
fn is_stray(line: &str) -> bool {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    let coloured = parts.filter_map(|part| Some(part.split_once('m')?.1));
    core::iter::once(first).chain(coloured).collect::<String>().trim() == ":::"
}

/// A location with its label, and whether it is the main location of the finding.
struct Mark<'a> {
    location: Location,
    label: &'a str,
    primary: bool,
}

fn group<'a>(
    report: &'a Report,
    texts: &'a HashMap<SourceId, String>,
    finding: &'a Finding,
    color: bool,
) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let id = finding.rule.to_string();
    let mut elements: Vec<Element<'a>> = Vec::new();
    let own = Mark { location: finding.location, label: "", primary: true };
    let mut clusters: Vec<Vec<Mark<'a>>> = vec![vec![own]];
    for related in &finding.related {
        let mark = Mark { location: related.location, label: &related.message, primary: false };
        match clusters.iter_mut().find(|cluster| near(report, &cluster[0], &mark)) {
            Some(cluster) => cluster.push(mark),
            None => clusters.push(vec![mark]),
        }
    }
    for cluster in clusters {
        snippet(report, texts, &cluster, &mut elements);
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    let mut title = level.primary_title(finding.message.as_str()).id(id);
    // Terminals that support it show the rule as a link to its page.
    if color && rules::find(finding.rule.code()).is_some() {
        title = title.id_url(rules::page_url(finding.rule.name()));
    }
    title.elements(elements)
}

/// True when two locations share a snippet: few lines apart, or close together on one line.
fn near(report: &Report, a: &Mark<'_>, b: &Mark<'_>) -> bool {
    let at = |mark: &Mark<'_>| report.sources[mark.location.source].positions(mark.location.span).0;
    if a.location.source != b.location.source {
        return false;
    }
    let a = at(a);
    let b = at(b);
    let far = a.line == b.line && a.column.abs_diff(b.column) > LINE_CHARS_MAX / 2;
    !far && a.line.abs_diff(b.line) <= SNIPPET_LINES_MAX
}

/// Adds the lines around some locations of one file. The renderer gets no other lines: it reads all
/// of its input, and prints lines in full.
fn snippet<'a>(
    report: &'a Report,
    texts: &'a HashMap<SourceId, String>,
    marks: &[Mark<'a>],
    elements: &mut Vec<Element<'a>>,
) {
    let at = marks[0].location.source;
    let source = &report.sources[at];
    let text = texts.get(&at).map_or("", String::as_str);
    // An empty or unreadable file has no line to show.
    if text.is_empty() {
        elements.push(Origin::path(source.shown()).into());
        return;
    }
    let first = marks.iter().map(|mark| mark.location.span.start).min().unwrap_or(0) as usize;
    let last = marks.iter().map(|mark| mark.location.span.end).max().unwrap_or(0) as usize;
    let begin = source.tree.line_start(first);
    let end = source.tree.line_end(last).max(last);
    let line = source.positions(Span::new(begin, begin)).0.line;
    let ranges: Vec<Range<usize>> = marks
        .iter()
        .map(|mark| {
            let range = mark.location.span.range();
            range.start - begin..range.end.max(range.start) - begin
        })
        .collect();
    let window = Window::new(text.get(begin..end).unwrap_or_default(), &ranges);
    let annotations = marks.iter().zip(ranges).map(|(mark, range)| {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(window.map(range.start)..window.map(range.end));
        if mark.label.is_empty() { annotation } else { annotation.label(mark.label) }
    });
    let annotations: Vec<Annotation<'a>> = annotations.collect();
    let snippet = Snippet::source(window.text).line_start(line).fold(true).annotations(annotations);
    if window.cut {
        // The renderer would count columns from the start of the shortened line.
        let place = source.positions(marks[0].location.span).0;
        let origin = Origin::path(source.shown()).line(place.line).char_column(place.column);
        elements.push(origin.into());
        elements.push(snippet.into());
    } else {
        elements.push(snippet.path(source.shown()).into());
    }
}

/// Some lines; long ones are cut to the part around their locations.
struct Window {
    text: String,
    cut: bool,
    /// The kept parts: their old ranges, and where they start now.
    kept: Vec<(Range<usize>, usize)>,
}

impl Window {
    fn new(text: &str, places: &[Range<usize>]) -> Self {
        let mut points: Vec<usize> =
            places.iter().flat_map(|place| [place.start, place.end]).collect();
        points.sort_unstable();
        let mut window = Self { text: String::new(), cut: false, kept: Vec::new() };
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let next = points.get(points.partition_point(|point| *point < begin)).copied();
            let inside = next.filter(|point| *point <= begin + line.len());
            window.line(begin, line, inside.map_or(0, |point| point - begin));
            begin += line.len();
        }
        window
    }

    /// Adds a line that starts at an offset; `point` is the first location on it.
    fn line(&mut self, begin: usize, line: &str, point: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        if body.char_indices().nth(LINE_CHARS_MAX).is_none() {
            self.keep(begin, line);
            return;
        }
        self.cut = true;
        let before = body.get(..point.min(body.len())).unwrap_or_default();
        let start = before.char_indices().rev().nth(LINE_CHARS_MAX / 4).map_or(0, |(at, _)| at);
        let rest = body.get(start..).unwrap_or_default();
        let length = rest.char_indices().nth(LINE_CHARS_MAX).map_or(rest.len(), |(at, _)| at);
        if start > 0 {
            self.text.push('…');
        }
        self.keep(begin + start, rest.get(..length).unwrap_or_default());
        if length < rest.len() {
            self.text.push('…');
        }
        self.text.push_str(line.get(body.len()..).unwrap_or_default());
    }

    fn keep(&mut self, begin: usize, text: &str) {
        self.kept.push((begin..begin + text.len(), self.text.len()));
        self.text.push_str(text);
    }

    /// Where an offset is now; one that was cut away is at the cut.
    fn map(&self, place: usize) -> usize {
        let behind = self.kept.partition_point(|(range, _)| range.start <= place);
        let last = behind.checked_sub(1).and_then(|at| self.kept.get(at));
        last.map_or(0, |(range, now)| now + place.min(range.end) - range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_around_the_places_and_short_ones_are_not() {
        let text = format!("ab\n{}é[x]{}\ncd", "ü".repeat(900), "z".repeat(900));
        let at = text.find('[').unwrap();
        let window = Window::new(&text, core::slice::from_ref(&(at..at + 3)));
        assert!(window.cut && window.text.chars().count() < LINE_CHARS_MAX + 12, "{}", window.text);
        assert_eq!(window.text.matches('…').count(), 2);
        assert_eq!(&window.text[window.map(at)..window.map(at + 3)], "[x]");
        assert!(window.text.starts_with("ab\n…ü") && window.text.ends_with("z…\ncd"));
        // A span that continues beyond the cut ends there.
        let window = Window::new(&text, core::slice::from_ref(&(at..text.len())));
        assert_eq!(&window.text[window.map(text.len() - 2)..], "cd");
        let whole = Window::new("a: b\nc", core::slice::from_ref(&(3..4)));
        assert!(!whole.cut && whole.text == "a: b\nc" && whole.map(3) == 3);
    }
}

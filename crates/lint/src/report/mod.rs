//! The formats of a report: one file each.
//!
//! No format prints a value that may be a secret: source lines come from the masked text, and
//! messages were made from masked values.

mod checkstyle;
mod concise;
mod github;
mod gitlab;
mod grouped;
mod human;
mod json;
mod junit;
mod markdown;
mod rdjson;
mod sarif;
mod statistics;
mod xml;

use cortexkey_manifest::{inert, inert_json, inert_part, inert_xml, is_invisible};
use cortexkey_system::counted;

pub use cortexkey_manifest::policy::Severity;

use crate::model::{Location, Report, Summary, WaivedBy};

impl Report {
    /// Writes the report in a format; `color` applies to human-readable formats.
    #[must_use]
    pub fn render(&self, format: Format, color: bool) -> String {
        match format {
            Format::Human => for_people(&human::render(self, color)),
            Format::Concise => for_people(&in_words(concise::render(self))),
            Format::Json => in_json(json::render(self)),
            Format::Sarif => in_json(sarif::render(self)),
            Format::Junit => in_xml(junit::render(self)),
            Format::Github => inert_part(&in_words(github::render(self))).into_owned(),
            Format::Gitlab => in_json(gitlab::render(self)),
            Format::Grouped => for_people(&in_words(grouped::render(self))),
            Format::Markdown => for_people(&in_words(markdown::render(self))),
            Format::Rdjson => in_json(rdjson::render(self)),
            Format::Checkstyle => in_xml(checkstyle::render(self)),
        }
    }
}

/// Path, line and column of a location.
fn at(report: &Report, location: Location) -> String {
    let source = &report.sources[location.source];
    let (start, _) = source.positions(location.span);
    format!("{}:{}:{}", source.shown(), start.line, start.column)
}

/// The counts in a sentence.
fn summary_line(report: &Report) -> String {
    let Summary { files, skipped, errors, warnings, infos, unselected, excluded, .. } =
        report.summary;
    let mut parts: Vec<String> = Vec::new();
    for (count, word) in [(errors, "error"), (warnings, "warning"), (infos, "info")] {
        if count > 0 {
            parts.push(counted(count, word));
        }
    }
    let found = if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") };
    // A policy that cannot be read leaves no file to check.
    let only_policy = files == 0 && report.findings.iter().any(|found| report.is_of_policy(found));
    let place = if only_policy { "the policy".to_owned() } else { counted(files, "file") };
    let mut line = format!("{found} in {place}");
    for (by, word) in [
        (WaivedBy::Baseline, "known"),
        (WaivedBy::Comment, "suppressed"),
        (WaivedBy::Waiver, "waived"),
    ] {
        let count = report.waived_by(by);
        if count > 0 {
            line = format!("{line}, {count} {word}");
        }
    }
    if skipped > 0 {
        line = format!("{line}, {} skipped", counted(skipped, "file"));
    }
    if excluded > 0 {
        line = format!("{line}, {} excluded", counted(excluded, "file"));
    }
    if unselected > 0 {
        line = format!("{line}; {} of other rules not shown", counted(unselected, "finding"));
    }
    line
}

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Source lines with carets.
    Human,
    /// One line per finding.
    Concise,
    /// For programs; versioned.
    Json,
    /// For code scanning.
    Sarif,
    /// `JUnit` XML, for CI systems that show tests.
    Junit,
    /// Next to the lines of a change on GitHub.
    Github,
    /// Next to the lines of a change on GitLab.
    Gitlab,
    /// By rule, the most frequent first, with a few places each.
    Grouped,
    /// Tables for the summary of a CI job.
    Markdown,
    /// For reviewdog.
    Rdjson,
    /// Checkstyle's XML, for CI systems and review tools.
    Checkstyle,
}

impl Format {
    /// Every format, by its name.
    pub const ALL: [(&'static str, Self); 11] = [
        ("human", Self::Human),
        ("concise", Self::Concise),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("github", Self::Github),
        ("gitlab", Self::Gitlab),
        ("grouped", Self::Grouped),
        ("markdown", Self::Markdown),
        ("rdjson", Self::Rdjson),
        ("checkstyle", Self::Checkstyle),
    ];

    /// The name of a format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, form)| *form == self).map_or("", |(word, _)| word)
    }

    /// The format with a name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, format)| *format)
    }
}

/// Escapes invisible characters and workflow commands in JSON; only its strings can contain them.
fn in_json(json: String) -> String {
    let json = written_out(json, |c, out| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    });
    inert_json(&json).into_owned()
}

/// Like [`in_json`], for XML.
fn in_xml(xml: String) -> String {
    inert_xml(&in_words(xml)).into_owned()
}

/// Breaks workflow commands: source lines may contain any.
fn for_people(text: &str) -> String {
    inert(text).into_owned()
}

/// Spells out invisible characters: paths may contain any.
fn in_words(text: String) -> String {
    written_out(text, |c, out| out.push_str(&format!("\\u{{{:04x}}}", u32::from(c))))
}

fn written_out(text: String, write: impl Fn(char, &mut String)) -> String {
    let is_hidden = |c: char| is_invisible(c) && !matches!(c, '\n' | '\r' | '\t');
    if !text.contains(is_hidden) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { write(c, &mut out) } else { out.push(c) }
    }
    out
}

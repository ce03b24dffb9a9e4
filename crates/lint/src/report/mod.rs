//! What a run found, and the forms in which it is written: one file each.
//!
//! No form prints a value that may be a secret: source lines come from the masked text, and
//! messages were made from masked values.

mod concise;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod sarif;

use std::sync::Arc;

use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Position, Span, escape, mask_path};

pub use cortexkey_manifest::policy::Severity;

use crate::finding::{Finding, Place, WaivedFinding};

/// A file that findings point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path as output shows it.
    pub path: String,
    /// Its path from the policy's folder, wherever the command runs.
    pub(crate) id: String,
    pub(crate) tree: Arc<Tree>,
    pub(crate) policy: bool,
    /// False for files that are read for their bearing on others.
    pub(crate) reported: bool,
}

impl Source {
    pub(crate) fn new(path: &str, tree: &Arc<Tree>, policy: bool) -> Self {
        let path = mask_path(path);
        Self { id: path.clone(), path, tree: Arc::clone(tree), policy, reported: true }
    }

    /// The same with the path that it has wherever the command runs.
    pub(crate) fn named(mut self, id: &str) -> Self {
        self.id = mask_path(id);
        self
    }

    /// Its path for forms that people read: one line, that no log takes for a command.
    pub(crate) fn shown(&self) -> String {
        let path = escape(&self.path);
        // GitHub acts upon lines that begin so.
        if path.trim_start().starts_with("::") { format!("./{path}") } else { path }
    }

    /// Line and column of a span's begin and end.
    #[must_use]
    pub fn positions(&self, span: Span) -> (Position, Position) {
        (self.tree.position(span.start), self.tree.position(span.end))
    }
}

/// How much there was, and how much of it is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files reported on.
    pub files: usize,
    /// Documents in them.
    pub keys: usize,
    /// Files given that are neither in the corpus nor a policy.
    pub passed_over: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings for information.
    pub infos: usize,
    /// Findings that a waiver covers.
    pub waived: usize,
}

/// All that a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Files that findings point into: the policy's layers first, then the corpus.
    pub sources: Vec<Source>,
    /// Findings by file, place and code. Of a file with very many, the last one stands for those
    /// that are left out, and is as grave as the gravest of them.
    pub findings: Vec<Finding>,
    /// Findings that do not count.
    pub waived: Vec<WaivedFinding>,
    /// The counts, those left out included.
    pub summary: Summary,
    /// What this version read and did not act on, for standard error.
    pub notices: Vec<String>,
}

impl Report {
    /// The findings about the policy alone.
    #[must_use]
    pub fn of_policy(mut self) -> Self {
        let of_policy = |at: usize| self.sources.get(at).is_some_and(|source| source.policy);
        self.findings.retain(|finding| of_policy(finding.place.source));
        self.waived.retain(|waived| of_policy(waived.finding.place.source));
        let count = |severity: Severity| {
            self.findings.iter().filter(|finding| finding.severity == severity).count()
        };
        self.summary = Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            waived: self.waived.len(),
            files: self.sources.iter().filter(|source| source.policy).count(),
            ..Summary::default()
        };
        self
    }

    /// True when a finding is at least as grave as this.
    #[must_use]
    pub fn fails(&self, at: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= at)
    }

    /// Writes the report in a form; `color` matters to forms that people read.
    #[must_use]
    pub fn render(&self, format: Format, color: bool) -> String {
        match format {
            Format::Human => human::render(self, color),
            Format::Concise => concise::render(self),
            Format::Json => json::render(self),
            Format::Sarif => sarif::render(self),
            Format::Junit => junit::render(self),
            Format::Github => github::render(self),
            Format::Gitlab => gitlab::render(self),
        }
    }

    /// Path, line and column of a place.
    pub(crate) fn at(&self, place: Place) -> String {
        let source = &self.sources[place.source];
        let (start, _) = source.positions(place.span);
        format!("{}:{}:{}", source.shown(), start.line, start.column)
    }

    fn is_of_policy(&self, finding: &Finding) -> bool {
        self.sources.get(finding.place.source).is_some_and(|source| source.policy)
    }

    /// The counts in a sentence.
    pub(crate) fn summary_line(&self) -> String {
        let Summary { files, passed_over, errors, warnings, infos, waived, .. } = self.summary;
        let mut parts: Vec<String> = Vec::new();
        for (count, word) in [(errors, "error"), (warnings, "warning"), (infos, "info")] {
            if count > 0 {
                parts.push(plural(count, word));
            }
        }
        let found = if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") };
        // A policy that cannot be read leaves no file to judge.
        let only_policy = files == 0 && self.findings.iter().any(|found| self.is_of_policy(found));
        let place = if only_policy { "the policy".to_owned() } else { plural(files, "file") };
        let mut line = format!("{found} in {place}");
        if waived > 0 {
            line = format!("{line}, {waived} waived");
        }
        if passed_over > 0 {
            line = format!("{line}, {} passed over", plural(passed_over, "file"));
        }
        line
    }
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Source lines with carets.
    Human,
    /// One line a finding.
    Concise,
    /// For programs; versioned.
    Json,
    /// For code scanning.
    Sarif,
    /// For CI systems that show tests.
    Junit,
    /// Beside the lines of a change on GitHub.
    Github,
    /// Beside the lines of a change on GitLab.
    Gitlab,
}

impl Format {
    /// Every form, by its word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("human", Self::Human),
        ("concise", Self::Concise),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("github", Self::Github),
        ("gitlab", Self::Gitlab),
    ];

    /// The word of a form.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, form)| *form == self).map_or("", |(word, _)| word)
    }

    /// The form of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, format)| *format)
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

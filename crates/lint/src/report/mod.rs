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

use std::collections::BTreeSet;
use std::sync::Arc;

use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Position, Span, escape, is_invisible, mask_path};

pub use cortexkey_manifest::policy::Severity;

use crate::finding::{Finding, Place, WaivedFinding};

/// A file that findings point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path as output shows it.
    pub path: String,
    /// Its path from the policy's folder, wherever the command runs.
    pub(crate) id: String,
    /// Its path from the root of the repository, for readers who see that and not where the command
    /// ran; nothing for a built-in policy.
    pub(crate) from_root: Option<String>,
    pub(crate) tree: Arc<Tree>,
    pub(crate) policy: bool,
    /// False for files that are read for their bearing on others.
    pub(crate) reported: bool,
}

impl Source {
    pub(crate) fn new(path: &str, tree: &Arc<Tree>, policy: bool) -> Self {
        let path = mask_path(path);
        let from_root = (!is_builtin(&path)).then(|| path.clone());
        Self { id: path.clone(), from_root, path, tree: Arc::clone(tree), policy, reported: true }
    }

    /// The same with the path that it has wherever the command runs.
    pub(crate) fn named(mut self, id: &str) -> Self {
        self.id = mask_path(id);
        self
    }

    /// The same with the path that it has from the root of the repository.
    pub(crate) fn rooted(&mut self, path: &str) {
        if self.from_root.is_some() {
            self.from_root = Some(mask_path(path));
        }
    }

    /// Its path for forms that a review of the whole repository shows.
    fn in_review(&self) -> &str {
        let path = self.from_root.as_deref().unwrap_or(&self.path);
        path.strip_prefix("./").unwrap_or(path)
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

/// File, place, code and message of a finding about a policy.
type About = (String, Span, String, String);

/// What all reports that have the policy's file say of it.
fn agreed(reports: &[Report]) -> BTreeSet<About> {
    let said: Vec<BTreeSet<About>> = reports
        .iter()
        .map(|report| report.findings.iter().filter_map(|f| report.about_policy(f)).collect())
        .collect();
    let has = |report: &Report, path: &str| {
        report.sources.iter().any(|source| source.policy && source.path == path)
    };
    let by_all = |about: &&About| {
        let mut with = reports.iter().zip(&said).filter(|(report, _)| has(report, &about.0));
        with.all(|(_, said)| said.contains(*about))
    };
    said.iter().flatten().filter(by_all).cloned().collect()
}

/// All that a run found.
#[derive(Clone, Debug, Default)]
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
    /// The reports of runs over one corpus with several policies. What is said of a policy's file
    /// counts where every policy that stands on the file says it, and once.
    pub(crate) fn join(mut reports: Vec<Self>) -> Self {
        if reports.len() < 2 {
            return reports.pop().unwrap_or_default();
        }
        let agreed = agreed(&reports);
        let mut all = Self::default();
        let mut said = BTreeSet::new();
        for report in reports {
            let (by, more) = (all.sources.len(), report.summary);
            let counts = &mut all.summary;
            counts.files += more.files;
            counts.keys += more.keys;
            counts.passed_over = more.passed_over;
            counts.waived += more.waived;
            counts.errors += more.errors;
            counts.warnings += more.warnings;
            counts.infos += more.infos;
            for mut finding in report.findings.iter().cloned() {
                if let Some(about) = report.about_policy(&finding)
                    && !(agreed.contains(&about) && said.insert(about))
                {
                    match finding.severity {
                        Severity::Error => counts.errors -= 1,
                        Severity::Warning => counts.warnings -= 1,
                        Severity::Info => counts.infos -= 1,
                    }
                    continue;
                }
                finding.moved(by);
                all.findings.push(finding);
            }
            for mut waived in report.waived {
                waived.finding.moved(by);
                all.waived.push(waived);
            }
            all.sources.extend(report.sources);
            let new = report.notices.into_iter().filter(|notice| !all.notices.contains(notice));
            let new: Vec<String> = new.collect();
            all.notices.extend(new);
        }
        let sources = &all.sources;
        let place = |finding: &Finding| {
            let Place { source, span } = finding.place;
            (sources[source].path.clone(), span, finding.code.clone())
        };
        all.findings.sort_by_cached_key(place);
        all.waived.sort_by_cached_key(|waived| place(&waived.finding));
        all
    }

    /// What a finding says of a policy's file; nothing for one about a definition.
    fn about_policy(&self, finding: &Finding) -> Option<About> {
        let source = self.sources.get(finding.place.source).filter(|source| source.policy)?;
        let (code, message) = (finding.code.clone().into_owned(), finding.message.clone());
        Some((source.path.clone(), finding.place.span, code, message))
    }

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
            Format::Concise => in_words(concise::render(self)),
            Format::Json => in_json(json::render(self)),
            Format::Sarif => in_json(sarif::render(self)),
            Format::Junit => in_words(junit::render(self)),
            Format::Github => in_words(github::render(self)),
            Format::Gitlab => in_json(gitlab::render(self)),
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
        // A policy that cannot be read leaves no file to check.
        let only_policy = files == 0 && self.findings.iter().any(|found| self.is_of_policy(found));
        let place = if only_policy { "the policy".to_owned() } else { plural(files, "file") };
        let mut line = format!("{found} in {place}");
        if waived > 0 {
            line = format!("{line}, {waived} waived");
        }
        if passed_over > 0 {
            line = format!("{line}, {} skipped", plural(passed_over, "file"));
        }
        line
    }
}

fn is_builtin(path: &str) -> bool {
    path.starts_with("builtin:")
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

/// JSON that means the same, with what nobody sees as escapes; its strings alone hold such
/// characters.
fn in_json(json: String) -> String {
    written_out(json, |c, out| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    })
}

/// A text with what nobody sees written out: paths may hold anything.
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

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

//! The result of a run: [`Report`], and how the reports of several policies are merged.

use std::collections::{BTreeSet, HashSet};

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

use super::finding::{Finding, WaivedBy, WaivedFinding};
use super::rule_id::RuleId;
use super::source::{SourceId, Sources};
use super::tally::Tallies;

/// How many findings of one file a shortened report lists; the others are counted.
const SHOWN_MAX: usize = 1000;

/// The numbers of files and findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files reported on.
    pub files: usize,
    /// Documents in them.
    pub keys: usize,
    /// Files given that are neither in the corpus nor a policy.
    pub skipped: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings for information.
    pub infos: usize,
    /// Findings that do not count.
    pub waived: usize,
    /// Findings of rules that the run does not show.
    pub unselected: usize,
    /// Files that the run does not report on because a pattern excludes them.
    pub excluded: usize,
}

impl Summary {
    /// Counts findings by their severity.
    pub(crate) fn count<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) {
        for finding in findings {
            match finding.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Info => self.infos += 1,
            }
        }
    }
}

/// All findings of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Files that findings point into.
    pub sources: Sources,
    /// Findings by file, span and code. In a shortened report of a file with very many, the last
    /// one represents the omitted ones, and is as severe as the most severe of them.
    pub findings: Vec<Finding>,
    /// Findings that do not count.
    pub waived: Vec<WaivedFinding>,
    /// The counts, including omitted findings.
    pub summary: Summary,
    /// The counts of each rule, those left out included.
    pub tallies: Tallies,
    /// What was checked to the end.
    pub(crate) coverage: Coverage,
}

/// What a run has checked completely. Only there does a missing finding mean that the problem is
/// solved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    /// Whether every definition was read.
    pub(crate) is_complete: bool,
    /// The files that were checked, by their paths from the policy's folder.
    pub(crate) checked: BTreeSet<String>,
    /// The codes of the rules that did not see everything that they look at.
    pub(crate) without_input: BTreeSet<String>,
}

impl Coverage {
    /// Whether a finding of a rule in a file would have been found.
    pub(crate) fn includes(&self, code: &str, file: &str) -> bool {
        !self.without_input.contains(code) && (self.is_complete || self.checked.contains(file))
    }

    /// Adds what was checked with another policy.
    fn merge(&mut self, other: &mut Self) {
        self.is_complete &= other.is_complete;
        self.checked.append(&mut other.checked);
        self.without_input.append(&mut other.without_input);
    }
}

impl Report {
    /// How many findings do not count for one reason.
    #[must_use]
    pub fn waived_by(&self, by: WaivedBy) -> usize {
        self.waived.iter().filter(|waived| waived.by == by).count()
    }

    /// Joins the reports of runs over one corpus with several policies. A finding about a policy's
    /// file counts once, and only if every policy that extends the file has it.
    pub(crate) fn join(mut reports: Vec<Self>) -> Self {
        if reports.len() < 2 {
            return reports.pop().unwrap_or_default();
        }
        let agreed = agreed(&reports);
        let mut all = Self::default();
        all.coverage.is_complete = true;
        let mut seen = BTreeSet::new();
        for report in &mut reports {
            let Summary { files, keys, skipped, waived, unselected, excluded, .. } = report.summary;
            all.summary.files += files;
            all.summary.keys += keys;
            all.summary.skipped = skipped;
            all.summary.waived += waived;
            all.summary.unselected += unselected;
            all.summary.excluded = excluded;
            // The counts include findings that are not listed because a file has too many.
            all.summary.errors += report.summary.errors;
            all.summary.warnings += report.summary.warnings;
            all.summary.infos += report.summary.infos;
            all.tallies.merge(&report.tallies);
            all.coverage.merge(&mut report.coverage);
            let mut doubles = Summary::default();
            let mut double_findings = Vec::new();
            for finding in core::mem::take(&mut report.findings) {
                match report.about_policy(&finding) {
                    Some(about) if !agreed.contains(&about) || !seen.insert(about.clone()) => {
                        doubles.count([&finding]);
                        double_findings.push(finding);
                    }
                    _ => all.findings.push(finding),
                }
            }
            all.tallies.remove(&Tallies::of(&double_findings));
            all.summary.errors -= doubles.errors;
            all.summary.warnings -= doubles.warnings;
            all.summary.infos -= doubles.infos;
            all.waived.append(&mut report.waived);
        }
        all.sources = joined_sources(reports);
        let sources = &all.sources;
        let place = |finding: &Finding| {
            let location = finding.location;
            (sources[location.source].path.clone(), location.span, finding.rule.clone())
        };
        all.findings.sort_by_cached_key(place);
        all.waived.sort_by_cached_key(|waived| place(&waived.finding));
        all
    }

    /// Keeps [`SHOWN_MAX`] findings of each file and one that represents the others: the most severe
    /// of them, so that a run that fails still shows why. The counts stay as they are.
    ///
    /// This is the last step before a report is shown: a fix, a baseline and the join of several
    /// reports need every finding.
    pub(crate) fn shortened(mut self) -> Self {
        if self.findings.len() <= SHOWN_MAX {
            return self;
        }
        let mut shown: Vec<Finding> = Vec::new();
        for file in self.findings.chunk_by(|a, b| a.location.source == b.location.source) {
            let (first, rest) = file.split_at(file.len().min(SHOWN_MAX));
            shown.extend_from_slice(first);
            // The first one of the highest severity.
            let Some(worst) = rest.iter().rev().max_by_key(|finding| finding.severity) else {
                continue;
            };
            let mut last = worst.clone();
            if rest.len() > 1 {
                last.message =
                    format!("{} (and {} more in this file)", last.message, rest.len() - 1);
            }
            shown.push(last);
        }
        self.findings = shown;
        self
    }

    /// What a finding says about a policy's file; `None` for one about a definition.
    fn about_policy(&self, finding: &Finding) -> Option<AboutPolicy> {
        let source = self.sources.get(finding.location.source)?;
        let about = || AboutPolicy {
            path: source.path.clone(),
            span: finding.location.span,
            rule: finding.rule.clone(),
            message: finding.message.clone(),
        };
        source.is_of_policy().then(about)
    }

    /// The findings about the policy alone.
    #[must_use]
    pub fn of_policy(mut self) -> Self {
        let is_of_policy = |finding: &Finding| self.is_of_policy(finding);
        let findings: Vec<Finding> =
            self.findings.iter().filter(|finding| is_of_policy(finding)).cloned().collect();
        let waived: Vec<WaivedFinding> =
            self.waived.iter().filter(|waived| is_of_policy(&waived.finding)).cloned().collect();
        let files = self.sources.iter().filter(|source| source.is_of_policy()).count();
        self.summary = Summary { waived: waived.len(), files, ..Summary::default() };
        self.summary.count(&findings);
        self.tallies = Tallies::of(&findings);
        self.findings = findings;
        self.waived = waived;
        self
    }

    /// True when a finding is at least this severe.
    #[must_use]
    pub fn fails(&self, at: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= at)
    }

    pub(crate) fn is_of_policy(&self, finding: &Finding) -> bool {
        self.sources.get(finding.location.source).is_some_and(super::SourceText::is_of_policy)
    }
}

/// What a finding about a policy says, whichever policy of a run it was found with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AboutPolicy {
    path: String,
    span: Span,
    rule: RuleId,
    message: String,
}

/// What all reports that have a policy's file say about it.
fn agreed(reports: &[Report]) -> BTreeSet<AboutPolicy> {
    let by_report: Vec<BTreeSet<AboutPolicy>> = reports
        .iter()
        .map(|report| report.findings.iter().filter_map(|f| report.about_policy(f)).collect())
        .collect();
    let has = |report: &Report, path: &str| {
        report.sources.iter().any(|source| source.is_of_policy() && source.path == path)
    };
    let by_all = |about: &&AboutPolicy| {
        let mut with =
            reports.iter().zip(&by_report).filter(|(report, _)| has(report, &about.path));
        with.all(|(_, found)| found.contains(*about))
    };
    by_report.iter().flatten().filter(by_all).cloned().collect()
}

/// The sources of all reports, each file once: where it is reported on.
fn joined_sources(reports: Vec<Report>) -> Sources {
    let all = reports.iter().flat_map(|report| report.sources.iter());
    let reported: HashSet<SourceId> =
        all.filter(|source| source.reported).map(|source| source.id).collect();
    let sources = reports.into_iter().flat_map(|report| report.sources);
    sources.filter(|source| source.reported || !reported.contains(&source.id)).collect()
}

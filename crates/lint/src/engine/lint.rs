//! [`lint`] checks files and returns a report. The report depends only on the arguments.

use core::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;
use jiff::Timestamp;

use super::file::{FileLinter, FileResult};
use super::owners::Owners;
use super::run::{LintOptions, Run};
use super::seen::Seen;
use super::{policy, suppressions, waivers};
use crate::model::{
    Corpus, CorpusFile, Coverage, Finding, Report, SourceId, SourceText, Sources, Summary, Tallies,
    WaivedBy, WaivedFinding, fingerprints,
};
use crate::parallel;
use crate::policy::{Custom, Policy};
use crate::rule::{CorpusContext, FindingSink, RuleCheck};
use crate::rules::{RULES, SUPPRESSED_BY};

/// Checks a corpus against a policy at a moment. Opens no file and reads no clock.
#[must_use]
pub fn lint(corpus: &Corpus, policy: &Policy, now: Timestamp) -> Report {
    lint_with(corpus, policy, &LintOptions::at(now))
}

/// Like [`lint`], optionally without suppression comments or the findings of a baseline.
#[must_use]
pub fn lint_with(corpus: &Corpus, policy: &Policy, options: &LintOptions<'_>) -> Report {
    lint_all(corpus, policy, options).shortened()
}

/// Like [`lint_with`], with every finding, for callers that count or fix findings.
pub(crate) fn lint_all(corpus: &Corpus, policy: &Policy, options: &LintOptions<'_>) -> Report {
    assemble(corpus, policy, options, check_files(corpus, policy, options))
}

/// Checks each file by itself.
pub(super) fn check_files(
    corpus: &Corpus,
    policy: &Policy,
    options: &LintOptions<'_>,
) -> Vec<FileResult> {
    let linter = FileLinter::new(policy, options);
    parallel::map(&corpus.files, options.jobs, |file| linter.check(file))
}

/// Checks the rules of the policy that look at several keys.
fn check_with_owners(
    corpus: &Corpus,
    policy: &Policy,
    options: &LintOptions<'_>,
) -> Vec<FileResult> {
    if !policy.custom.iter().any(Custom::sees_other_keys) {
        return Vec::new();
    }
    let owners = Owners::new(corpus, policy);
    let linter = FileLinter::new(policy, options);
    let is_checked = |file: &&CorpusFile| file.reported && !file.is_outside();
    let files: Vec<&CorpusFile> = corpus.files.iter().filter(is_checked).collect();
    parallel::map(&files, options.jobs, |file| linter.check_with_owners(file, &owners))
}

/// Reports on a corpus whose files have been checked by themselves, with every finding.
pub(crate) fn assemble(
    corpus: &Corpus,
    policy: &Policy,
    options: &LintOptions<'_>,
    results: Vec<FileResult>,
) -> Report {
    let run = Run { corpus, policy, now: options.now };
    let sources = sources(&run);
    let mut findings = policy::mistakes(&run);
    let mut waived = Vec::new();
    let mut coverage = Coverage::default();
    if policy.is_usable() {
        findings.extend(policy::rules_on_policy(&run));
        let across = check_with_owners(corpus, policy, options);
        let results = results.into_iter().chain(across);
        (findings, waived, coverage) = settle(&run, &sources, findings, results);
        suppress_doubles(&mut findings);
    }
    let unreported = corpus.files.iter().filter(|file| !file.reported);
    let unreported: HashSet<SourceId> = unreported.map(|file| SourceId::File(file.id)).collect();
    let is_reported = |finding: &Finding| !unreported.contains(&finding.location.source);
    findings.retain(is_reported);
    waived.retain(|waived: &WaivedFinding| is_reported(&waived.finding));
    findings.sort_by(|a, b| order(&sources, a, b));
    fingerprints(&sources, &corpus.files, findings.iter_mut());
    if let Some(baseline) = options.baseline {
        let known;
        (findings, known) = baseline.take_off(findings, policy);
        let by = WaivedBy::Baseline;
        waived.extend(known.into_iter().map(|finding| WaivedFinding { finding, by }));
    }
    let all = findings.len();
    if let Some(selection) = options.selection {
        findings.retain(|finding| selection.shows(finding, policy));
    }
    let unselected = all - findings.len();
    waived.sort_by(|a, b| order(&sources, &a.finding, &b.finding));
    let of_waived = waived.iter_mut().map(|waived| &mut waived.finding);
    fingerprints(&sources, &corpus.files, of_waived);
    let summary = Summary { unselected, ..summary(corpus, &findings, waived.len()) };
    let tallies = Tallies::of(&findings);
    Report { sources, findings, waived, summary, tallies, coverage }
}

/// The policy's files first, then the corpus, then the lock file.
fn sources(run: &Run<'_>) -> Sources {
    let faults = run.policy.faults.iter().map(|fault| (fault.path.as_str(), &fault.tree));
    let of_policy = run.policy.sources().chain(faults).enumerate();
    let of_policy = of_policy
        .map(|(layer, (path, tree))| SourceText::new(run.policy.source(layer), path, tree));
    let files = run.corpus.files.iter().map(|file| {
        let source = SourceText::new(SourceId::File(file.id), &file.path, &file.tree);
        let source = match file.policy_path.as_deref().filter(|path| *path != file.path) {
            Some(path) => source.named(path),
            None => source,
        };
        SourceText { reported: file.reported, ..source }
    });
    let lock = SourceId::Lock { policy: run.policy.number };
    let lock = run.corpus.lock.iter().map(|file| SourceText::new(lock, &file.path, &file.tree));
    of_policy.chain(files).chain(lock).collect()
}

/// Adds the findings across files, removes what waivers and comments cover, and checks those.
fn settle(
    run: &Run<'_>,
    sources: &Sources,
    mut findings: Vec<Finding>,
    results: impl Iterator<Item = FileResult>,
) -> (Vec<Finding>, Vec<WaivedFinding>, Coverage) {
    let mut comments = Vec::new();
    let mut matched = BTreeSet::new();
    for result in results {
        findings.extend(result.findings);
        comments.extend(result.suppressions);
        matched.extend(result.matched);
    }
    rules_on_corpus(run, &mut findings);
    let seen = Seen::new(*run, &findings);
    let by_waiver = waivers::apply(run, findings);
    let by_comment = suppressions::apply(run, by_waiver.kept, &comments);
    let mut kept = by_comment.kept;
    kept.extend(suppressions::check_suppressions(run, &seen, &comments, &by_comment.outcomes));
    if !run.corpus.partial {
        waivers::unused(run, &seen, &by_waiver.used, &mut kept);
        waivers::unmatched(run, &matched, &mut kept);
    }
    let mut waived = by_waiver.waived;
    waived.extend(by_comment.waived);
    (kept, waived, seen.coverage(sources))
}

fn rules_on_corpus(run: &Run<'_>, out: &mut Vec<Finding>) {
    let cx = CorpusContext { corpus: run.corpus, policy: run.policy, now: run.now };
    for rule in RULES {
        let RuleCheck::Corpus(check) = rule.check else { continue };
        let settings = run.policy.settings(rule);
        if settings.enabled {
            check(&cx, &mut FindingSink { rule, settings, out });
        }
    }
}

fn summary(corpus: &Corpus, findings: &[Finding], waived: usize) -> Summary {
    let reported = corpus.files.iter().filter(|file| file.reported && !file.is_outside());
    let mut summary = Summary {
        files: reported.clone().count(),
        keys: reported.map(|file| file.documents.len()).sum(),
        skipped: corpus.skipped,
        excluded: corpus.excluded,
        waived,
        ..Summary::default()
    };
    summary.count(findings);
    summary
}

/// Removes findings whose rule is suppressed by another rule's finding at or within the same span.
fn suppress_doubles(findings: &mut Vec<Finding>) {
    let suppressing = |finding: &Finding| {
        SUPPRESSED_BY.iter().any(|(_, by)| by.iter().any(|rule| finding.rule == rule.id()))
    };
    // A less severe finding never hides a more severe one.
    let strong: BTreeSet<(SourceId, Span, String, Severity)> = findings
        .iter()
        .filter(|finding| suppressing(finding))
        .map(|finding| {
            let location = finding.location;
            let code = finding.rule.code().to_owned();
            (location.source, location.span, code, finding.severity)
        })
        .collect();
    if strong.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let Some((_, by)) = SUPPRESSED_BY.iter().find(|(rule, _)| finding.rule == rule.id()) else {
            return true;
        };
        let source = finding.location.source;
        let span = finding.location.span;
        let first = Span { start: span.start, end: span.start };
        let last = Span { start: span.end, end: u32::MAX };
        let from = (source, first, String::new(), Severity::Info);
        let mut near = strong.range(from..=(source, last, "~".to_owned(), Severity::Error));
        !near.any(|(_, inner, code, severity)| {
            let suppresses = by.iter().any(|rule| rule.code == code);
            inner.end <= span.end && suppresses && *severity >= finding.severity
        })
    });
}

/// By file, span and code.
fn order(sources: &Sources, a: &Finding, b: &Finding) -> Ordering {
    let here = a.location;
    let there = b.location;
    let by_path = || sources[here.source].path.cmp(&sources[there.source].path);
    let by_file = if here.source == there.source { Ordering::Equal } else { by_path() };
    by_file
        .then_with(|| here.span.cmp(&there.span))
        .then_with(|| a.rule.cmp(&b.rule))
        .then_with(|| a.message.cmp(&b.message))
}

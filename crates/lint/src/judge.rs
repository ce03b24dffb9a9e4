//! The judging: every enabled rule over every key, in an order that depends on nothing else.
//!
//! Each file is judged by itself first, which is most of the work and needs no other file; then
//! what shows only when all are seen together.

mod file;

use core::cmp::Ordering;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::Severity;
use jiff::Timestamp;
use rayon::prelude::*;

pub(crate) use file::{FileJudge, Part};

use crate::baseline::Baseline;
use crate::corpus::{Corpus, CorpusFile, document_at};
use crate::finding::{Finding, Place, WaivedBy, WaivedFinding};
use crate::fingerprint::fingerprints;
use crate::policy::Policy;
use crate::report::{Report, Source, Summary};
use crate::rules::{
    self, Check, CorpusContext, Draft, FileContext, GIVES_WAY, PolicyContext, RULES, Rule, Sink,
    finish,
};
use crate::settings::Settings;
use crate::suppress::{self, Suppression};
use crate::waive::{self, Settled};

/// How many findings of one file are handed out before the others are only counted.
const SHOWN_MAX: usize = 1000;

/// Fewer files than this are not worth another thread.
pub(crate) const FEW: usize = 64;

/// How a corpus is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The time.
    pub now: Timestamp,
    /// Whether comments in files may silence findings.
    pub comments: bool,
    /// Findings that are known and do not count.
    pub baseline: Option<&'a Baseline>,
}

impl Ask<'_> {
    /// A judgement at a moment, with nothing else asked.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { now, comments: true, baseline: None }
    }
}

/// Holds a corpus against a policy at a moment. Opens no file and reads no clock.
#[must_use]
pub fn lint(corpus: &Corpus, policy: &Policy, now: Timestamp) -> Report {
    lint_as(corpus, policy, &Ask::at(now))
}

/// The same, with comments ignored or a baseline taken off.
#[must_use]
pub fn lint_as(corpus: &Corpus, policy: &Policy, ask: &Ask<'_>) -> Report {
    let files = FileJudge::new(policy, ask);
    let one = |file: &CorpusFile| files.file(file);
    // A few files are judged before another thread has woken up.
    let parts = if corpus.files.len() < FEW {
        corpus.files.iter().map(one).collect()
    } else {
        corpus.files.par_iter().map(one).collect()
    };
    lint_parts(corpus, policy, ask, parts)
}

/// The same where each file has been judged by itself already, in the corpus' order.
pub(crate) fn lint_parts(
    corpus: &Corpus,
    policy: &Policy,
    ask: &Ask<'_>,
    parts: Vec<Part>,
) -> Report {
    let first = policy.layers.len() + policy.faults.len();
    let judge = Judge { corpus, policy, now: ask.now, first };
    let sources = judge.sources();
    let mut findings = judge.policy_findings();
    let mut waived = Vec::new();
    if policy.is_usable() {
        findings.extend(judge.rules_on_policy());
        let (mut suppressions, mut matched) = (Vec::new(), BTreeSet::new());
        for (at, part) in parts.into_iter().enumerate() {
            let part = part.moved(first, at);
            findings.extend(part.findings);
            suppressions.extend(part.suppressions);
            matched.extend(part.matched);
        }
        findings.extend(judge.corpus());
        (findings, waived) = judge.settle(findings, &suppressions, &matched);
        give_way(&mut findings);
    }
    let reported = |finding: &Finding| judge.is_reported(finding.place.source);
    findings.retain(reported);
    waived.retain(|waived: &WaivedFinding| reported(&waived.finding));
    findings.sort_by(|a, b| order(&sources, a, b));
    fingerprints(&sources, findings.iter_mut());
    if let Some(baseline) = ask.baseline {
        let known;
        (findings, known) = baseline.take_off(findings, policy);
        let by = WaivedBy::Baseline;
        waived.extend(known.into_iter().map(|finding| WaivedFinding { finding, by }));
    }
    waived.sort_by(|a, b| order(&sources, &a.finding, &b.finding));
    fingerprints(&sources, waived.iter_mut().map(|waived| &mut waived.finding));
    // Counted before any is left out.
    let summary = judge.summary(&findings, waived.len());
    cap(&mut findings);
    Report { sources, findings, waived, summary, notices: policy.notices().to_vec() }
}

struct Judge<'a> {
    corpus: &'a Corpus,
    policy: &'a Policy,
    now: Timestamp,
    /// Index of the first file among the report's sources, behind those of the policy.
    first: usize,
}

impl Judge<'_> {
    fn sources(&self) -> Vec<Source> {
        let policy = self
            .policy
            .sources()
            .chain(self.policy.faults.iter().map(|fault| (fault.path.as_str(), &fault.tree)));
        let policy = policy.map(|(path, tree)| Source::new(path, tree, true));
        let files = self.corpus.files.iter().map(|file| {
            let source = Source::new(&file.path, &file.tree, false);
            let source = match file.id.as_deref().filter(|id| *id != file.path) {
                Some(id) => source.named(id),
                None => source,
            };
            Source { reported: file.reported, ..source }
        });
        let lock = self.corpus.lock.iter().map(|lock| Source::new(&lock.path, &lock.tree, true));
        policy.chain(files).chain(lock).collect()
    }

    fn is_reported(&self, source: usize) -> bool {
        let file = source.checked_sub(self.first).and_then(|at| self.corpus.files.get(at));
        file.is_none_or(|file| file.reported)
    }

    /// Mistakes of the policy's files and of the lock file. No setting silences them.
    fn policy_findings(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        for (at, fault) in self.policy.faults.iter().enumerate() {
            for problem in &fault.problems {
                let draft = Draft::of_problem(self.policy.layers.len() + at, problem);
                out.push(fixed(problem.kind.code(), draft));
            }
        }
        for mistake in &self.policy.mistakes {
            let at = mistake.at;
            let mut draft = Draft::new(at.layer, at.span, mistake.message.clone());
            if let Some(help) = &mistake.help {
                draft = draft.help(help.clone());
            }
            out.push(fixed(mistake.code, draft));
        }
        let lock = self.first + self.corpus.files.len();
        for problem in self.corpus.lock.iter().flat_map(|lock| &lock.problems) {
            out.push(fixed(problem.kind.code(), Draft::of_problem(lock, problem)));
        }
        out
    }

    fn base(&self, rule: &Rule) -> Settings {
        Settings::base(rule, file::resolved(self.policy, rule))
    }

    /// The tenant that a key says, or the policy's only one.
    fn tenant<'d>(&'d self, definition: &'d Definition) -> Option<&'d str> {
        definition.tenant().or_else(|| self.policy.only_tenant())
    }

    fn rules_on_policy(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        let cx = PolicyContext { policy: self.policy, now: self.now, corpus: self.corpus };
        for rule in RULES {
            let settings = self.base(rule);
            let mut sink = Sink { rule, severity: settings.severity, out: &mut out };
            match rule.check {
                Check::Policy(check) if settings.enabled => check(&cx, &settings, &mut sink),
                Check::Text(check) if settings.enabled => {
                    // The built-in policies are ours to keep in order.
                    let own = self.policy.sources().enumerate();
                    for (source, (path, tree)) in own.filter(|(_, (path, _))| !is_builtin(path)) {
                        let tokens = OnceCell::new();
                        let cx = FileContext {
                            path,
                            tree,
                            documents: &[],
                            source,
                            policy: true,
                            tokens,
                        };
                        check(&cx, &settings, &mut sink);
                    }
                }
                _ => {}
            }
        }
        out
    }

    fn corpus(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        let cx = CorpusContext {
            corpus: self.corpus,
            policy: self.policy,
            first_source: self.first,
            now: self.now,
        };
        for rule in RULES {
            let settings = self.base(rule);
            if let (Check::Corpus(check), true) = (rule.check, settings.enabled) {
                let severity = settings.severity;
                check(&cx, &settings, &mut Sink { rule, severity, out: &mut out });
            }
        }
        out
    }

    /// Takes out what waivers and comments cover, and says which of them are in disorder.
    fn settle(
        &self,
        findings: Vec<Finding>,
        suppressions: &[Suppression],
        matched: &BTreeSet<usize>,
    ) -> (Vec<Finding>, Vec<WaivedFinding>) {
        let ambiguous = self.ambiguous();
        let is_ambiguous = |key: &str| ambiguous.contains(key);
        let is_about = |finding: &Finding, key: &str| self.is_about(finding, key);
        let by_waiver = waive::waivers(self.policy, self.now, findings, &is_about, &is_ambiguous);
        let Settled { kept, waived, used } = by_waiver;
        let by_comment = suppress::silence(self.policy, self.now, kept, suppressions);
        let mut by_comment = by_comment;
        let (mut kept, mut all) = (core::mem::take(&mut by_comment.kept), waived);
        all.append(&mut by_comment.waived);
        let base = |code: &str| rules::find(code).map(|rule| (rule, self.base(rule)));
        suppress::disorders(self.policy, self.now, suppressions, &by_comment, &base, &mut kept);
        if !self.corpus.partial {
            waive::unused(self.policy, self.now, &used, &is_ambiguous, &base, &mut kept);
            waive::unmatched(self.policy, matched, &base, &mut kept);
        }
        (kept, all)
    }

    /// Names that waivers write bare and that keys of several tenants have.
    fn ambiguous(&self) -> BTreeSet<&str> {
        let keys = self.policy.waivers().filter_map(|(_, waiver)| waiver.key.get());
        let bare: BTreeSet<&str> =
            keys.map(String::as_str).filter(|key| !key.contains('/')).collect();
        if bare.is_empty() {
            return BTreeSet::new();
        }
        let mut tenants: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
        let documents = self.corpus.files.iter().flat_map(|file| &file.documents);
        for definition in documents.filter_map(|document| document.definition.as_ref()) {
            if let Some(name) = definition.name().and_then(|name| bare.get(name)) {
                tenants.entry(name).or_default().insert(self.tenant(definition));
            }
        }
        tenants.into_iter().filter(|(_, of)| of.len() > 1).map(|(name, _)| name).collect()
    }

    /// True when a finding is about the key that a waiver names.
    fn is_about(&self, finding: &Finding, key: &str) -> bool {
        let Some(at) = finding.place.source.checked_sub(self.first) else { return false };
        let Some(file) = self.corpus.files.get(at) else { return false };
        let holds = document_at(&file.documents, finding.place.span);
        holds.and_then(|document| document.definition.as_ref()).is_some_and(|definition| {
            let tenant = self.tenant(definition);
            definition.name().is_some_and(|name| waive::names(key, tenant, name))
        })
    }

    fn summary(&self, findings: &[Finding], waived: usize) -> Summary {
        let count = |severity: Severity| findings.iter().filter(|f| f.severity == severity).count();
        let reported = self.corpus.files.iter();
        let reported = reported.filter(|file| file.reported && !file.is_outside());
        Summary {
            files: reported.clone().count(),
            keys: reported.map(|file| file.documents.len()).sum(),
            passed_over: self.corpus.passed_over,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            waived,
        }
    }
}

fn is_builtin(path: &str) -> bool {
    path.starts_with("builtin:")
}

/// Takes out findings whose rule gives way to another that found something at the same place, or
/// within it.
fn give_way(findings: &mut Vec<Finding>) {
    // One that a policy made less grave is no reason to hide one that is graver.
    let strong: BTreeSet<(usize, Span, &str, Severity)> = GIVES_WAY
        .iter()
        .flat_map(|(_, strong)| *strong)
        .flat_map(|code| {
            let found = findings.iter().filter(move |finding| finding.code == *code);
            found.map(move |finding| {
                (finding.place.source, finding.place.span, *code, finding.severity)
            })
        })
        .collect();
    if strong.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let Some((_, to)) = GIVES_WAY.iter().find(|(code, _)| *code == finding.code) else {
            return true;
        };
        let Place { source, span } = finding.place;
        let first = Span { start: span.start, end: span.start };
        let last = Span { start: span.end, end: u32::MAX };
        let from = (source, first, "", Severity::Info);
        let mut near = strong.range(from..=(source, last, "~", Severity::Error));
        !near.any(|(_, inner, code, severity)| {
            inner.end <= span.end && to.contains(code) && *severity >= finding.severity
        })
    });
}

/// Leaves [`SHOWN_MAX`] findings of each file and one that stands for all others of it: the gravest
/// of them, so that whatever a run fails on is still among its findings. They come sorted by file.
fn cap(findings: &mut Vec<Finding>) {
    if findings.len() <= SHOWN_MAX {
        return;
    }
    let mut out: Vec<Finding> = Vec::new();
    for file in findings.chunk_by(|a, b| a.place.source == b.place.source) {
        let (shown, rest) = file.split_at(file.len().min(SHOWN_MAX));
        out.extend_from_slice(shown);
        // Of those as grave the first one.
        let Some(gravest) = rest.iter().rev().max_by_key(|finding| finding.severity) else {
            continue;
        };
        let mut last = gravest.clone();
        if rest.len() > 1 {
            last.message = format!("{} (and {} more in this file)", last.message, rest.len() - 1);
        }
        out.push(last);
    }
    *findings = out;
}

/// A finding about a policy or the lock file, which no setting changes: with a mistake in them it is
/// not certain what is asked for.
fn fixed(code: &'static str, draft: Draft) -> Finding {
    let draft = draft.unchecked();
    finish(code.into(), rules::name_of(code).unwrap_or_default().into(), Severity::Error, draft)
}

/// By file, place and code.
fn order(sources: &[Source], a: &Finding, b: &Finding) -> Ordering {
    let path = |f: &Finding| sources[f.place.source].path.as_str();
    path(a)
        .cmp(path(b))
        .then_with(|| a.place.span.cmp(&b.place.span))
        .then_with(|| a.code.cmp(&b.code))
        .then_with(|| a.message.cmp(&b.message))
}

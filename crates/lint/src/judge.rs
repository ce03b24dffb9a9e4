//! The judging: every enabled rule over every key, in an order that depends on nothing else.

use core::cmp::Ordering;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{ResolvedRule, Role, Severity};
use jiff::Timestamp;
use rayon::prelude::*;

use crate::baseline::Baseline;
use crate::corpus::{Corpus, CorpusFile};
use crate::custom::Custom;
use crate::finding::{Finding, Place, WaivedBy, WaivedFinding};
use crate::fingerprint::fingerprints;
use crate::patterns::Patterns;
use crate::policy::Policy;
use crate::report::{Report, Source, Summary};
use crate::rules::{
    self, Check, CorpusContext, Draft, FileContext, GIVES_WAY, KeyContext, PolicyContext, RULES,
    Rule, Sink, UNYIELDING, finish,
};
use crate::settings::{Settings, Subject};
use crate::suppress::{self, Suppression};
use crate::waive::{self, Settled};

/// How many findings of one file are handed out before the others are only counted.
const SHOWN_MAX: usize = 1000;

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
    let judge = Judge {
        corpus,
        policy,
        now: ask.now,
        first: policy.layers.len() + policy.faults.len(),
        catalogue: policy.roles().collect(),
        patterns: Patterns::default(),
    };
    let sources = judge.sources();
    let mut findings = judge.policy_findings();
    let mut waived = Vec::new();
    if policy.is_usable() {
        let suppressions = judge.suppressions(ask.comments);
        findings.extend(judge.rules_on_policy());
        let (of_files, matched) = judge.files();
        findings.extend(of_files);
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
    catalogue: Vec<&'a Role>,
    patterns: Patterns,
}

/// The rules with what holds for keys that no override matches.
type Bases = Vec<(&'static Rule, Settings)>;

impl<'a> Judge<'a> {
    fn sources(&self) -> Vec<Source> {
        let policy = self
            .policy
            .sources()
            .chain(self.policy.faults.iter().map(|fault| (fault.path.as_str(), &fault.tree)));
        let policy = policy.map(|(path, tree)| Source::new(path, tree, true));
        let files = self.corpus.files.iter().map(|file| {
            let id = file.id.as_deref().unwrap_or(&file.path);
            let source = Source::new(&file.path, &file.tree, false).named(id);
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

    /// What the policy says about a rule, where it has a say.
    fn resolved(&self, rule: &Rule) -> Option<&'a ResolvedRule> {
        let rules = &self.policy.merged.rules;
        rules.get(rule.code).filter(|_| !UNYIELDING.contains(&rule.code))
    }

    fn base(&self, rule: &Rule) -> Settings {
        Settings::base(rule, self.resolved(rule))
    }

    /// What holds for a rule and a key, where that differs from what holds for all.
    fn settings(&self, rule: &Rule, base: &Settings, subject: &Subject<'_>) -> Option<Settings> {
        base.for_key(self.resolved(rule)?, subject)
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

    /// The findings of all files, and which of the policy's own rules matched a key.
    fn files(&self) -> (Vec<Finding>, BTreeSet<usize>) {
        let bases: Bases = RULES.iter().map(|rule| (*rule, self.base(rule))).collect();
        let files: Vec<(usize, &CorpusFile)> =
            self.corpus.files.iter().enumerate().filter(|(_, file)| file.reported).collect();
        let one = |(at, file): &(usize, &CorpusFile)| {
            let (mut out, mut matched) = (Vec::new(), BTreeSet::new());
            self.file(self.first + at, file, &bases, &mut out, &mut matched);
            (out, matched)
        };
        // A few files are judged before another thread has woken up.
        let parts: Vec<(Vec<Finding>, BTreeSet<usize>)> = if files.len() < 64 {
            files.iter().map(one).collect()
        } else {
            files.par_iter().map(one).collect()
        };
        let (mut findings, mut matched) = (Vec::new(), BTreeSet::new());
        for (mut part, of_part) in parts {
            findings.append(&mut part);
            matched.extend(of_part);
        }
        (findings, matched)
    }

    fn file(
        &self,
        source: usize,
        file: &CorpusFile,
        bases: &Bases,
        out: &mut Vec<Finding>,
        matched: &mut BTreeSet<usize>,
    ) {
        let (path, tree, documents) = (file.path.as_str(), &file.tree, &*file.documents);
        let tokens = OnceCell::new();
        let cx = FileContext { path, tree, documents, source, policy: false, tokens };
        for (rule, base) in bases.iter().filter(|(_, base)| base.enabled) {
            let mut sink = Sink { rule, severity: base.severity, out };
            match rule.check {
                Check::File(check) | Check::Text(check) => check(&cx, base, &mut sink),
                Check::Problems(takes, fix) => {
                    for problem in file.problems.iter().filter(|problem| takes(problem)) {
                        let key = cx.key_at(problem.span);
                        let draft = Draft::of_problem(source, problem).key(key.as_deref());
                        sink.report(draft.fix(fix(tree, problem, base)));
                    }
                }
                _ => {}
            }
        }
        for document in &file.documents {
            let definition = document.definition.as_ref();
            if let Some(definition) = definition {
                self.key(source, file, definition, bases, out);
                self.custom(source, file, definition, out, matched);
            }
            if document.problems.is_empty() {
                continue;
            }
            let name = definition.and_then(Definition::name);
            for (rule, base) in bases {
                let Check::Problems(takes, fix) = rule.check else { continue };
                let own = definition.and_then(|d| self.settings(rule, base, &self.subject(d)));
                let settings = own.as_ref().unwrap_or(base);
                let mut sink = Sink { rule, severity: settings.severity, out };
                let problems = document.problems.iter().filter(|problem| takes(problem));
                for problem in problems.filter(|_| settings.enabled) {
                    let draft = Draft::of_problem(source, problem).key(name);
                    sink.report(draft.fix(fix(tree, problem, settings)));
                }
            }
        }
    }

    fn subject<'d>(&'d self, definition: &'d Definition) -> Subject<'d> {
        Subject { definition, tenant: definition.tenant().or_else(|| self.policy.only_tenant()) }
    }

    fn key(
        &self,
        source: usize,
        file: &CorpusFile,
        definition: &Definition,
        bases: &Bases,
        out: &mut Vec<Finding>,
    ) {
        let subject = self.subject(definition);
        let settings_of = |code: &str| {
            let (rule, base) = bases.iter().find(|(rule, _)| rule.code == code)?;
            Some(self.settings(rule, base, &subject).unwrap_or_else(|| base.clone()))
        };
        let cx = KeyContext {
            definition,
            tree: &file.tree,
            source,
            path: &file.path,
            alone: file.documents.len() == 1,
            patterns: &self.patterns,
            policy: self.policy,
            catalogue: &self.catalogue,
            tenant: subject.tenant,
            now: self.now,
            held: OnceCell::new(),
            settings_of: &settings_of,
        };
        for (rule, base) in bases {
            let Check::Key(check) = rule.check else { continue };
            let own = self.settings(rule, base, &subject);
            let settings = own.as_ref().unwrap_or(base);
            if settings.enabled {
                check(&cx, settings, &mut Sink { rule, severity: settings.severity, out });
            }
        }
    }

    /// The rules that the policy wrote itself.
    fn custom(
        &self,
        source: usize,
        file: &CorpusFile,
        definition: &Definition,
        out: &mut Vec<Finding>,
        matched: &mut BTreeSet<usize>,
    ) {
        let subject = self.subject(definition);
        let fits = |custom: &&Custom| custom.applies(&subject);
        let rules = self.policy.custom.iter().enumerate();
        for (at, custom) in rules.filter(|(_, custom)| fits(custom)) {
            matched.insert(at);
            custom.check(source, &file.tree, definition, &subject, out);
        }
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

    fn suppressions(&self, wanted: bool) -> Vec<Suppression> {
        if !wanted {
            return Vec::new();
        }
        let files = self.corpus.files.iter().enumerate().filter(|(_, file)| file.reported);
        files.flat_map(|(at, file)| suppress::read(self.first + at, &file.tree)).collect()
    }

    /// Takes out what waivers and comments cover, and says which of them are in disorder.
    fn settle(
        &self,
        findings: Vec<Finding>,
        suppressions: &[Suppression],
        matched: &BTreeSet<usize>,
    ) -> (Vec<Finding>, Vec<WaivedFinding>) {
        let by_waiver = waive::waivers(self.policy, self.now, findings, &|finding, key| {
            self.is_about(finding, key)
        });
        let Settled { kept, waived, used } = by_waiver;
        let by_comment = suppress::silence(self.policy, self.now, kept, suppressions);
        let (mut kept, mut all) = (by_comment.kept, waived);
        all.extend(by_comment.waived);
        let base = |code: &str| rules::find(code).map(|rule| (rule, self.base(rule)));
        suppress::disorders(
            self.policy,
            self.now,
            suppressions,
            &by_comment.used,
            &base,
            &mut kept,
        );
        if !self.corpus.partial {
            waive::unused(self.policy, self.now, &used, &base, &mut kept);
            waive::unmatched(self.policy, matched, &base, &mut kept);
        }
        (kept, all)
    }

    /// True when a finding is about the key that a waiver names.
    fn is_about(&self, finding: &Finding, key: &str) -> bool {
        let Some(at) = finding.place.source.checked_sub(self.first) else { return false };
        let Some(file) = self.corpus.files.get(at) else { return false };
        let place = finding.place.span;
        let holds = file
            .documents
            .iter()
            .find(|document| document.span.start <= place.start && place.end <= document.span.end);
        holds.and_then(|document| document.definition.as_ref()).is_some_and(|definition| {
            let tenant = self.subject(definition).tenant;
            definition.name().is_some_and(|name| waive::names(key, tenant, name))
        })
    }

    fn summary(&self, findings: &[Finding], waived: usize) -> Summary {
        let count = |severity: Severity| findings.iter().filter(|f| f.severity == severity).count();
        let reported = self.corpus.files.iter().filter(|file| file.reported);
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
    let strong: BTreeSet<(usize, Span, &str)> = GIVES_WAY
        .iter()
        .flat_map(|(_, strong)| *strong)
        .flat_map(|code| {
            let found = findings.iter().filter(move |finding| finding.code == *code);
            found.map(move |finding| (finding.place.source, finding.place.span, *code))
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
        let mut near = strong.range((source, first, "")..=(source, last, "~"));
        !near.any(|(_, inner, code)| inner.end <= span.end && to.contains(code))
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

/// A finding whose severity no setting changes.
fn fixed(code: &'static str, draft: Draft) -> Finding {
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

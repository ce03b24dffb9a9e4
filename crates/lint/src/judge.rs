//! The judging: every enabled rule over every key, in an order that depends on nothing else.

use core::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{ResolvedRule, Severity};
use cortexkey_manifest::{blank, secret_ranges};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::corpus::{Corpus, CorpusFile};
use crate::finding::{Finding, Place, WaivedBy, WaivedFinding};
use crate::policy::{Policy, fault_problems};
use crate::report::{Report, Source, Summary};
use crate::rules::waivers::{lacking, names};
use crate::rules::{
    self, Check, CorpusContext, Draft, FileContext, GIVES_WAY, KeyContext, PolicyContext, RULES,
    Rule, Sink, UNYIELDING, finish,
};
use crate::settings::{Settings, Subject};

/// How many findings of one file are handed out before the others are only counted.
const SHOWN_MAX: usize = 1000;

/// Holds a corpus against a policy at a moment. Opens no file and reads no clock.
#[must_use]
pub fn lint(corpus: &Corpus, policy: &Policy, now: Timestamp) -> Report {
    let judge = Judge { corpus, policy, now, first: policy.layers.len() + policy.faults.len() };
    let sources = judge.sources();
    let mut findings = judge.policy_findings();
    let mut waived = Vec::new();
    if policy.is_usable() {
        judge.rules_on_policy(&mut findings);
        judge.files(&mut findings);
        judge.corpus(&mut findings);
        (findings, waived) = judge.waive(findings);
        give_way(&mut findings);
    }
    let reported = |finding: &Finding| {
        let at = finding.place.source;
        at < judge.first || corpus.files[at - judge.first].reported
    };
    findings.retain(reported);
    waived.retain(|waived: &WaivedFinding| reported(&waived.finding));
    findings.sort_by(|a, b| order(&sources, a, b));
    waived.sort_by(|a, b| order(&sources, &a.finding, &b.finding));
    // Counted before any is left out.
    let summary = judge.summary(&findings, waived.len());
    cap(&mut findings);
    fingerprints(&sources, findings.iter_mut());
    fingerprints(&sources, waived.iter_mut().map(|waived| &mut waived.finding));
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
        let files = self.corpus.files.iter();
        policy.chain(files.map(|file| Source::new(&file.path, &file.tree, false))).collect()
    }

    /// Mistakes of the policy's files. No setting silences them.
    fn policy_findings(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        for (at, fault) in self.policy.faults.iter().enumerate() {
            for problem in fault_problems(fault) {
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
        out
    }

    /// What the policy says about a rule, where it has a say.
    fn resolved(&self, rule: &Rule) -> Option<&ResolvedRule> {
        let rules = &self.policy.merged.rules;
        rules.get(rule.code).filter(|_| !UNYIELDING.contains(&rule.code))
    }

    fn base(&self, rule: &Rule) -> Settings {
        Settings::base(rule, self.resolved(rule))
    }

    /// What holds for a rule and a key.
    fn settings(&self, rule: &Rule, base: &Settings, subject: &Subject<'_>) -> Option<Settings> {
        let resolved = self.resolved(rule)?;
        (!resolved.overrides.is_empty()).then(|| base.for_key(resolved, subject))
    }

    fn rules_on_policy(&self, out: &mut Vec<Finding>) {
        let cx = PolicyContext { policy: self.policy, now: self.now, corpus: self.corpus };
        for rule in RULES {
            let settings = self.base(rule);
            if let (Check::Policy(check), true) = (rule.check, settings.enabled) {
                check(&cx, &settings, &mut Sink { rule, severity: settings.severity, out });
            }
        }
    }

    fn files(&self, out: &mut Vec<Finding>) {
        let bases: Vec<(&'static Rule, Settings)> =
            RULES.iter().map(|rule| (*rule, self.base(rule))).collect();
        for (at, file) in self.corpus.files.iter().enumerate() {
            if file.reported {
                self.file(self.first + at, file, &bases, out);
            }
        }
    }

    fn file(
        &self,
        source: usize,
        file: &CorpusFile,
        bases: &[(&'static Rule, Settings)],
        out: &mut Vec<Finding>,
    ) {
        let cx = FileContext { file, source };
        for (rule, base) in bases.iter().filter(|(_, base)| base.enabled) {
            let mut sink = Sink { rule, severity: base.severity, out };
            match rule.check {
                Check::File(check) => check(&cx, base, &mut sink),
                Check::Problems(takes) => {
                    for problem in file.problems.iter().filter(|problem| takes(problem)) {
                        let key = cx.key_at(problem.span);
                        sink.report(Draft::of_problem(source, problem).key(key.as_deref()));
                    }
                }
                _ => {}
            }
        }
        for document in &file.documents {
            if let Some(definition) = &document.definition {
                self.key(source, file, definition, bases, out);
            }
            let name = document.definition.as_ref().and_then(Definition::name);
            for (rule, base) in bases {
                let Check::Problems(takes) = rule.check else { continue };
                let subject =
                    document.definition.as_ref().map(|definition| self.subject(definition));
                let own = subject.and_then(|subject| self.settings(rule, base, &subject));
                let settings = own.as_ref().unwrap_or(base);
                let mut sink = Sink { rule, severity: settings.severity, out };
                let problems = document.problems.iter().filter(|problem| takes(problem));
                for problem in problems.filter(|_| settings.enabled) {
                    sink.report(Draft::of_problem(source, problem).key(name));
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
        bases: &[(&'static Rule, Settings)],
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
            policy: self.policy,
            tenant: subject.tenant,
            now: self.now,
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

    fn corpus(&self, out: &mut Vec<Finding>) {
        let cx =
            CorpusContext { corpus: self.corpus, policy: self.policy, first_source: self.first };
        for rule in RULES {
            let settings = self.base(rule);
            if let (Check::Corpus(check), true) = (rule.check, settings.enabled) {
                check(&cx, &settings, &mut Sink { rule, severity: settings.severity, out });
            }
        }
    }

    /// Takes out what a complete waiver that is not over covers, where the rule allows it.
    fn waive(&self, findings: Vec<Finding>) -> (Vec<Finding>, Vec<WaivedFinding>) {
        let good: Vec<(&str, &str)> = self
            .policy
            .waivers()
            .filter(|(_, waiver)| lacking(waiver).is_empty())
            .filter(|(_, waiver)| waiver.expires.get().is_some_and(|end| *end > self.now))
            .filter_map(|(_, waiver)| {
                Some((rules::code_of(waiver.rule.get()?)?, waiver.key.get()?.as_str()))
            })
            .filter(|(code, _)| !UNYIELDING.contains(code))
            .filter(|(code, _)| {
                let resolved = self.policy.merged.rules.get(code);
                resolved.and_then(|rule| rule.waivable.as_ref()).is_none_or(|w| w.value)
            })
            .collect();
        if good.is_empty() {
            return (findings, Vec::new());
        }
        let (waived, kept): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| {
                good.iter().any(|(code, key)| finding.code == *code && self.is_about(finding, key))
            });
        let by = WaivedBy::Waiver;
        (kept, waived.into_iter().map(|finding| WaivedFinding { finding, by }).collect())
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
            definition.name().is_some_and(|name| names(key, tenant, name))
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

/// Takes out findings whose rule gives way to another that found something at the same place.
fn give_way(findings: &mut Vec<Finding>) {
    let strong: HashSet<(&str, Place)> = GIVES_WAY
        .iter()
        .flat_map(|(_, strong)| *strong)
        .flat_map(|code| findings.iter().filter(move |finding| finding.code == *code))
        .map(|finding| (finding.code, finding.place))
        .collect();
    if strong.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let to = GIVES_WAY.iter().find(|(code, _)| *code == finding.code);
        !to.is_some_and(|(_, to)| to.iter().any(|code| strong.contains(&(*code, finding.place))))
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
    finish(code, rules::name_of(code).unwrap_or_default(), Severity::Error, draft)
}

/// By file, place and code.
fn order(sources: &[Source], a: &Finding, b: &Finding) -> Ordering {
    let path = |f: &Finding| sources[f.place.source].path.as_str();
    let place = |f: &Finding| (f.place.span, f.code);
    path(a)
        .cmp(path(b))
        .then_with(|| place(a).cmp(&place(b)))
        .then_with(|| a.message.cmp(&b.message))
}

/// Gives each finding its fingerprint: rule, file, key and what stands at the place, with secrets
/// masked; a running number tells apart what is the same in all of these.
fn fingerprints<'f>(sources: &[Source], findings: impl Iterator<Item = &'f mut Finding>) {
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    let mut masked: HashMap<usize, String> = HashMap::new();
    for finding in findings {
        let source = &sources[finding.place.source];
        let text = masked.entry(finding.place.source).or_insert_with(|| source.masked());
        let mut hash = Sha256::new();
        for part in [
            finding.code,
            source.path.as_str(),
            finding.key.as_deref().unwrap_or_default(),
            finding.place.span.slice(text),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let base: [u8; 32] = hash.clone().finalize().into();
        let count = seen.entry(base).or_default();
        if *count > 0 {
            hash.update(count.to_string().as_bytes());
        }
        *count += 1;
        finding.fingerprint = hex::encode(hash.finalize());
    }
}

impl Source {
    /// The text with everything that may be a secret as asterisks, byte for byte as long.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.tree.source();
        let ranges = secret_ranges(text, Some(&self.tree), self.policy);
        if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
    }
}

//! One file, judged by itself: what its text, its keys and the policy's own rules give.
//!
//! Knows of no other file. Its number among the report's sources is that of the first file, until
//! it is known where the file stands.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{ResolvedRule, Role};
use jiff::Timestamp;

use super::Ask;
use crate::corpus::{CorpusFile, KeyDocument};
use crate::custom::Custom;
use crate::finding::Finding;
use crate::patterns::Patterns;
use crate::policy::Policy;
use crate::rules::{Check, Draft, FileContext, KeyContext, RULES, Rule, Sink, UNYIELDING};
use crate::settings::{Settings, Subject};
use crate::suppress::{self, Suppression};

/// What one file gave.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressions: Vec<Suppression>,
    /// Which of the policy's own rules matched a key.
    pub(super) matched: BTreeSet<usize>,
}

impl Part {
    /// Moves a file to its place among the report's sources.
    pub(super) fn moved(mut self, first: usize, by: usize) -> Self {
        for finding in &mut self.findings {
            let related = finding.related.iter_mut().map(|related| &mut related.place);
            for place in related.chain([&mut finding.place]) {
                // Those before are the policy's.
                place.source += if place.source >= first { by } else { 0 };
            }
        }
        for suppression in &mut self.suppressions {
            suppression.source += by;
        }
        self
    }
}

/// A rule with what holds for keys that no override matches, and what the policy says about it.
struct Base<'a> {
    rule: &'static Rule,
    settings: Settings,
    resolved: Option<&'a ResolvedRule>,
}

impl Base<'_> {
    /// What holds for a key, where that differs from what holds for all.
    fn for_key(&self, subject: &Subject<'_>) -> Option<Settings> {
        self.settings.for_key(self.resolved?, subject)
    }
}

/// Judges files, one by one.
pub(crate) struct FileJudge<'a> {
    policy: &'a Policy,
    now: Timestamp,
    comments: bool,
    /// Index of the first file among the report's sources, behind those of the policy.
    first: usize,
    only_tenant: Option<&'a str>,
    catalogue: Vec<&'a Role>,
    patterns: Patterns,
    bases: Vec<Base<'a>>,
}

impl<'a> FileJudge<'a> {
    pub(crate) fn new(policy: &'a Policy, ask: &Ask<'_>) -> Self {
        let base = |rule: &&'static Rule| {
            let resolved = resolved(policy, rule);
            Base { rule, settings: Settings::base(rule, resolved), resolved }
        };
        Self {
            policy,
            now: ask.now,
            comments: ask.comments,
            first: policy.layers.len() + policy.faults.len(),
            only_tenant: policy.only_tenant(),
            catalogue: policy.roles().collect(),
            patterns: Patterns::default(),
            bases: RULES.iter().map(base).collect(),
        }
    }

    pub(crate) fn file(&self, file: &CorpusFile) -> Part {
        let mut part = Part::default();
        if !file.reported || file.is_outside() || !self.policy.is_usable() {
            return part;
        }
        self.text(file, &mut part.findings);
        for document in &file.documents {
            if let Some(definition) = &document.definition {
                self.key(file, definition, &mut part.findings);
                self.custom(file, definition, &mut part);
            }
            if !document.problems.is_empty() {
                self.problems(file, document, &mut part.findings);
            }
        }
        if self.comments {
            part.suppressions = suppress::read(self.first, &file.tree);
        }
        part
    }

    /// The rules that look at a file as a whole.
    fn text(&self, file: &CorpusFile, out: &mut Vec<Finding>) {
        let (path, tree, documents) = (file.path.as_str(), &file.tree, &*file.documents);
        let (tokens, source) = (OnceCell::new(), self.first);
        let cx = FileContext { path, tree, documents, source, policy: false, tokens };
        for Base { rule, settings, .. } in self.bases.iter().filter(|base| base.settings.enabled) {
            let mut sink = Sink { rule, severity: settings.severity, out };
            match rule.check {
                Check::File(check) | Check::Text(check) => check(&cx, settings, &mut sink),
                Check::Problems(takes, fix) => {
                    for problem in file.problems.iter().filter(|problem| takes(problem)) {
                        let key = cx.key_at(problem.span);
                        let draft = Draft::of_problem(source, problem).key(key.as_deref());
                        sink.report(draft.fix(fix(tree, problem, settings)));
                    }
                }
                _ => {}
            }
        }
    }

    /// Mistakes of a document's form.
    fn problems(&self, file: &CorpusFile, document: &KeyDocument, out: &mut Vec<Finding>) {
        let definition = document.definition.as_ref();
        let name = definition.and_then(Definition::name);
        for base in &self.bases {
            let Check::Problems(takes, fix) = base.rule.check else { continue };
            let own = definition.and_then(|d| base.for_key(&self.subject(d)));
            let settings = own.as_ref().unwrap_or(&base.settings);
            let mut sink = Sink { rule: base.rule, severity: settings.severity, out };
            let problems = document.problems.iter().filter(|problem| takes(problem));
            for problem in problems.filter(|_| settings.enabled) {
                let draft = Draft::of_problem(self.first, problem).key(name);
                sink.report(draft.fix(fix(&file.tree, problem, settings)));
            }
        }
    }

    fn subject<'d>(&'d self, definition: &'d Definition) -> Subject<'d> {
        Subject { definition, tenant: definition.tenant().or(self.only_tenant) }
    }

    fn key(&self, file: &CorpusFile, definition: &Definition, out: &mut Vec<Finding>) {
        let subject = self.subject(definition);
        let settings_of = |code: &str| {
            let base = self.bases.iter().find(|base| base.rule.code == code)?;
            Some(base.for_key(&subject).unwrap_or_else(|| base.settings.clone()))
        };
        let cx = KeyContext {
            definition,
            tree: &file.tree,
            source: self.first,
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
        for base in &self.bases {
            let Check::Key(check) = base.rule.check else { continue };
            let own = base.for_key(&subject);
            let settings = own.as_ref().unwrap_or(&base.settings);
            if settings.enabled {
                check(
                    &cx,
                    settings,
                    &mut Sink { rule: base.rule, severity: settings.severity, out },
                );
            }
        }
    }

    /// The rules that the policy wrote itself.
    fn custom(&self, file: &CorpusFile, definition: &Definition, part: &mut Part) {
        let subject = self.subject(definition);
        let fits = |custom: &&Custom| custom.applies(&subject);
        let rules = self.policy.custom.iter().enumerate();
        for (at, custom) in rules.filter(|(_, custom)| fits(custom)) {
            part.matched.insert(at);
            custom.check(self.first, &file.tree, definition, &subject, &mut part.findings);
        }
    }
}

/// What the policy says about a rule, where it has a say.
pub(super) fn resolved<'a>(policy: &'a Policy, rule: &Rule) -> Option<&'a ResolvedRule> {
    policy.merged.rules.get(rule.code).filter(|_| !UNYIELDING.contains(&rule.code))
}

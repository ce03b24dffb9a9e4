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
use crate::custom::{Asked, Budget, Custom};
use crate::finding::Finding;
use crate::patterns::Patterns;
use crate::policy::Policy;
use crate::rules::{Check, Draft, FileContext, KeyContext, Listed, RULES, Rule, Sink};
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
    listed: Listed<'a>,
    patterns: Patterns,
    bases: Vec<Base<'a>>,
    /// What holds for each rule of the policy's own.
    own: Vec<(Settings, Option<&'a ResolvedRule>)>,
}

impl<'a> FileJudge<'a> {
    pub(crate) fn new(policy: &'a Policy, ask: &Ask<'_>) -> Self {
        let base = |rule: &&'static Rule| {
            let resolved = resolved(policy, rule);
            Base { rule, settings: Settings::base(rule, resolved), resolved }
        };
        let own =
            |custom: &Custom| (policy.custom_settings(custom), policy.merged.rules.get(&custom.id));
        Self {
            policy,
            now: ask.now,
            comments: ask.comments,
            first: policy.layers.len() + policy.faults.len(),
            only_tenant: policy.only_tenant(),
            catalogue: policy.roles().collect(),
            listed: Listed::new(policy.roles()),
            patterns: Patterns::default(),
            bases: RULES.iter().map(base).collect(),
            own: policy.custom.iter().map(own).collect(),
        }
    }

    pub(crate) fn file(&self, file: &CorpusFile) -> Part {
        let mut part = Part::default();
        if !file.reported || file.is_outside() || !self.policy.is_usable() {
            return part;
        }
        self.text(file, &mut part.findings);
        let spent = Budget::of_file();
        for document in &file.documents {
            if let Some(definition) = &document.definition {
                self.key(file, definition, &mut part.findings);
                self.custom(file, definition, &spent, &mut part);
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
            // Of bytes that are no text one finding says so, and nothing else is known of them.
            let is_about_text = matches!(rule.check, Check::File(_) | Check::Text(_));
            if is_about_text && !file.decoded && !rule.is_about_secrets() {
                continue;
            }
            let mut sink = Sink { rule, severity: settings.severity, out };
            match rule.check {
                Check::File(check) | Check::Text(check) => check(&cx, settings, &mut sink),
                Check::Problems(takes, fix) => {
                    for problem in file.problems.iter().filter(|problem| takes(problem)) {
                        let draft = Draft::of_problem(source, problem).key(cx.key_at(problem.span));
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
            let own = definition.and_then(|d| base.for_key(&self.subject(file, d)));
            let settings = own.as_ref().unwrap_or(&base.settings);
            let problems = document.problems.iter().filter(|problem| takes(problem));
            for problem in problems {
                // What leaves something unchecked is as grave as the rule has it, whatever a policy says.
                let unchecked = problem.leaves_unchecked();
                let least = if unchecked { base.rule.severity } else { settings.severity };
                let severity = settings.severity.max(least);
                if settings.enabled || unchecked {
                    let draft = Draft::of_problem(self.first, problem).key(name);
                    let draft = draft.fix(fix(&file.tree, problem, settings));
                    Sink { rule: base.rule, severity, out }.report(draft);
                }
            }
        }
    }

    fn subject<'d>(&'d self, file: &'d CorpusFile, definition: &'d Definition) -> Subject<'d> {
        let tenant = definition.tenant().or(self.only_tenant);
        Subject { definition, tenant, path: Some(file.own_path()), policy: self.policy }
    }

    fn key(&self, file: &CorpusFile, definition: &Definition, out: &mut Vec<Finding>) {
        let subject = self.subject(file, definition);
        let settings_of = |code: &str| {
            let base = self.bases.iter().find(|base| base.rule.code == code)?;
            Some(base.for_key(&subject).unwrap_or_else(|| base.settings.clone()))
        };
        let cx = KeyContext {
            definition,
            tree: &file.tree,
            source: self.first,
            path: &file.path,
            own_path: file.own_path(),
            alone: file.documents.len() == 1,
            patterns: &self.patterns,
            policy: self.policy,
            catalogue: &self.catalogue,
            listed: &self.listed,
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
    fn custom(&self, file: &CorpusFile, definition: &Definition, spent: &Budget, part: &mut Part) {
        let subject = self.subject(file, definition);
        let fits = |custom: &&Custom| custom.applies(&subject);
        let rules = self.policy.custom.iter().zip(&self.own).enumerate();
        for (at, (custom, (base, resolved))) in rules.filter(|(_, (custom, _))| fits(custom)) {
            part.matched.insert(at);
            let own = resolved.and_then(|resolved| base.for_key(resolved, &subject));
            let settings = own.as_ref().unwrap_or(base);
            if settings.enabled {
                let key =
                    Asked { source: self.first, tree: &file.tree, definition, subject, spent };
                custom.check(&key, settings.severity, &mut part.findings);
            }
        }
    }
}

/// What the policy says about a rule, where it has a say.
pub(super) fn resolved<'a>(policy: &'a Policy, rule: &Rule) -> Option<&'a ResolvedRule> {
    policy.merged.rules.get(rule.code)
}

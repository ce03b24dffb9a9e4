//! Checks one file by itself: its text, its keys, and the rules that the policy defines.

use core::cmp::Reverse;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{CatalogRole, Severity};
use cortexkey_manifest::{Problem, Span};
use jiff::Timestamp;

use super::owners::Owners;
use super::run::{LintOptions, subject};
use super::suppressions::{self, Suppression};
use crate::model::{
    CorpusFile, Family, Finding, FindingBuilder, KeyDocument, Location, SourceId, in_json,
};
use crate::policy::custom::{Budget, OwnerKeys};
use crate::policy::{Custom, EffectiveSettings, Policy, Settings, Subject};
use crate::rule::{
    CustomContext, FileContext, FindingSink, KeyContext, RoleIndex, Rule, RuleCheck, check_custom,
};
use crate::rules::RULES;
use crate::rules::yaml::y001_syntax;

/// The most findings of one file that are kept. A file's size limits how many a rule can find; this
/// limits how much a run over many files holds.
const FINDINGS_MAX: usize = 50_000;

/// The result of checking one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileResult {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressions: Vec<Suppression>,
    /// Which of the policy's custom rules matched a key.
    pub(super) matched: BTreeSet<usize>,
}

/// Checks files, one by one.
pub(crate) struct FileLinter<'a> {
    policy: &'a Policy,
    now: Timestamp,
    comments: bool,
    only_tenant: Option<&'a str>,
    catalog: Vec<&'a CatalogRole>,
    listed: RoleIndex<'a>,
    rules: Vec<(&'static Rule, &'a EffectiveSettings)>,
    /// The settings of each rule that the policy defines.
    custom: Vec<&'a EffectiveSettings>,
}

impl<'a> FileLinter<'a> {
    pub(crate) fn new(policy: &'a Policy, options: &LintOptions<'_>) -> Self {
        let settings = |rule: &&'static Rule| (*rule, policy.rule_settings(&rule.id()));
        let custom = |custom: &Custom| policy.rule_settings(custom.id());
        Self {
            policy,
            now: options.now,
            comments: options.comments,
            only_tenant: policy.only_tenant(),
            catalog: policy.roles().collect(),
            listed: RoleIndex::new(policy.roles()),
            rules: RULES.iter().map(settings).collect(),
            custom: policy.custom.iter().map(custom).collect(),
        }
    }

    pub(crate) fn check(&self, file: &CorpusFile) -> FileResult {
        let mut result = FileResult::default();
        if !file.reported || file.is_outside() || !self.policy.is_usable() {
            return result;
        }
        self.text(file, &mut result.findings);
        let budget = Budget::of_file();
        for document in &file.documents {
            if let Some(definition) = &document.definition {
                self.key(file, definition, &mut result.findings);
                self.custom(&self.custom_context(file, definition, &budget, None), &mut result);
            }
            if !document.problems.is_empty() {
                self.problems(file, document, &mut result.findings);
            }
        }
        if self.comments {
            result.suppressions = suppressions::read(SourceId::File(file.id), &file.tree);
        }
        for finding in &mut result.findings {
            finding.fix = finding.fix.take().and_then(|fix| in_json(&file.tree, fix));
        }
        limit(&mut result.findings, SourceId::File(file.id));
        result
    }

    /// The settings of a rule for a key.
    pub(super) fn settings(
        &self,
        rule: &Rule,
        file: &CorpusFile,
        definition: &Definition,
    ) -> Settings {
        let settings = self.policy.rule_settings(&rule.id());
        let own = settings.for_key(&self.subject(file, definition));
        own.unwrap_or_else(|| settings.base().clone())
    }

    /// Checks the rules that look at a file as a whole.
    fn text(&self, file: &CorpusFile, out: &mut Vec<Finding>) {
        let cx = FileContext {
            tree: &file.tree,
            documents: &file.documents,
            source: SourceId::File(file.id),
            path: file.path_in_policy(),
            tokens: OnceCell::new(),
        };
        for (rule, settings) in &self.rules {
            let settings = settings.base();
            if !settings.enabled {
                continue;
            }
            // If the bytes are not text, one finding says so; other rules cannot check them.
            let is_about_text = matches!(rule.check, RuleCheck::File(_) | RuleCheck::Text(_));
            if is_about_text && !file.decoded && rule.id().family() != Some(Family::Secret) {
                continue;
            }
            let mut sink = FindingSink { rule, settings, out };
            match rule.check {
                RuleCheck::File(check) | RuleCheck::Text(check) => check(&cx, &mut sink),
                RuleCheck::Problems(reports, fix) => {
                    for problem in file.problems.iter().filter(|problem| reports(problem)) {
                        let finding = FindingBuilder::of_problem(cx.source, problem)
                            .key(cx.key_at(problem.span))
                            .fix(fix(cx.tree, problem, settings));
                        finding.report(&mut sink);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reports mistakes of a document's form.
    fn problems(&self, file: &CorpusFile, document: &KeyDocument, out: &mut Vec<Finding>) {
        let definition = document.definition.as_ref();
        let name = definition.and_then(Definition::name);
        for (rule, of_rule) in &self.rules {
            let RuleCheck::Problems(reports, fix) = rule.check else { continue };
            let own = definition.and_then(|d| of_rule.for_key(&self.subject(file, d)));
            let settings = own.as_ref().unwrap_or(of_rule.base());
            let mut report = |problem: &Problem| {
                // No policy can lower the severity of a finding that leaves something unchecked.
                let unchecked = problem.leaves_unchecked();
                let least = if unchecked { rule.severity } else { settings.severity };
                if settings.enabled || unchecked {
                    let finding = FindingBuilder::of_problem(SourceId::File(file.id), problem)
                        .key(name)
                        .fix(fix(&file.tree, problem, settings));
                    out.push(finding.finish(rule.id(), settings.severity.max(least)));
                }
            };
            document.problems.iter().filter(|problem| reports(problem)).for_each(&mut report);
        }
    }

    fn subject<'d>(&'d self, file: &'d CorpusFile, definition: &'d Definition) -> Subject<'d> {
        subject(self.policy, self.only_tenant, file, definition)
    }

    fn key(&self, file: &CorpusFile, definition: &Definition, out: &mut Vec<Finding>) {
        let subject = self.subject(file, definition);
        let settings_of = |rule: &'static Rule| self.settings(rule, file, definition);
        let cx = KeyContext {
            definition,
            tree: &file.tree,
            source: SourceId::File(file.id),
            path: &file.path,
            alone: file.documents.len() == 1,
            policy: self.policy,
            catalog: &self.catalog,
            listed: &self.listed,
            tenant: subject.tenant,
            now: self.now,
            held: OnceCell::new(),
            settings_of: &settings_of,
        };
        for (rule, of_rule) in &self.rules {
            let RuleCheck::Key(check) = rule.check else { continue };
            let own = of_rule.for_key(&subject);
            let settings = own.as_ref().unwrap_or(of_rule.base());
            if settings.enabled {
                check(&cx, &mut FindingSink { rule, settings, out });
            }
        }
    }

    /// Checks the rules of the policy that look at other keys of the owner.
    pub(super) fn check_with_owners(&self, file: &CorpusFile, owners: &Owners) -> FileResult {
        let mut result = FileResult::default();
        let budget = Budget::of_file();
        for definition in file.documents.iter().filter_map(|document| document.definition.as_ref())
        {
            let keys = owners.keys(definition, self.only_tenant);
            let cx = self.custom_context(file, definition, &budget, Some(&keys));
            self.custom(&cx, &mut result);
        }
        result
    }

    pub(super) fn custom_context<'d>(
        &'d self,
        file: &'d CorpusFile,
        definition: &'d Definition,
        budget: &'d Budget,
        owner_keys: Option<&'d OwnerKeys>,
    ) -> CustomContext<'d> {
        CustomContext {
            policy: self.policy,
            source: SourceId::File(file.id),
            tree: &file.tree,
            subject: self.subject(file, definition),
            budget,
            now: self.now,
            listed: &self.listed,
            owner_keys,
        }
    }

    /// Checks the rules that the policy defines: with the keys of an owner, the rules that look at
    /// them; without, all other rules.
    fn custom(&self, cx: &CustomContext<'_>, result: &mut FileResult) {
        let subject = &cx.subject;
        for (at, (custom, of_rule)) in self.policy.custom.iter().zip(&self.custom).enumerate() {
            if custom.sees_other_keys() != cx.owner_keys.is_some() || !custom.applies(subject) {
                continue;
            }
            result.matched.insert(at);
            let own = of_rule.for_key(subject);
            let settings = own.as_ref().unwrap_or(of_rule.base());
            if settings.enabled {
                check_custom(custom, cx, settings.severity, &mut result.findings);
            }
        }
    }
}

/// Drops the least severe of too many findings, and reports this: a finding that is not listed
/// cannot be suppressed, fixed or put into a baseline either.
fn limit(findings: &mut Vec<Finding>, source: SourceId) {
    let all = findings.len();
    if all <= FINDINGS_MAX {
        return;
    }
    findings.sort_by_key(|finding| Reverse((finding.unchecked, finding.severity)));
    findings.truncate(FINDINGS_MAX);
    let location = Location { source, span: Span::default() };
    let message =
        format!("{all} findings in this file; only the {FINDINGS_MAX} most severe are listed");
    let finding = FindingBuilder::new(location, message)
        .help("fix the cause of the most frequent ones, or split the file")
        .unchecked();
    findings.push(finding.finish(y001_syntax::RULE.id(), Severity::Error));
}

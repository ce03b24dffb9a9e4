//! What a run has checked completely. Only there does the absence of a finding mean that there is
//! none: what was not checked is never a reason to call something unused, or to delete it.

use std::collections::BTreeSet;

use cortexkey_manifest::definition::Definition;

use super::run::{Run, subject};
use crate::model::{Corpus, CorpusFile, Coverage, Finding, RuleId, SourceId, Sources};
use crate::policy::Policy;
use crate::rule::RuleCheck;
use crate::rules::RULES;
use crate::rules::corpus::c006_widened;

/// What a run has checked completely.
pub(super) struct Seen<'a> {
    run: Run<'a>,
    /// The files with findings that say that something could not be checked.
    unchecked: BTreeSet<SourceId>,
    /// Whether every definition of the repository was read.
    is_complete: bool,
}

impl<'a> Seen<'a> {
    /// `findings` are all findings of the run, before any are suppressed.
    pub(super) fn new(run: Run<'a>, findings: &[Finding]) -> Self {
        let unchecked = findings.iter().filter(|finding| finding.unchecked);
        Self {
            run,
            unchecked: unchecked.map(|finding| finding.location.source).collect(),
            is_complete: run.corpus.is_complete(),
        }
    }

    /// Whether every definition of the repository was read.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether a file was read and checked completely.
    pub(super) fn has_checked(&self, file: &CorpusFile) -> bool {
        file.is_complete() && !self.unchecked.contains(&SourceId::File(file.id))
    }

    /// Whether everything that a rule looks at was available.
    pub(super) fn has_input(&self, rule: &RuleId) -> bool {
        has_input(self.run.corpus, self.run.policy, rule, self.is_complete)
    }

    /// Whether a rule is on for a key of a file that is reported on.
    pub(super) fn is_on(
        &self,
        rule: &RuleId,
        file: &'a CorpusFile,
        definition: &'a Definition,
    ) -> bool {
        let policy = self.run.policy;
        let of_rule = policy.rule_settings(rule);
        let own = of_rule.for_key(&subject(policy, policy.only_tenant(), file, definition));
        file.reported && own.as_ref().unwrap_or(of_rule.base()).enabled
    }

    /// Which files and rules this run covers, for a baseline.
    pub(super) fn coverage(&self, sources: &Sources) -> Coverage {
        let Run { corpus, policy, .. } = self.run;
        let files = corpus.files.iter().filter(|file| file.reported && self.has_checked(file));
        let files: BTreeSet<SourceId> = files.map(|file| SourceId::File(file.id)).collect();
        let is_checked = |id| match id {
            SourceId::File(_) => files.contains(&id),
            _ => !self.unchecked.contains(&id),
        };
        let checked = sources.iter().filter(|source| is_checked(source.id));
        let custom = policy.custom.iter().map(|custom| custom.id().clone());
        let rules = RULES.iter().map(|rule| rule.id()).chain(custom);
        Coverage {
            is_complete: self.is_complete,
            checked: checked.map(|source| source.policy_path.clone()).collect(),
            without_input: rules
                .filter(|rule| !self.has_input(rule))
                .map(|rule| rule.code().to_owned())
                .collect(),
        }
    }
}

/// Whether everything that a rule looks at was available: all keys, or the revision of `--since`.
fn has_input(corpus: &Corpus, policy: &Policy, rule: &RuleId, is_complete: bool) -> bool {
    let is_across = match RULES.iter().find(|known| known.id() == *rule) {
        Some(known) => matches!(known.check, RuleCheck::Corpus(_)),
        None => policy.custom.iter().any(|custom| custom.id() == rule && custom.sees_other_keys()),
    };
    let needs_revision = *rule == c006_widened::RULE.id();
    (is_complete || !is_across) && (corpus.before.is_some() || !needs_revision)
}

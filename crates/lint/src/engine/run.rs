//! What the parts of the engine share: the corpus, the policy and the time of a run.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::definition::Definition;
use jiff::Timestamp;

use super::baseline::Baseline;
use crate::model::{Corpus, CorpusFile, Finding, FindingBuilder, SourceId, document_at};
use crate::policy::{Policy, Selection, Subject, names_key};
use crate::rule::Rule;

/// How a corpus is checked.
#[derive(Clone, Copy, Debug)]
pub struct LintOptions<'a> {
    /// The time.
    pub now: Timestamp,
    /// Whether comments in files can suppress findings.
    pub comments: bool,
    /// Known findings, which do not count.
    pub baseline: Option<&'a Baseline>,
    /// The rules that are shown; all if there is none.
    pub selection: Option<&'a Selection>,
    /// The number of threads; one per processor by default.
    pub jobs: Option<usize>,
}

impl LintOptions<'_> {
    /// Checks at a moment, with comments and without a baseline.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { now, comments: true, baseline: None, selection: None, jobs: None }
    }
}

/// A run over a corpus.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
}

impl<'a> Run<'a> {
    /// Adds a finding of a rule, unless the policy turns the rule off.
    pub(super) fn report(
        &self,
        rule: &'static Rule,
        finding: FindingBuilder,
        out: &mut Vec<Finding>,
    ) {
        let settings = self.policy.settings(rule);
        if settings.enabled {
            out.push(finding.finish(rule.id(), settings.severity));
        }
    }

    /// Names that waivers give without a tenant and that keys of several tenants share.
    pub(super) fn ambiguous_names(&self) -> BTreeSet<&'a str> {
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

    /// The definitions of the key that a waiver names, each with its file.
    pub(super) fn definitions_of(&self, key: &str) -> Vec<(&'a CorpusFile, &'a Definition)> {
        let files = self.corpus.files.iter();
        let all = files.flat_map(|file| {
            let documents = file.documents.iter();
            documents.filter_map(move |document| Some((file, document.definition.as_ref()?)))
        });
        let is_it = |(_, definition): &(_, &'a Definition)| {
            let tenant = self.tenant(definition);
            definition.name().is_some_and(|name| names_key(key, tenant, name))
        };
        all.filter(is_it).collect()
    }

    /// A key's own tenant, or the policy's only one.
    fn tenant(&self, definition: &'a Definition) -> Option<&'a str> {
        definition.tenant().or_else(|| self.policy.only_tenant())
    }
}

/// The facts about a key that the policy's `match` compares.
pub(super) fn subject<'d>(
    policy: &'d Policy,
    only_tenant: Option<&'d str>,
    file: &'d CorpusFile,
    definition: &'d Definition,
) -> Subject<'d> {
    let tenant = definition.tenant().or(only_tenant);
    let path = file.path_in_policy();
    let Policy { match_paths, role_ids, .. } = policy;
    Subject { definition, tenant, path, match_paths, role_ids }
}

/// The files of a corpus by their ids.
pub(super) struct FilesById<'a> {
    run: Run<'a>,
    at: std::collections::HashMap<SourceId, usize>,
}

impl<'a> FilesById<'a> {
    pub(super) fn new(run: Run<'a>) -> Self {
        let files = run.corpus.files.iter().enumerate();
        Self { run, at: files.map(|(at, file)| (SourceId::File(file.id), at)).collect() }
    }

    /// True when a finding is about the key that a waiver names.
    pub(super) fn is_about(&self, finding: &Finding, key: &str) -> bool {
        let at = self.at.get(&finding.location.source);
        let Some(file) = at.and_then(|at| self.run.corpus.files.get(*at)) else { return false };
        let document = document_at(&file.documents, finding.location.span);
        document.and_then(|document| document.definition.as_ref()).is_some_and(|definition| {
            let tenant = self.run.tenant(definition);
            definition.name().is_some_and(|name| names_key(key, tenant, name))
        })
    }
}

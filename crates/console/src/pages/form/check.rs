//! [`Check`]: the definition of a form's key, and the policy's findings, field by field.

use std::collections::BTreeSet;

use cortexkey_client::Import;
use cortexkey_lint::{Corpus, CorpusFile, Timestamp, lint};
use cortexkey_manifest::yaml::YamlLimits;

use super::fields::{FormFault, FormField};
use super::values::KeyForm;
use crate::app::App;
use crate::snapshot::{GroupList, Snapshot};
use cortexkey_fleet::KeyFinding;

/// The name of the file with the findings.
const FILE: &str = "new-key.yaml";

/// A definition, and the policy's findings.
pub(in crate::pages) struct Check {
    pub(in crate::pages) yaml: String,
    found: Vec<(FormField, KeyFinding)>,
    /// The fields where a locked rule is violated.
    locked: Vec<FormField>,
    /// Whether a locked rule is violated, or the policy cannot be read.
    pub(in crate::pages) is_locked: bool,
    /// The field that gets the focus when the page opens.
    focus: Option<FormField>,
}

impl Check {
    pub(in crate::pages) fn new(
        app: &App,
        snapshot: &Snapshot,
        form: &KeyForm,
        groups: &GroupList,
    ) -> Self {
        let now_ms = app.now_ms();
        let yaml = definition(app, snapshot, form, groups, now_ms);
        let mut check =
            Self { yaml, found: Vec::new(), locked: Vec::new(), is_locked: false, focus: None };
        // It is unknown what an unreadable policy forbids.
        let policy = snapshot.definitions.policy().filter(|policy| policy.is_valid());
        let Some(policy) = policy else {
            check.is_locked = true;
            return check;
        };
        let now = i64::try_from(now_ms).ok();
        let now = now.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let file = CorpusFile::new(FILE, check.yaml.clone().into_bytes(), &YamlLimits::default());
        let report = lint(&Corpus { files: vec![file], ..Corpus::default() }, policy, now);
        for finding in &report.findings {
            let source = report.sources.get(finding.location.source);
            if source.is_none_or(|source| source.path != FILE) {
                continue;
            }
            let found = KeyFinding::new(&report, finding);
            let line = check.yaml.lines().nth(found.line.saturating_sub(1)).unwrap_or_default();
            let field = FormField::for_line(line, &found.code);
            if policy.is_locked(&finding.rule) {
                check.is_locked = true;
                check.locked.push(field);
            }
            check.found.push((field, found));
        }
        check
    }

    /// Gives the focus to the first field with a fault, otherwise with a locked rule's finding.
    #[must_use]
    pub(in crate::pages) fn focused_on(mut self, faults: &[FormFault]) -> Self {
        let locked = self.locked.iter().copied().filter(|at| *at != FormField::Other).min();
        self.focus = faults.first().map(|fault| fault.at).or(locked);
        self
    }

    /// The field that gets the focus when the page opens; its tab is the open one.
    pub(in crate::pages) fn focus(&self) -> Option<FormField> {
        self.focus
    }

    /// Whether a locked rule is violated at a field, or it is unknown whether one is.
    pub(in crate::pages) fn is_locked_at(&self, field: FormField) -> bool {
        self.is_locked && (self.locked.is_empty() || self.locked.contains(&field))
    }

    /// The findings at a field.
    pub(in crate::pages) fn at(&self, at: FormField) -> impl Iterator<Item = &KeyFinding> {
        self.found.iter().filter(move |(place, _)| *place == at).map(|(_, found)| found)
    }

    /// All findings.
    pub(in crate::pages) fn all(&self) -> impl Iterator<Item = &KeyFinding> {
        self.found.iter().map(|(_, found)| found)
    }
}

fn definition(
    app: &App,
    snapshot: &Snapshot,
    form: &KeyForm,
    groups: &GroupList,
    now_ms: u64,
) -> String {
    let policy = snapshot.definitions.policy();
    let has_several = policy.is_some_and(|policy| policy.tenants().count() > 1);
    let tenant = app.options.tenant.as_deref().filter(|_| has_several);
    let import = Import { pattern: None, tenant, taken: BTreeSet::new() };
    let name = if form.name.is_empty() { "new-key" } else { form.name.as_str() };
    let scope = form.scope_read(groups.as_deref().unwrap_or_default());
    let unreferenced = form.lets_unreferenced_in();
    import.definition(name, &form.owner, &form.record(now_ms), scope.as_ref(), unreferenced)
}

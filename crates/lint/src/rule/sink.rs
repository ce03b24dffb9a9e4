//! Collects the findings of a rule.

use cortexkey_manifest::policy::Severity;

use super::Rule;
use crate::model::{Finding, FindingBuilder};
use crate::policy::Settings;

/// Collects the findings of one rule, and provides its settings.
pub(crate) struct FindingSink<'a> {
    pub(crate) rule: &'static Rule,
    /// The settings in force, for the key or for all keys.
    pub(crate) settings: &'a Settings,
    pub(crate) out: &'a mut Vec<Finding>,
}

impl FindingSink<'_> {
    /// Adds a finding whose severity differs from key to key.
    pub(crate) fn report_at(&mut self, severity: Severity, finding: FindingBuilder) {
        self.out.push(finding.finish(self.rule.id(), severity));
    }
}

impl FindingBuilder {
    /// Reports the finding, with the severity in force.
    pub(crate) fn report(self, sink: &mut FindingSink<'_>) {
        sink.report_at(sink.settings.severity, self);
    }
}

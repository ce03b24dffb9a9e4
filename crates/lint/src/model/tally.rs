//! [`Tallies`]: the number of findings of each rule.

use std::collections::BTreeMap;

use cortexkey_manifest::policy::Severity;

use super::finding::Finding;
use super::rule_id::RuleId;

/// The findings of one rule, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The rule.
    pub rule: RuleId,
    /// The highest severity among them.
    pub severity: Severity,
    /// How many there are.
    pub count: usize,
    /// How many of them `--fix` fixes.
    pub safe_fixes: usize,
    /// How many more of them `--unsafe-fixes` fixes.
    pub unsafe_fixes: usize,
}

/// The counts of every rule with findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies(BTreeMap<RuleId, Tally>);

impl Tallies {
    pub(crate) fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut tallies = Self::default();
        for finding in findings {
            let is =
                |safe: bool| usize::from(finding.fix.as_ref().is_some_and(|fix| fix.safe == safe));
            tallies.add(&Tally {
                rule: finding.rule.clone(),
                severity: finding.severity,
                count: 1,
                safe_fixes: is(true),
                unsafe_fixes: is(false),
            });
        }
        tallies
    }

    fn add(&mut self, other: &Tally) {
        let own = self.0.entry(other.rule.clone()).or_insert_with(|| Tally {
            count: 0,
            safe_fixes: 0,
            unsafe_fixes: 0,
            ..other.clone()
        });
        own.severity = own.severity.max(other.severity);
        own.count += other.count;
        own.safe_fixes += other.safe_fixes;
        own.unsafe_fixes += other.unsafe_fixes;
    }

    /// Adds the counts of another report.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.values().for_each(|tally| self.add(tally));
    }

    /// Removes findings that are counted in another report too.
    pub(crate) fn remove(&mut self, other: &Self) {
        for tally in other.0.values() {
            if let Some(own) = self.0.get_mut(&tally.rule) {
                own.count = own.count.saturating_sub(tally.count);
                own.safe_fixes = own.safe_fixes.saturating_sub(tally.safe_fixes);
                own.unsafe_fixes = own.unsafe_fixes.saturating_sub(tally.unsafe_fixes);
            }
        }
        self.0.retain(|_, tally| tally.count > 0);
    }

    /// The most frequent first; equally frequent ones by code.
    #[must_use]
    pub fn by_count(&self) -> Vec<&Tally> {
        let mut all: Vec<&Tally> = self.0.values().collect();
        all.sort_by_key(|tally| core::cmp::Reverse(tally.count));
        all
    }

    /// How many findings there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().map(|tally| tally.count).sum()
    }
}

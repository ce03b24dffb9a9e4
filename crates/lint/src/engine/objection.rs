//! Decides whether edits are kept, by comparing the findings before and after them.

use std::collections::BTreeMap;

use super::fix_plan::FixPlan;
use crate::model::{Finding, Report, RuleId};
use crate::rules::policy::p005_suppression_unused;

/// Why edits must be undone; `None` if they are kept. A file must lose no comment, except those
/// that the findings are about. It must gain no finding, unless a part of it can be checked now
/// that could not be checked before. Other files must gain no finding as severe as the fixed ones.
pub(super) fn objection(plan: &FixPlan, before: &Report, after: &Report) -> Option<String> {
    // A finding with locations in several files is not about this file alone.
    let joins = |finding: &Finding, report: &Report| {
        finding.related.iter().any(|second| {
            let source = second.location.source;
            source != plan.source && !report.sources[source].is_of_policy()
        })
    };
    let own_of = |report: &Report, finding: &Finding| {
        finding.location.source == plan.source && !joins(finding, report)
    };
    let old = Counts::of(before, |finding| own_of(before, finding));
    let new = Counts::of(after, |finding| own_of(after, finding));
    let comments = after.sources[plan.source].tree.comments().len();
    let gone = plan.comments.saturating_sub(comments);
    let unused = |counts: &Counts<'_>| {
        counts.by_rule.get(&p005_suppression_unused::RULE.id()).copied().unwrap_or(0)
    };
    if gone > unused(&old).saturating_sub(unused(&new)) {
        return Some("it would remove a comment".to_owned());
    }
    if new.unchecked > old.unchecked {
        return Some("less of the file could be checked".to_owned());
    }
    if new.unchecked == old.unchecked {
        if let Some(rule) = new.first_excess(&old) {
            return Some(format!("it would cause {rule}"));
        }
        if new.all >= old.all {
            return Some("it would fix nothing".to_owned());
        }
        let others = |report| {
            Counts::of(report, |finding| {
                !own_of(report, finding) && finding.severity >= plan.severity
            })
        };
        if let Some(rule) = others(after).first_excess(&others(before)) {
            return Some(format!("it would cause {rule} in another file"));
        }
    }
    None
}

/// How many findings there are.
#[derive(Default)]
struct Counts<'a> {
    by_rule: BTreeMap<&'a RuleId, usize>,
    all: usize,
    /// The findings that say that something could not be checked.
    unchecked: usize,
}

impl<'a> Counts<'a> {
    fn of(report: &'a Report, counts: impl Fn(&Finding) -> bool) -> Self {
        let mut out = Self::default();
        for finding in report.findings.iter().filter(|finding| counts(finding)) {
            *out.by_rule.entry(&finding.rule).or_default() += 1;
            out.all += 1;
            out.unchecked += usize::from(finding.unchecked);
        }
        out
    }

    /// The first rule that has more findings in one list than in the other.
    fn first_excess(&self, other: &Self) -> Option<&'a RuleId> {
        let more = self
            .by_rule
            .iter()
            .find(|(rule, count)| *count > other.by_rule.get(*rule).unwrap_or(&0));
        more.map(|(rule, _)| *rule)
    }
}

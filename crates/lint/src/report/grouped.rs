//! The findings of each rule together, the most frequent rule first: for a first run over many keys.

use std::collections::HashMap;

use cortexkey_system::counted;

use super::{Report, at, statistics, summary_line};
use crate::model::Finding;

/// The most findings that are listed for a rule.
const PER_RULE_MAX: usize = 3;

pub(super) fn render(report: &Report) -> String {
    let mut by_rule: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in &report.findings {
        by_rule.entry(finding.rule.code()).or_default().push(finding);
    }
    let mut out = String::new();
    for tally in report.tallies.by_count() {
        let findings = by_rule.remove(tally.rule.code()).unwrap_or_default();
        out += &format!("{}: {}\n", tally.rule, counted(tally.count, tally.severity.as_str()));
        for finding in findings.iter().take(PER_RULE_MAX) {
            out += &format!("  {}: {}\n", at(report, finding.location), finding.message);
        }
        let more = tally.count - findings.len().min(PER_RULE_MAX);
        if more > 0 {
            out += &format!("  and {more} more: cortexkey lint --select {}\n", tally.rule.code());
        }
        out.push('\n');
    }
    if !report.findings.is_empty() {
        out += &format!("{}\n", statistics::kinds(report));
    }
    out + &summary_line(report) + "\n"
}

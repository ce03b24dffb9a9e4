//! The number of findings of each rule, as a table or as JSON.

use serde_json::{Value, json};

use cortexkey_system::counted;

use super::summary_line;
use crate::model::{Report, Tally};

impl Report {
    /// The counts of each rule, the most frequent first, for people.
    #[must_use]
    pub fn statistics(&self) -> String {
        let tallies = self.tallies.by_count();
        let width = tallies.first().map_or(1, |tally| tally.count.to_string().len());
        let mut out: String = tallies.iter().map(|tally| line(tally, width)).collect();
        out += &summary_line(self);
        out.push('\n');
        out
    }

    /// The statistics as JSON, version 1.
    #[must_use]
    pub fn statistics_json(&self) -> String {
        let rules: Vec<Value> = self.tallies.by_count().into_iter().map(rule).collect();
        let json = json!({ "version": 1, "total": self.tallies.total(), "rules": rules });
        super::in_json(format!("{json:#}\n"))
    }
}

/// One rule's counts in a line.
pub(super) fn line(tally: &Tally, width: usize) -> String {
    let fixes = match (tally.safe_fixes, tally.unsafe_fixes) {
        (0, 0) => String::new(),
        (safe, 0) => format!(", {safe} fixable"),
        (0, unsafe_fixes) => format!(", {unsafe_fixes} fixable with --unsafe-fixes"),
        (safe, more) => format!(", {safe} fixable and {more} more with --unsafe-fixes"),
    };
    let count = tally.count;
    let severity = tally.severity.as_str();
    let rule = &tally.rule;
    format!("{count:>width$}  {rule} ({severity}{fixes})\n")
}

/// How many findings of how many rules there are.
pub(super) fn kinds(report: &Report) -> String {
    let kinds = report.tallies.by_count().len();
    format!("{} from {}", counted(report.tallies.total(), "finding"), counted(kinds, "rule"))
}

fn rule(tally: &Tally) -> Value {
    json!({
        "code": tally.rule.code(), "name": tally.rule.name(), "severity": tally.severity.as_str(),
        "count": tally.count, "safeFixes": tally.safe_fixes, "unsafeFixes": tally.unsafe_fixes,
    })
}

//! GitLab's code quality report: an array of findings, identified by their fingerprints.

use serde_json::{Value, json};

use super::{Report, Severity};
use crate::model::Family;

pub(super) fn render(report: &Report) -> String {
    let findings = report.findings.iter().map(|finding| {
        let source = &report.sources[finding.location.source];
        let (start, end) = source.positions(finding.location.span);
        let severity = match (finding.rule.family(), finding.severity) {
            (Some(Family::Secret), Severity::Error) => "blocker",
            (_, Severity::Error) => "critical",
            (_, Severity::Warning) => "minor",
            (_, Severity::Info) => "info",
        };
        json!({
            "description": finding.message,
            "check_name": finding.rule.to_string(),
            "fingerprint": finding.fingerprint,
            "severity": severity,
            "location": {
                "path": source.in_review(),
                "lines": { "begin": start.line, "end": end.line },
            },
        })
    });
    let findings: Vec<Value> = findings.collect();
    let mut out = serde_json::to_string_pretty(&findings).unwrap_or_default();
    out.push('\n');
    out
}

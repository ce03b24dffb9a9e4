//! One line a finding: place, severity, code, name, message. For grep and for editors.

use core::fmt::Write as _;

use super::Report;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        // Writing to a text cannot fail.
        let _ = writeln!(
            out,
            "{}: {}[{} {}]: {}",
            report.at(finding.place),
            finding.severity.as_str(),
            finding.code,
            finding.name,
            finding.message,
        );
    }
    out.push_str(&report.summary_line());
    out.push('\n');
    out
}

//! One line per finding: location, severity, code, name, message. For grep and editors.

use core::fmt::Write as _;

use super::{Report, at, summary_line};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{}: {}[{}]: {}",
            at(report, finding.location),
            finding.severity.as_str(),
            finding.rule,
            finding.message,
        );
    }
    out.push_str(&summary_line(report));
    out.push('\n');
    out
}

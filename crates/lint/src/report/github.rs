//! Commands of GitHub Actions, which GitHub shows beside the changed lines.
//!
//! GitHub shows ten of each kind per step; the summary line comes last, as plain text.

use core::fmt::Write as _;

use super::{Report, Severity, summary_line};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let source = &report.sources[finding.location.source];
        let (start, end) = source.positions(finding.location.span);
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let text = match &finding.help {
            Some(help) => format!("{}\nhelp: {help}", finding.message),
            None => finding.message.clone(),
        };
        // GitHub uses columns only where a finding is on one line.
        let columns = if start.line == end.line {
            format!(",col={},endColumn={}", start.column, end.column)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "::{kind} file={},line={},endLine={}{columns},title={}::{}",
            property(source.in_review()),
            start.line,
            end.line,
            property(&finding.rule.to_string()),
            data(&text),
        );
    }
    out.push_str(&summary_line(report));
    out.push('\n');
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

//! Commands of GitHub Actions, which it shows beside the lines of a change.
//!
//! GitHub shows ten of each kind for a step; the summary line comes last, in plain words.

use core::fmt::Write as _;

use super::{Report, Severity};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let source = &report.sources[finding.place.source];
        let (start, end) = source.positions(finding.place.span);
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let text = match &finding.help {
            Some(help) => format!("{}\nhelp: {help}", finding.message),
            None => finding.message.clone(),
        };
        // Columns are heeded only where begin and end are on one line.
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
            property(&format!("{} {}", finding.code, finding.name)),
            data(&text),
        );
    }
    out.push_str(&report.summary_line());
    out.push('\n');
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

//! `JUnit` XML, for CI systems that show tests: a suite for each file, a case for each finding.
//!
//! A file without findings is one case that passed, so that a run over clean files is no empty one.

use core::fmt::Write as _;

use super::{Report, Severity};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (mut suites, mut tests, mut failures) = (String::new(), 0, 0);
    for source in &report.sources {
        let findings: Vec<_> =
            report.findings.iter().filter(|finding| finding.location.source == source.id).collect();
        let skipped: Vec<_> = report
            .waived
            .iter()
            .filter(|waived| waived.finding.location.source == source.id)
            .collect();
        if (source.is_of_policy() && findings.is_empty()) || !source.reported {
            continue;
        }
        let name = text(&source.path);
        let count = (findings.len() + skipped.len()).max(1);
        let failed = findings.len();
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\" \
             skipped=\"{}\">",
            skipped.len()
        );
        if findings.is_empty() && skipped.is_empty() {
            let _ = writeln!(suites, "    <testcase classname=\"{name}\" name=\"cortexkey\"/>");
        }
        for finding in &findings {
            let (start, _) = source.positions(finding.location.span);
            let kind = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            let mut body =
                format!("{}:{}:{}: {}", source.shown(), start.line, start.column, finding.message);
            if let Some(help) = &finding.help {
                let _ = write!(body, "\nhelp: {help}");
            }
            let _ = writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"{} {} ({}:{})\" file=\"{name}\" \
                 line=\"{}\">\n      <failure type=\"{kind}\" message=\"{}\">{}</failure>\n    </testcase>",
                finding.rule.code(),
                finding.rule.name(),
                start.line,
                start.column,
                start.line,
                text(&finding.message),
                text(&body),
            );
        }
        for waived in &skipped {
            let finding = &waived.finding;
            let (start, _) = source.positions(finding.location.span);
            let _ = writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"{} {} ({}:{})\">\n      \
                 <skipped message=\"waived by {}\"/>\n    </testcase>",
                finding.rule.code(),
                finding.rule.name(),
                start.line,
                start.column,
                waived.by.word(),
            );
        }
        suites.push_str("  </testsuite>\n");
        tests += count;
        failures += failed;
    }
    let _ = writeln!(
        out,
        "<testsuites name=\"cortexkey\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    );
    out.push_str(&suites);
    out.push_str("</testsuites>\n");
    out
}

/// Text as XML takes it; what XML does not take at all is left out.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

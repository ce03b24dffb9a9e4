//! `JUnit` XML, for CI systems that show tests: a suite for each file, a case for each finding.
//!
//! A file without findings is one case that passed, so that a clean run has tests too.

use core::fmt::Write as _;
use std::collections::HashMap;

use super::xml::{attribute, escaped};
use crate::model::{Finding, Report, SourceId, SourceText, WaivedFinding};

/// The findings of one file.
#[derive(Default)]
struct Suite<'r> {
    failed: Vec<&'r Finding>,
    skipped: Vec<&'r WaivedFinding>,
}

pub(super) fn render(report: &Report) -> String {
    let mut by_source: HashMap<SourceId, Suite<'_>> = HashMap::new();
    for finding in &report.findings {
        by_source.entry(finding.location.source).or_default().failed.push(finding);
    }
    for waived in &report.waived {
        by_source.entry(waived.finding.location.source).or_default().skipped.push(waived);
    }
    let mut suites = String::new();
    let mut tests = 0;
    let mut failures = 0;
    for source in report.sources.iter().filter(|source| source.reported) {
        let suite = by_source.remove(&source.id).unwrap_or_default();
        if source.is_of_policy() && suite.failed.is_empty() {
            continue;
        }
        suites += &suite.xml(source);
        tests += suite.tests();
        failures += suite.failed.len();
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"cortexkey\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n\
         {suites}</testsuites>\n"
    )
}

impl Suite<'_> {
    fn tests(&self) -> usize {
        (self.failed.len() + self.skipped.len()).max(1)
    }

    fn xml(&self, source: &SourceText) -> String {
        let file = attribute(&source.path);
        let tests = self.tests();
        let failed = self.failed.len();
        let skipped = self.skipped.len();
        let mut out = format!(
            "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" \
             skipped=\"{skipped}\">\n"
        );
        if failed + skipped == 0 {
            out += &format!("    <testcase classname=\"{file}\" name=\"cortexkey\"/>\n");
        }
        for finding in &self.failed {
            let (start, _) = source.positions(finding.location.span);
            let line = start.line;
            let column = start.column;
            let rule = &finding.rule;
            let mut body = format!("{}:{line}:{column}: {}", source.shown(), finding.message);
            if let Some(help) = &finding.help {
                body += &format!("\nhelp: {help}");
            }
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "    <testcase classname=\"{file}\" name=\"{rule} ({line}:{column})\" \
                 file=\"{file}\" line=\"{line}\">\n      <failure type=\"{}\" message=\"{}\">{}\
                 </failure>\n    </testcase>",
                finding.severity.as_str(),
                attribute(&finding.message),
                escaped(&body),
            );
        }
        for WaivedFinding { finding, by } in &self.skipped {
            let (start, _) = source.positions(finding.location.span);
            let line = start.line;
            let column = start.column;
            let rule = &finding.rule;
            let _ = writeln!(
                out,
                "    <testcase classname=\"{file}\" name=\"{rule} ({line}:{column})\">\n      \
                 <skipped message=\"waived by {}\"/>\n    </testcase>",
                by.as_str(),
            );
        }
        out + "  </testsuite>\n"
    }
}

//! Checkstyle's XML: findings by file, for CI systems and review tools that read it.

use core::fmt::Write as _;

use super::Report;
use super::xml::attribute;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<checkstyle version=\"4.3\">");
    for file in report.findings.chunk_by(|a, b| a.location.source == b.location.source) {
        let Some(first) = file.first() else { continue };
        let source = &report.sources[first.location.source];
        let _ = writeln!(out, "  <file name=\"{}\">", attribute(source.in_review()));
        for finding in file {
            let (start, _) = source.positions(finding.location.span);
            let text = match &finding.help {
                Some(help) => format!("{}\nhelp: {help}", finding.message),
                None => finding.message.clone(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "    <error line=\"{}\" column=\"{}\" severity=\"{}\" message=\"{}\" \
                 source=\"cortexkey.{}.{}\"/>",
                start.line,
                start.column,
                finding.severity.as_str(),
                attribute(&text),
                attribute(finding.rule.code()),
                attribute(finding.rule.name()),
            );
        }
        out += "  </file>\n";
    }
    out + "</checkstyle>\n"
}

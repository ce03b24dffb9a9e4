//! Markdown for the summary of a CI job: the counts, each rule, and the findings as tables.
//!
//! Nothing from a file becomes markup: every character with a meaning in Markdown or HTML is
//! escaped. GitHub accepts 1 MiB per step, so long lists are truncated with a note.

use super::{Report, Severity, at, statistics, summary_line};
use crate::model::Finding;
use crate::rules::{self, page_url};

/// The most findings that are listed.
const FINDINGS_MAX: usize = 200;
/// The longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

pub(super) fn render(report: &Report) -> String {
    let mut out = format!("## cortexkey\n\n{}\n", text(&summary_line(report)));
    if report.findings.is_empty() {
        return out;
    }
    out += &format!("\n### {}\n\n", statistics::kinds(report));
    out += "| count | rule | severity | fixable |\n|---:|---|---|---:|\n";
    for tally in report.tallies.by_count() {
        let fixable = tally.safe_fixes + tally.unsafe_fixes;
        let rule = &tally.rule;
        let severity = tally.severity.as_str();
        let rule = link(rule.code(), rule.name(), &rule.to_string());
        out += &format!("| {} | {rule} | {severity} | {fixable} |\n", tally.count);
    }
    out += "\n### Findings\n\n| | place | rule | message |\n|---|---|---|---|\n";
    out.extend(report.findings.iter().take(FINDINGS_MAX).map(|finding| row(report, finding)));
    let more = report.tallies.total().saturating_sub(FINDINGS_MAX);
    if more > 0 {
        out += &format!("\n{more} more are not listed here.\n");
    }
    out
}

fn row(report: &Report, finding: &Finding) -> String {
    let mark = match finding.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠",
        Severity::Info => "ℹ",
    };
    let place = text(&at(report, finding.location));
    let rule = link(finding.rule.code(), finding.rule.name(), finding.rule.code());
    let mut message: String = finding.message.chars().take(MESSAGE_CHARS_MAX).collect();
    if message.len() < finding.message.len() {
        message.push('…');
    }
    format!("| {mark} | {place} | {rule} | {} |\n", text(&message))
}

/// A rule as a link to its page; a policy's own rule has none.
fn link(code: &str, name: &str, shown: &str) -> String {
    let shown = text(shown);
    if rules::find(code).is_some() { format!("[{shown}]({})", page_url(name)) } else { shown }
}

/// A string, escaped for a table cell.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Within code, a backslash does not escape a bar. An address becomes a link by itself.
            '|' => out.push_str("&#124;"),
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_ascii_punctuation() && !matches!(c, ',' | '/' | ';' | '\'' | '"' | '%') => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

//! JSON for programs, version 1. New fields may be added; none is removed or changed.

use serde::Serialize;

use super::Report;
use crate::model::{Finding, Location, WaivedBy};

#[derive(Serialize)]
struct Document {
    version: u8,
    findings: Vec<Item>,
    waived: Vec<Item>,
    summary: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    code: String,
    name: String,
    severity: &'static str,
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: String,
    help: Option<String>,
    key: Option<String>,
    fix: Option<FixOut>,
    fingerprint: String,
    related: Vec<Second>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
}

#[derive(Serialize)]
struct FixOut {
    safe: bool,
    edits: Vec<Replacement>,
}

#[derive(Serialize)]
struct Replacement {
    /// Bytes of the file.
    start: u32,
    end: u32,
    text: String,
}

#[derive(Serialize)]
struct Second {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    files: usize,
    #[serde(rename = "passedOver")]
    skipped: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    waived: usize,
    /// Waived findings that are in the baseline.
    known: usize,
    /// Waived findings with a comment.
    suppressed: usize,
    /// Findings of rules that are not shown.
    unselected: usize,
    /// Files that are excluded.
    excluded: usize,
}

pub(super) fn render(report: &Report) -> String {
    let summary = &report.summary;
    let document = Document {
        version: 1,
        findings: report.findings.iter().map(|finding| item(report, finding, None)).collect(),
        waived: report
            .waived
            .iter()
            .map(|waived| item(report, &waived.finding, Some(waived.by.as_str())))
            .collect(),
        summary: Counts {
            files: summary.files,
            skipped: summary.skipped,
            errors: summary.errors,
            warnings: summary.warnings,
            infos: summary.infos,
            waived: summary.waived,
            known: report.waived_by(WaivedBy::Baseline),
            suppressed: report.waived_by(WaivedBy::Comment),
            unselected: summary.unselected,
            excluded: summary.excluded,
        },
    };
    // Strings and numbers cannot fail to serialize.
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

fn item(report: &Report, finding: &Finding, by: Option<&'static str>) -> Item {
    let source = &report.sources[finding.location.source];
    let (start, end) = source.positions(finding.location.span);
    Item {
        code: finding.rule.code().to_owned(),
        name: finding.rule.name().to_owned(),
        severity: finding.severity.as_str(),
        file: source.path.clone(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: finding.message.clone(),
        help: finding.help.clone(),
        key: finding.key.clone(),
        fix: finding.fix.as_ref().map(|fix| FixOut {
            safe: fix.safe,
            edits: fix
                .edits
                .iter()
                .map(|edit| Replacement {
                    start: edit.span.start,
                    end: edit.span.end,
                    text: edit.text.clone(),
                })
                .collect(),
        }),
        fingerprint: finding.fingerprint.clone(),
        related: finding
            .related
            .iter()
            .map(|related| second(report, related.location, &related.message))
            .collect(),
        by,
    }
}

fn second(report: &Report, location: Location, message: &str) -> Second {
    let source = &report.sources[location.source];
    let (start, _) = source.positions(location.span);
    let line = start.line;
    let column = start.column;
    Second { file: source.path.clone(), line, column, message: message.to_owned() }
}

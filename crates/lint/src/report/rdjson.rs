//! The Reviewdog Diagnostic Format, as one JSON object: <https://github.com/reviewdog/reviewdog>.
//!
//! Its columns count bytes of a line in UTF-8, and its suggestions replace one range each; a fix with
//! several edits has none.

use serde_json::{Value, json};

use super::Report;
use crate::model::{Edit, Finding, Location, SourceText};
use crate::rules::{self, page_url};
use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

pub(super) fn render(report: &Report) -> String {
    let findings = report.findings.iter().map(|finding| diagnostic(report, finding));
    let json = json!({
        "source": { "name": "cortexkey", "url": env!("CARGO_PKG_REPOSITORY") },
        "diagnostics": findings.collect::<Vec<_>>(),
    });
    format!("{json:#}\n")
}

fn diagnostic(report: &Report, finding: &Finding) -> Value {
    let source = &report.sources[finding.location.source];
    let text = match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    };
    let severity = match finding.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    };
    let mut code = json!({ "value": finding.rule.to_string() });
    if rules::find(finding.rule.code()).is_some() {
        code["url"] = json!(page_url(finding.rule.name()));
    }
    let mut out = json!({
        "message": text,
        "location": location(report, finding.location),
        "severity": severity,
        "code": code,
    });
    if let Some([edit]) = finding.fix.as_ref().map(|fix| fix.edits.as_slice()) {
        out["suggestions"] = json!([suggestion(source, edit)]);
    }
    let related = finding.related.iter().map(|related| {
        json!({ "message": related.message, "location": location(report, related.location) })
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        out["relatedLocations"] = json!(related);
    }
    out
}

fn location(report: &Report, location: Location) -> Value {
    let source = &report.sources[location.source];
    json!({ "path": source.in_review(), "range": range(source, location.span) })
}

fn suggestion(source: &SourceText, edit: &Edit) -> Value {
    json!({ "range": range(source, edit.span), "text": edit.text })
}

fn range(source: &SourceText, span: Span) -> Value {
    let (start, end) = source.positions(span);
    let column = |offset: u32| offset as usize - source.tree.line_start(offset as usize) + 1;
    json!({
        "start": { "line": start.line, "column": column(span.start) },
        "end": { "line": end.line, "column": column(span.end) },
    })
}

//! SARIF 2.1.0, for code scanning: rules with their pages, places, fingerprints, fixes.
//!
//! Paths are relative to the folder that the command runs in, which is `%SRCROOT%`.

use serde_json::{Value, json};

use super::Report;
use crate::finding::{Finding, Place};
use crate::rules::{self, Rule, page_url};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn render(report: &Report) -> String {
    let all = || report.findings.iter().map(|finding| (finding, None));
    let waived = || report.waived.iter().map(|waived| (&waived.finding, Some(waived.by.word())));
    let mut codes: Vec<&str> = Vec::new();
    for (finding, _) in all().chain(waived()) {
        if !codes.contains(&&*finding.code) {
            codes.push(&finding.code);
        }
    }
    codes.sort_unstable();
    let names = |code: &str| {
        let found = all().chain(waived()).find(|(finding, _)| finding.code == code);
        found.map(|(finding, _)| finding.name.clone().into_owned()).unwrap_or_default()
    };
    let rules: Vec<Value> = codes.iter().map(|code| rule(code, &names(code))).collect();
    let results: Vec<Value> =
        all().chain(waived()).map(|(finding, by)| result(report, finding, by, &codes)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cortexkey",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "originalUriBaseIds": { "SRCROOT": { "description": { "text": "the folder that the command ran in" } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut out = serde_json::to_string_pretty(&log).unwrap_or_default();
    out.push('\n');
    out
}

fn rule(code: &str, name: &str) -> Value {
    let mut out = json!({ "id": code, "name": name });
    if let Some(rule) = rules::find(code) {
        out["shortDescription"] = json!({ "text": rule.summary });
        out["fullDescription"] = json!({ "text": rule.why });
        out["helpUri"] = json!(page_url(rule.name));
        out["help"] = json!({ "text": rule.mend, "markdown": rule.mend });
        out["defaultConfiguration"] = json!({ "level": level(rule.severity) });
        out["properties"] = json!({
            "tags": ["security"],
            "security-severity": security_severity(rule),
        });
    }
    out
}

/// How grave GitHub is to show a rule, from 0 to 10.
fn security_severity(rule: &Rule) -> &'static str {
    use super::Severity;
    match (rule.code.chars().next(), rule.severity) {
        (Some('X'), Severity::Error) => "9.0",
        (_, Severity::Error) => "7.0",
        (_, Severity::Warning) => "4.0",
        (_, Severity::Info) => "1.0",
    }
}

const fn level(severity: super::Severity) -> &'static str {
    match severity {
        super::Severity::Error => "error",
        super::Severity::Warning => "warning",
        super::Severity::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding, by: Option<&str>, codes: &[&str]) -> Value {
    let text = match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut out = json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(report, finding.place) }],
        "partialFingerprints": { "cortexkey/v1": finding.fingerprint },
    });
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(id, second)| {
            json!({
                "id": id,
                "physicalLocation": physical(report, second.place),
                "message": { "text": second.message },
            })
        });
        out["relatedLocations"] = Value::from(related.collect::<Vec<_>>());
    }
    if let Some(fix) = &finding.fix {
        let replacements = fix.edits.iter().map(|edit| {
            let place = Place { source: finding.place.source, span: edit.span };
            json!({ "deletedRegion": region(report, place), "insertedContent": { "text": edit.text } })
        });
        out["fixes"] = json!([{
            "description": { "text": if fix.safe { "mend it" } else { "mend it, if that is meant" } },
            "artifactChanges": [{
                "artifactLocation": artifact(report, finding.place),
                "replacements": replacements.collect::<Vec<_>>(),
            }],
        }]);
    }
    if let Some(by) = by {
        let kind = if by == "comment" { "inSource" } else { "external" };
        out["suppressions"] = json!([{ "kind": kind, "justification": by }]);
    }
    out
}

fn physical(report: &Report, place: Place) -> Value {
    json!({ "artifactLocation": artifact(report, place), "region": region(report, place) })
}

fn artifact(report: &Report, place: Place) -> Value {
    json!({ "uri": uri(&report.sources[place.source].path), "uriBaseId": "SRCROOT" })
}

fn region(report: &Report, place: Place) -> Value {
    let (start, end) = report.sources[place.source].positions(place.span);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// A path as a relative reference: what is no plain character is escaped.
fn uri(path: &str) -> String {
    use core::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

//! SARIF 2.1.0, for code scanning: rules with their pages, locations, fingerprints, fixes.
//!
//! Paths are relative to the repository's root, which is `%SRCROOT%`. GitHub rejects a file that
//! exceeds any of its limits, so excess results are omitted and a notification reports this. Errors
//! come first, and suppressed findings come last.

use miniz_oxide::deflate::compress_to_vec;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{Report, Severity, at};
use crate::model::{Family, Finding, Location, RuleId};
use crate::rules::{self, Rule, page_url};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Results of one run.
const RESULTS_MAX: usize = 25_000;
/// Bytes of the file when compressed, as it is uploaded.
const GZIP_BYTES_MAX: usize = 10 * 1000 * 1000;
/// Bytes that gzip adds to the compressed data.
const GZIP_FRAME_BYTES: usize = 18;
/// The compression level with the largest result, so any other level stays within the limit, too.
const FASTEST: u8 = 1;
/// Related locations of one result.
const RELATED_MAX: usize = 1000;

/// A finding, and what suppresses it.
type Item<'r> = (&'r Finding, Option<&'static str>);

pub(super) fn render(report: &Report) -> String {
    let waived = report.waived.iter().map(|waived| (&waived.finding, Some(waived.by.as_str())));
    let mut items: Vec<Item<'_>> = report.findings.iter().map(|found| (found, None)).collect();
    items.extend(waived);
    let all = items.len();
    if all > RESULTS_MAX {
        most_severe_first(&mut items);
        items.truncate(RESULTS_MAX);
    }
    let mut text = log(report, &items, all);
    while let Some(size) = too_large(&text) {
        most_severe_first(&mut items);
        // Slightly fewer than would fit if all results had the same size.
        let fit = items.len() * (GZIP_BYTES_MAX / 10 * 9) / size;
        items.truncate(fit.min(items.len().saturating_sub(1)));
        text = log(report, &items, all);
    }
    text
}

fn most_severe_first(items: &mut [Item<'_>]) {
    items.sort_by_key(|(finding, by)| (by.is_some(), core::cmp::Reverse(finding.severity)));
}

/// The compressed size, if it exceeds the limit.
fn too_large(text: &str) -> Option<usize> {
    if text.len() <= GZIP_BYTES_MAX {
        return None;
    }
    let size = compress_to_vec(text.as_bytes(), FASTEST).len() + GZIP_FRAME_BYTES;
    (size > GZIP_BYTES_MAX).then_some(size)
}

fn log(report: &Report, items: &[Item<'_>], all: usize) -> String {
    let ids: BTreeSet<&RuleId> = items.iter().map(|(finding, _)| &finding.rule).collect();
    let ids: Vec<&RuleId> = ids.into_iter().collect();
    let rules: Vec<Value> = ids.iter().map(|id| rule(id)).collect();
    let results: Vec<Value> =
        items.iter().map(|(finding, by)| result(report, finding, *by, &ids)).collect();
    let mut run = json!({
        "tool": { "driver": {
            "name": "cortexkey",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        } },
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "the root of the repository" } } },
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    let cut = all - items.len();
    if cut > 0 {
        let text = format!(
            "{cut} of {all} results are left out, the least severe ones: a file for code scanning \
             has limits. `cortexkey lint --format json` has all of them."
        );
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": [{ "level": "warning", "message": { "text": text } }],
        }]);
    }
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    let mut out = serde_json::to_string_pretty(&log).unwrap_or_default();
    out.push('\n');
    out
}

fn rule(id: &RuleId) -> Value {
    let mut out = json!({ "id": id.code(), "name": id.name() });
    if let Some(rule) = rules::find(id.code()) {
        out["shortDescription"] = json!({ "text": rule.summary });
        out["fullDescription"] = json!({ "text": rule.why });
        out["helpUri"] = json!(page_url(rule.name));
        out["help"] = json!({ "text": rule.remedy, "markdown": rule.remedy });
        out["defaultConfiguration"] = json!({ "level": level(rule.severity) });
        out["properties"] = json!({
            "tags": ["security"],
            "security-severity": security_severity(rule),
        });
    }
    out
}

/// The severity that GitHub shows for a rule, from 0 to 10.
fn security_severity(rule: &Rule) -> &'static str {
    match (rule.id().family(), rule.severity) {
        (Some(Family::Secret), Severity::Error) => "9.0",
        (_, Severity::Error) => "7.0",
        (_, Severity::Warning) => "4.0",
        (_, Severity::Info) => "1.0",
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding, by: Option<&str>, rules: &[&RuleId]) -> Value {
    let mut text = match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    };
    // A built-in policy is no file that a reader could open, so its location goes into the message.
    let of_file = |location: Location| report.sources[location.source].from_root.is_some();
    for second in finding.related.iter().filter(|second| !of_file(second.location)) {
        text += &format!(" ({} in {})", second.message, at(report, second.location));
    }
    let related: Vec<_> =
        finding.related.iter().filter(|second| of_file(second.location)).collect();
    let mut out = json!({
        "ruleId": finding.rule.code(),
        "ruleIndex": rules.binary_search(&&finding.rule).ok(),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(report, finding.location) }],
        "partialFingerprints": { "cortexkey/v1": finding.fingerprint },
    });
    if !related.is_empty() {
        let related = related.iter().take(RELATED_MAX).enumerate().map(|(id, second)| {
            json!({
                "id": id,
                "physicalLocation": physical(report, second.location),
                "message": { "text": second.message },
            })
        });
        out["relatedLocations"] = Value::from(related.collect::<Vec<_>>());
    }
    if let Some(fix) = &finding.fix {
        let replacements = fix.edits.iter().map(|edit| {
            let location = Location { source: finding.location.source, span: edit.span };
            json!({ "deletedRegion": region(report, location), "insertedContent": { "text": edit.text } })
        });
        out["fixes"] = json!([{
            "description": { "text": if fix.safe { "fix it" } else { "fix it, if that is intended" } },
            "artifactChanges": [{
                "artifactLocation": artifact(report, finding.location),
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

fn physical(report: &Report, location: Location) -> Value {
    json!({ "artifactLocation": artifact(report, location), "region": region(report, location) })
}

fn artifact(report: &Report, location: Location) -> Value {
    let source = &report.sources[location.source];
    match &source.from_root {
        Some(path) => json!({ "uri": uri(path), "uriBaseId": "SRCROOT" }),
        None => json!({ "uri": source.path }),
    }
}

fn region(report: &Report, location: Location) -> Value {
    let (start, end) = report.sources[location.source].positions(location.span);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// A path as a relative URI reference.
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

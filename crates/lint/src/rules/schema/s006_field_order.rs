//! S006 schema-field-order: fields that are not in the documented order.

use cortexkey_manifest::format::KEY;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::{MappingEntry, NodeKind, Tree};
use cortexkey_manifest::{Span, quote};

use crate::model::{Edit, Fix, entry_span};
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

const LAST: &str = "apiVersion: cortexkey/v1
kind: ApiKey
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
metadata:
  name: svc-siem-export-prod
  owner: team-detection
";

const ORDERED: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-siem-export-prod
  owner: team-detection
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

pub(crate) static RULE: Rule = Rule {
    code: "S006",
    name: "schema-field-order",
    severity: Severity::Info,
    summary: "fields that are not in the documented order",
    why: "If every file has the same order, a reviewer sees what is there and what is missing, \
          and can compare two definitions side by side.",
    bad: RuleExample::file(LAST),
    good: RuleExample::file(ORDERED),
    remedy: "Move the field. `--fix` moves it together with the comments above it.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::File(check),
};

/// The mappings whose order is checked, by path.
const PATHS: [&str; 4] = ["", "metadata", "spec", "spec.scope"];

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let roots = cx.documents.iter().filter(|document| document.definition.is_some());
    for document in roots.map(|document| document.span) {
        for path in PATHS {
            let Some(order) = KEY.at(path) else { continue };
            let Some(mapping) = mapping_at(cx.tree, document, path) else { continue };
            let NodeKind::Mapping { entries, flow } = mapping else { continue };
            let rank = |entry: &MappingEntry| {
                let name = cx.tree.text_of(entry.key).unwrap_or_default();
                order.fields.iter().position(|field| field.name == name)
            };
            // Unknown fields have already been reported.
            let known: Vec<(usize, &MappingEntry)> =
                entries.iter().filter_map(|entry| Some((rank(entry)?, entry))).collect();
            let wrong = known.iter().zip(known.iter().skip(1)).find(|(a, b)| a.0 > b.0);
            let Some(((_, before), (_, entry))) = wrong else { continue };
            let span = cx.tree.node(entry.key).span;
            let [name, before_name] =
                [entry, before].map(|e| cx.tree.text_of(e.key).unwrap_or_default());
            let message = format!("{} must come before {}", quote(name), quote(before_name));
            cx.finding(span, message)
                .help(format!("the order is {}", order.names().join(", ")))
                .also(cx.tree.node(before.key).span, "this field")
                .fix(if *flow { None } else { reordered(cx.tree, entries, &rank) })
                .report(sink);
        }
    }
}

/// The mapping at a path.
fn mapping_at<'t>(tree: &'t Tree, document: Span, path: &str) -> Option<&'t NodeKind> {
    let mut at = tree.document_at(document)?.root;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let NodeKind::Mapping { entries, .. } = &tree.node(at).kind else { return None };
        at = entries.iter().find(|entry| tree.text_of(entry.key) == Some(name))?.value;
    }
    Some(&tree.node(at).kind)
}

/// The fields in order, each with the comment lines above it; `None` if one is unknown or they share
/// lines.
fn reordered(
    tree: &Tree,
    entries: &[MappingEntry],
    rank: &dyn Fn(&MappingEntry) -> Option<usize>,
) -> Option<Fix> {
    let text = tree.source();
    let mut parts: Vec<(usize, Span)> = Vec::new();
    for entry in entries {
        let own = entry_span(tree, entry.key, entry.value);
        let line = tree.line_start(own.start as usize);
        let end = tree.line_end(own.end as usize);
        if !text.get(line..own.start as usize)?.trim().is_empty() {
            return None;
        }
        parts.push((rank(entry)?, Span::new(above(text, line), end)));
    }
    let apart = parts.iter().zip(parts.iter().skip(1)).all(|(a, b)| a.1.end <= b.1.start);
    let mut sorted = parts.clone();
    sorted.sort_by_key(|(rank, _)| *rank);
    let moved = parts.iter().zip(&sorted).filter(|(at, what)| at.1 != what.1);
    let edits = moved.map(|(at, what)| Edit { span: at.1, text: what.1.slice(text).to_owned() });
    apart.then(|| Fix { safe: true, edits: edits.collect() })
}

/// Where the comment lines directly above a line start, if they have its indentation. A comment
/// that reaches the start of the file is about the file.
fn above(text: &str, line: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(text.get(line..).unwrap_or_default());
    let mut at = line;
    while let Some(before) = text.get(..at).and_then(|t| t.strip_suffix('\n')) {
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let candidate = before.get(start..).unwrap_or_default();
        if !candidate.trim_start().starts_with('#') || indent(candidate) != own {
            break;
        }
        if start == 0 {
            return line;
        }
        at = start;
    }
    at
}

//! Plans the new text of each file: applies the fixes of a report that do not touch each other.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::{Severity, is_builtin};

use crate::model::{Edit, Finding, Fix, Report, RuleId, SourceId};

/// The new text of one file.
pub(super) struct FixPlan {
    pub(super) path: String,
    pub(super) source: SourceId,
    pub(super) text: String,
    /// The findings that it fixes.
    pub(super) fingerprints: Vec<String>,
    /// The rule of the first of them.
    pub(super) rule: RuleId,
    /// The highest severity among them.
    pub(super) severity: Severity,
    /// How many comments the file has now.
    pub(super) comments: usize,
}

/// The plans that were tried and not accepted.
#[derive(Default)]
pub(super) struct RejectedPlans {
    /// Path and fingerprint of each fix that is withheld, and why.
    pub(super) withheld: BTreeMap<(String, String), String>,
    /// How many fixes of a file are tried at once, after more were rejected.
    pub(super) at_once: BTreeMap<String, usize>,
    /// The files that were fixed since fixes were last tried again.
    pub(super) changed: BTreeSet<String>,
}

/// Applies edits that neither overlap nor touch, file by file.
pub(super) fn plans(
    report: &Report,
    accepts: &dyn Fn(&Finding) -> bool,
    tried: &RejectedPlans,
) -> Vec<FixPlan> {
    let mut by_file: BTreeMap<SourceId, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in &report.findings {
        let Some(fix) = finding.fix.as_ref().filter(|_| accepts(finding)) else {
            continue;
        };
        let source = &report.sources[finding.location.source];
        let key = (source.path.clone(), finding.fingerprint.clone());
        if !is_builtin(&source.path) && !tried.withheld.contains_key(&key) {
            by_file.entry(finding.location.source).or_default().push((finding, fix));
        }
    }
    let mut plans = Vec::new();
    for (at, mut fixes) in by_file {
        let source = &report.sources[at];
        if let Some(at_once) = tried.at_once.get(&source.path) {
            fixes.truncate(*at_once);
        }
        let mut taken: BTreeMap<Span, &Edit> = BTreeMap::new();
        let mut fixed: Vec<&Finding> = Vec::new();
        for (finding, fix) in fixes {
            // Edits that meet at a point have no order, so they count as touching. The edits taken
            // so far do not overlap, so the last one that starts no later reaches farthest.
            let touches = |edit: &Edit| {
                let last = Span { start: edit.span.end, end: u32::MAX };
                let before = taken.range(..=last).next_back();
                before.is_some_and(|(other, _)| edit.span.start <= other.end)
            };
            if !fix.edits.iter().any(touches) {
                taken.extend(fix.edits.iter().map(|edit| (edit.span, edit)));
                fixed.push(finding);
            }
        }
        let (Some(first), Some(severity)) =
            (fixed.first(), fixed.iter().map(|finding| finding.severity).max())
        else {
            continue;
        };
        let fingerprints = fixed.iter().map(|finding| finding.fingerprint.clone()).collect();
        let comments = source.tree.comments().len();
        let edits: Vec<&Edit> = taken.into_values().collect();
        if let Some(text) = apply(source.tree.source(), &edits) {
            let path = source.path.clone();
            let rule = first.rule.clone();
            plans.push(FixPlan { path, source: at, text, fingerprints, rule, severity, comments });
        }
    }
    plans
}

/// The text after the edits; `None` if they overlap or end beyond it.
pub(super) fn apply(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let range = edit.span.range();
        out.push_str(text.get(at..range.start)?);
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

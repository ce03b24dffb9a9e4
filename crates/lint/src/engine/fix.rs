//! Mending: edits of bytes that leave every comment and blank line where it is.
//!
//! An edit counts only when the file can be read afterwards, says the same but for what was fixed,
//! and has no finding that it did not have before; otherwise it is withheld, and that is reported.
//! Nothing is reformatted.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Limits;
use cortexkey_manifest::{Span, blank, mask_path, secret_ranges};

use super::lint::lint_with;
use super::run::LintOptions;
use crate::model::{Corpus, CorpusFile, Edit, Finding, Fix, Report, RuleId, SourceId, is_builtin};
use crate::policy::Policy;
use crate::rules::policy::p005_suppression_unused;

/// What fixing came to.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The new text of each file that changed, by its path as output shows it.
    pub texts: BTreeMap<String, String>,
    /// How many findings were fixed.
    pub count: usize,
    /// The fixes that were withheld, each with its reason, in sentences.
    pub withheld: Vec<String>,
}

/// How often everything is judged anew: edits that stand in each other's way take turns.
const ROUNDS_MAX: usize = 100;

/// Mends what can be mended, in memory. `reload` gives the policy for changed texts of its files.
pub fn fix(
    corpus: &Corpus,
    policy: &Policy,
    options: &LintOptions<'_>,
    also_unsafe: bool,
    limits: &Limits,
    reload: &dyn Fn(&BTreeMap<String, String>) -> Option<Policy>,
) -> Fixed {
    let mut out = Fixed::default();
    // Path and fingerprint of each fix that does not hold, and why.
    let mut refused: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut alone: BTreeSet<String> = BTreeSet::new();
    let mut current = Current { corpus: corpus.clone(), policy: None };
    let mut report = lint_with(&current.corpus, policy, options);
    for _ in 0..ROUNDS_MAX {
        let plans = plans(&report, also_unsafe, &refused, &alone);
        if plans.is_empty() {
            break;
        }
        let mut texts = out.texts.clone();
        for plan in &plans {
            texts.insert(plan.path.clone(), plan.text.clone());
        }
        let Some(next) = current.with(&texts, &plans, limits, reload) else { break };
        let after = lint_with(&next.corpus, next.policy.as_ref().unwrap_or(policy), options);
        let bad: Vec<(&Plan, String)> = plans
            .iter()
            .filter_map(|plan| Some((plan, objection(plan, &report, &after)?)))
            .collect();
        if bad.is_empty() {
            out.count += plans.iter().map(|plan| plan.fingerprints.len()).sum::<usize>();
            out.texts = texts;
            // What did not hold before may hold now: the end is reached when nothing does.
            for plan in &plans {
                alone.remove(&plan.path);
                refused.retain(|(path, _), _| *path != plan.path);
            }
            (current, report) = (next, after);
            continue;
        }
        for (plan, why) in bad {
            match plan.fingerprints.as_slice() {
                [only] => {
                    let (label, path) = (&plan.label, &plan.path);
                    let why = format!("the fix of {label} in {path} is withheld: {why}");
                    refused.insert((plan.path.clone(), only.clone()), why);
                }
                _ => {
                    alone.insert(plan.path.clone());
                }
            }
        }
    }
    out.withheld = refused.into_values().collect();
    out
}

/// The corpus and the policy with the edits so far.
struct Current {
    corpus: Corpus,
    policy: Option<Policy>,
}

impl Current {
    fn with(
        &self,
        texts: &BTreeMap<String, String>,
        plans: &[Plan],
        limits: &Limits,
        reload: &dyn Fn(&BTreeMap<String, String>) -> Option<Policy>,
    ) -> Option<Self> {
        let mut corpus = self.corpus.clone();
        for plan in plans.iter().filter(|plan| !plan.policy) {
            let file = corpus.files.iter_mut().find(|file| file.path == plan.path)?;
            let bytes = plan.text.clone().into_bytes();
            let new = CorpusFile::new(plan.path.clone(), bytes, limits);
            *file = CorpusFile {
                id: file.id,
                policy_path: file.policy_path.clone(),
                reported: file.reported,
                ..new
            };
        }
        // Once a file of the policy has changed, it stays changed.
        Some(Self { corpus, policy: reload(texts) })
    }
}

/// What one file would become.
struct Plan {
    path: String,
    source: SourceId,
    policy: bool,
    text: String,
    /// The findings that it fixes.
    fingerprints: Vec<String>,
    /// Code and name of the first of them.
    label: String,
    /// The gravest of them.
    severity: Severity,
    comments: usize,
}

/// Edits that do not touch each other, by file, applied.
fn plans(
    report: &Report,
    also_unsafe: bool,
    refused: &BTreeMap<(String, String), String>,
    alone: &BTreeSet<String>,
) -> Vec<Plan> {
    let mut by_file: BTreeMap<SourceId, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in &report.findings {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe || also_unsafe) else {
            continue;
        };
        let source = &report.sources[finding.location.source];
        let key = (source.path.clone(), finding.fingerprint.clone());
        if !is_builtin(&source.path) && !refused.contains_key(&key) {
            by_file.entry(finding.location.source).or_default().push((finding, fix));
        }
    }
    let mut plans = Vec::new();
    for (at, mut fixes) in by_file {
        let source = &report.sources[at];
        if alone.contains(&source.path) {
            fixes.truncate(1);
        }
        let mut taken: BTreeMap<Span, &Edit> = BTreeMap::new();
        let mut fixed: Vec<&Finding> = Vec::new();
        for (finding, fix) in fixes {
            // Edits that meet at a point have no order, so they touch as well. Those that are taken
            // do not overlap, so the last that begins no later reaches farthest.
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
        let label = first.rule.to_string();
        let fingerprints = fixed.iter().map(|finding| finding.fingerprint.clone()).collect();
        let comments = source.tree.comments().len();
        let edits: Vec<&Edit> = taken.into_values().collect();
        if let Some(text) = apply(source.tree.source(), &edits) {
            let (path, policy) = (source.path.clone(), source.is_of_policy());
            plans.push(Plan {
                path,
                source: at,
                policy,
                text,
                fingerprints,
                label,
                severity,
                comments,
            });
        }
    }
    plans
}

/// The text with edits made; nothing where they overlap or do not fit it.
fn apply(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.span);
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let range = edit.span.range();
        out.push_str(text.get(at..range.start)?);
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// Why edits do not hold; nothing where they do. A file must lose no comment but such as were a
/// finding themselves, and gain no finding, unless a part of it can be checked that could not be
/// before: what is found there now was there all along. Other files must gain none that is as grave
/// as what was fixed.
fn objection(plan: &Plan, before: &Report, after: &Report) -> Option<String> {
    // A finding that joins several files is not about this one alone.
    let joins = |finding: &Finding, report: &Report| {
        finding.related.iter().any(|second| {
            let source = second.location.source;
            source != plan.source && !report.sources[source].is_of_policy()
        })
    };
    let own_of = |report: &Report, finding: &Finding| {
        finding.location.source == plan.source && !joins(finding, report)
    };
    let (old, new) = (
        Counts::of(before, |finding| own_of(before, finding)),
        Counts::of(after, |finding| own_of(after, finding)),
    );
    let comments = after.sources[plan.source].tree.comments().len();
    let gone = plan.comments.saturating_sub(comments);
    let unused = |counts: &Counts<'_>| {
        counts.by_rule.get(&p005_suppression_unused::RULE.id()).copied().unwrap_or(0)
    };
    if gone > unused(&old).saturating_sub(unused(&new)) {
        return Some("a comment would go with it".to_owned());
    }
    if new.unchecked > old.unchecked {
        return Some("less of the file could be checked".to_owned());
    }
    if new.unchecked == old.unchecked {
        if let Some(rule) = new.beyond(&old) {
            return Some(format!("it would bring {rule}"));
        }
        if new.all >= old.all {
            return Some("nothing would be better".to_owned());
        }
        let others = |report| {
            Counts::of(report, |finding| {
                !own_of(report, finding) && finding.severity >= plan.severity
            })
        };
        if let Some(rule) = others(after).beyond(&others(before)) {
            return Some(format!("it would bring {rule} in another file"));
        }
    }
    None
}

/// How many findings there are.
#[derive(Default)]
struct Counts<'a> {
    by_rule: BTreeMap<&'a RuleId, usize>,
    all: usize,
    /// Those that say that something could not be checked.
    unchecked: usize,
}

impl<'a> Counts<'a> {
    fn of(report: &'a Report, counts: impl Fn(&Finding) -> bool) -> Self {
        let mut out = Self::default();
        for finding in report.findings.iter().filter(|finding| counts(finding)) {
            *out.by_rule.entry(&finding.rule).or_default() += 1;
            out.all += 1;
            out.unchecked += usize::from(finding.unchecked);
        }
        out
    }

    /// The first rule that has more findings here than there.
    fn beyond(&self, other: &Self) -> Option<&'a RuleId> {
        let more = self
            .by_rule
            .iter()
            .find(|(rule, count)| *count > other.by_rule.get(*rule).unwrap_or(&0));
        more.map(|(rule, _)| *rule)
    }
}

/// Old and new text side by side, with what may be a secret as asterisks.
#[must_use]
pub fn diff(path: &str, old: &str, new: &str, policy: bool) -> String {
    let masked = |text: &str| {
        let parsed = cortexkey_manifest::yaml::parse(text, &Limits::default());
        let ranges = secret_ranges(text, Some(&parsed.tree), policy);
        if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
    };
    let (old, new) = (masked(old), masked(new));
    let diff = similar::TextDiff::from_lines(&old, &new);
    let path = cortexkey_manifest::escape(&mask_path(path));
    let text = diff.unified_diff().context_radius(3).header(&path, &path).to_string();
    // A terminal must not act upon what a file holds.
    let lines = text.split_inclusive('\n').map(|line| {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let body = body.strip_suffix('\r').unwrap_or(body);
        format!("{}\n", cortexkey_manifest::escape(body).replace("\\t", "\t"))
    });
    lines.collect()
}

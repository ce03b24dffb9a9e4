//! Mending: edits of bytes that leave every comment and blank line where it is.
//!
//! An edit counts only when the file can be read afterwards, says the same but for what was mended,
//! and has no finding that it did not have before; otherwise it is dropped. It refuses to reformat.

mod edits;

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::yaml::Limits;
use cortexkey_manifest::{blank, mask_path, secret_ranges};

pub(crate) use edits::{add_after, end_of_line, remove_entry, remove_item, remove_waiver, whole};

use crate::corpus::{Corpus, CorpusFile};
use crate::finding::{Edit, Finding, Fix};
use crate::judge::{Ask, lint_as};
use crate::policy::Policy;
use crate::report::Report;

/// What mending came to.
#[derive(Debug, Default)]
pub struct Mended {
    /// The new text of each file that changed, by its path as output shows it.
    pub texts: BTreeMap<String, String>,
    /// How many findings were mended.
    pub count: usize,
    /// How many edits did not hold and were left out.
    pub dropped: usize,
}

/// How often everything is judged anew: edits that stand in each other's way take turns.
const ROUNDS_MAX: usize = 100;

/// Mends what can be mended, in memory. `reload` gives the policy for changed texts of its files.
pub fn mend(
    corpus: &Corpus,
    policy: &Policy,
    ask: &Ask<'_>,
    also_unsafe: bool,
    limits: &Limits,
    reload: &dyn Fn(&BTreeMap<String, String>) -> Option<Policy>,
) -> Mended {
    let mut out = Mended::default();
    let mut refused: BTreeSet<(String, String)> = BTreeSet::new();
    let mut alone: BTreeSet<String> = BTreeSet::new();
    let mut current = Current { corpus: corpus.clone(), policy: None };
    let mut report = lint_as(&current.corpus, policy, ask);
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
        let after = lint_as(&next.corpus, next.policy.as_ref().unwrap_or(policy), ask);
        let bad: Vec<&Plan> = plans.iter().filter(|plan| !holds(plan, &report, &after)).collect();
        if bad.is_empty() {
            out.count += plans.iter().map(|plan| plan.fingerprints.len()).sum::<usize>();
            out.texts = texts;
            // What did not hold before may hold now: the end is reached when nothing does.
            for plan in &plans {
                alone.remove(&plan.path);
                refused.retain(|(path, _)| *path != plan.path);
            }
            (current, report) = (next, after);
            continue;
        }
        for plan in bad {
            match plan.fingerprints.as_slice() {
                [only] => {
                    out.dropped += 1;
                    refused.insert((plan.path.clone(), only.clone()));
                }
                _ => {
                    alone.insert(plan.path.clone());
                }
            }
        }
    }
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
            *file = CorpusFile { id: file.id.clone(), reported: file.reported, ..new };
        }
        // Once a file of the policy has changed, it stays changed.
        Some(Self { corpus, policy: reload(texts) })
    }
}

/// What one file would become.
struct Plan {
    path: String,
    source: usize,
    policy: bool,
    text: String,
    /// The findings that it mends.
    fingerprints: Vec<String>,
    comments: usize,
}

/// Edits that do not touch each other, by file, applied.
fn plans(
    report: &Report,
    also_unsafe: bool,
    refused: &BTreeSet<(String, String)>,
    alone: &BTreeSet<String>,
) -> Vec<Plan> {
    let mut by_file: BTreeMap<usize, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in &report.findings {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe || also_unsafe) else {
            continue;
        };
        let source = &report.sources[finding.place.source];
        let key = (source.path.clone(), finding.fingerprint.clone());
        if !source.path.starts_with("builtin:") && !refused.contains(&key) {
            by_file.entry(finding.place.source).or_default().push((finding, fix));
        }
    }
    let mut plans = Vec::new();
    for (at, mut fixes) in by_file {
        let source = &report.sources[at];
        if alone.contains(&source.path) {
            fixes.truncate(1);
        }
        let (mut taken, mut fingerprints): (Vec<&Edit>, Vec<String>) = (Vec::new(), Vec::new());
        for (finding, fix) in fixes {
            // Edits that meet at a point have no order, so they touch as well.
            let touches = |edit: &Edit| {
                taken.iter().any(|other| {
                    edit.span.start <= other.span.end && other.span.start <= edit.span.end
                })
            };
            if !fix.edits.iter().any(touches) {
                taken.extend(&fix.edits);
                fingerprints.push(finding.fingerprint.clone());
            }
        }
        let comments = source.tree.comments().len();
        if let Some(text) = apply(source.tree.source(), &taken) {
            let (path, policy) = (source.path.clone(), source.policy);
            plans.push(Plan { path, source: at, policy, text, fingerprints, comments });
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

/// True when a file has no finding that it did not have before, and has lost no comment but such
/// as were a finding themselves.
fn holds(plan: &Plan, before: &Report, after: &Report) -> bool {
    let counts = |report: &Report, source: usize| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let own = report.findings.iter().filter(|finding| finding.place.source == source);
        for finding in own {
            *counts.entry(finding.code.clone().into_owned()).or_default() += 1;
        }
        counts
    };
    let (old, new) = (counts(before, plan.source), counts(after, plan.source));
    let unused = |counts: &BTreeMap<String, usize>| counts.get("P005").copied().unwrap_or(0);
    let comments = after.sources[plan.source].tree.comments().len();
    let gone = plan.comments.saturating_sub(comments);
    let others = |report: &Report| {
        report.findings.iter().filter(|finding| finding.place.source != plan.source).count()
    };
    gone <= unused(&old).saturating_sub(unused(&new))
        && new.iter().all(|(code, count)| old.get(code).is_some_and(|before| count <= before))
        && new.values().sum::<usize>() < old.values().sum()
        && others(after) <= others(before)
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

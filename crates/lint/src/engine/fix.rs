//! Fixes files by editing bytes, so that every comment and blank line stays where it is.
//!
//! An edit is kept only if the file can still be read, nothing else in it has changed, and there is no new
//! finding; otherwise the fix is withheld and reported. Nothing is reformatted.

use std::collections::BTreeMap;

use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_manifest::{blank, mask_path, secret_ranges};

use super::fix_plan::{FixPlan, RejectedPlans, apply, plans};
use super::objection::objection;
use super::session::{LintSession, Previous};
use crate::model::{Edit, Finding, Report, SourceId};
use crate::policy::Policy;

/// How files are fixed.
#[derive(Clone, Copy)]
pub struct FixOptions<'a> {
    /// Whether to apply the fix of a finding.
    pub accepts: &'a dyn Fn(&Finding) -> bool,
    /// How much of a file is read.
    pub limits: YamlLimits,
    /// Reloads the policy with changed texts of its files; `None` if it cannot be read.
    pub reload: &'a dyn Fn(&BTreeMap<String, String>) -> Option<Policy>,
}

/// The result of fixing.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The new text of each file that changed, by its path as output shows it.
    pub texts: BTreeMap<String, String>,
    /// How many findings were fixed.
    pub count: usize,
    /// The fixes that were withheld, each with its reason.
    pub withheld: Vec<String>,
}

/// How many rounds of edits are tried: edits that touch each other need several.
const ROUNDS_MAX: usize = 100;

/// Applies fixes in memory. Each round checks only the changed files again.
pub fn fix(mut session: LintSession<'_>, options: &FixOptions<'_>) -> Fixed {
    let mut out = Fixed::default();
    let mut tried = RejectedPlans::default();
    let mut is_complete = false;
    let mut before = session.report_all();
    for _ in 0..ROUNDS_MAX {
        let plans = plans(&before, options.accepts, &tried);
        if plans.is_empty() {
            if tried.retry() {
                continue;
            }
            is_complete = true;
            break;
        }
        let mut texts = out.texts.clone();
        texts.extend(plans.iter().map(|plan| (plan.path.clone(), plan.text.clone())));
        let changes = edit(&mut session, &plans, &texts, options);
        let after = session.report_all();
        let bad = objections(&plans, &before, &after);
        if bad.is_empty() {
            out.count += plans.iter().map(|plan| plan.fingerprints.len()).sum::<usize>();
            out.texts = texts;
            tried.accept(&plans);
            before = after;
        } else {
            session.restore(changes);
            tried.reject(bad);
        }
    }
    out.withheld = tried.withheld.into_values().collect();
    if !is_complete {
        out.withheld.push("not all fixes were applied: run the command again".to_owned());
    }
    out
}

/// Applies the plans; `texts` has the new texts of all rounds.
fn edit<'a>(
    session: &mut LintSession<'a>,
    plans: &[FixPlan],
    texts: &BTreeMap<String, String>,
    options: &FixOptions<'_>,
) -> Vec<Previous<'a>> {
    let of_files = plans.iter().filter_map(|plan| match plan.source {
        SourceId::File(file) => Some((file, plan.text.clone().into_bytes())),
        _ => None,
    });
    let mut changes = session.replace_texts(&of_files.collect::<Vec<_>>(), &options.limits);
    let of_policy = plans.iter().any(|plan| !matches!(plan.source, SourceId::File(_)));
    if let Some(policy) = of_policy.then(|| (options.reload)(texts)).flatten() {
        changes.push(session.replace_policy(policy));
    }
    changes
}

/// The plans that must be undone, each with the reason.
fn objections<'p>(
    plans: &'p [FixPlan],
    before: &Report,
    after: &Report,
) -> Vec<(&'p FixPlan, String)> {
    let bad = plans.iter().filter_map(|plan| Some((plan, objection(plan, before, after)?)));
    bad.collect()
}

impl RejectedPlans {
    /// More fixes are tried at once next time.
    fn accept(&mut self, plans: &[FixPlan]) {
        for plan in plans {
            if let Some(at_once) = self.at_once.get_mut(&plan.path) {
                *at_once = at_once.saturating_mul(2);
            }
            self.changed.insert(plan.path.clone());
        }
    }

    /// Halves the number of fixes that are tried at once, so that a bad one among very many is
    /// found in a few rounds. If only one was tried, it is withheld.
    fn reject(&mut self, bad: Vec<(&FixPlan, String)>) {
        for (FixPlan { path, rule, fingerprints, .. }, why) in bad {
            if let [only] = fingerprints.as_slice() {
                let why = format!("the fix of {rule} in {path} was not applied: {why}");
                self.withheld.insert((path.clone(), only.clone()), why);
            } else {
                self.at_once.insert(path.clone(), fingerprints.len() / 2);
            }
        }
    }

    /// Whether fixes are tried again: one that was withheld may work after others of its file.
    fn retry(&mut self) -> bool {
        let all = self.withheld.len();
        let changed = core::mem::take(&mut self.changed);
        self.withheld.retain(|(path, _), _| !changed.contains(path));
        self.withheld.len() < all
    }
}

/// What the fix of one finding changes, as a diff; `None` if there is none.
#[must_use]
pub fn preview(report: &Report, finding: &Finding) -> Option<String> {
    let source = report.sources.get(finding.location.source)?;
    let edits: Vec<&Edit> = finding.fix.as_ref()?.edits.iter().collect();
    let old = source.tree.source();
    let of_policy = source.is_of_policy();
    Some(diff(&source.path, old, &apply(old, &edits)?, of_policy))
}

/// A diff of the old and new text, in which possible secrets are asterisks.
#[must_use]
pub fn diff(path: &str, old: &str, new: &str, policy: bool) -> String {
    let masked = |text: &str| {
        let parsed = cortexkey_manifest::yaml::parse(text, &YamlLimits::default());
        let ranges = secret_ranges(text, Some(&parsed.tree), policy);
        if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
    };
    let old = masked(old);
    let new = masked(new);
    let diff = similar::TextDiff::from_lines(&old, &new);
    let path = cortexkey_manifest::escape(&mask_path(path));
    let text = diff.unified_diff().context_radius(3).header(&path, &path).to_string();
    // A terminal must not interpret what a file contains.
    let lines = text.split_inclusive('\n').map(|line| {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let body = body.strip_suffix('\r').unwrap_or(body);
        format!("{}\n", cortexkey_manifest::escape(body).replace("\\t", "\t"))
    });
    lines.collect()
}

//! Applies the waivers of the policy: findings that were accepted for a while.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::policy::{SettingSource, Waiver};
use cortexkey_manifest::quote;

use super::run::{FilesById, Run};
use super::seen::Seen;
use crate::model::{
    CorpusFile, Finding, FindingBuilder, Fix, RuleId, WaivedBy, WaivedFinding, remove_waiver,
};
use crate::policy::lacking;
use crate::rules::policy::{p002_waiver_unused, p008_rule_never_matches};

/// The remaining and the covered findings, and the waivers that cover some.
#[derive(Default)]
pub(super) struct WaiverOutcome {
    pub(super) kept: Vec<Finding>,
    pub(super) waived: Vec<WaivedFinding>,
    pub(super) used: BTreeSet<usize>,
}

/// A waiver that may cover findings.
struct ActiveWaiver<'a> {
    /// Its number among the policy's waivers.
    number: usize,
    layer: usize,
    waiver: &'a Waiver,
    rule: RuleId,
    key: &'a str,
}

/// The waivers that are complete, have not expired, and may cover their rule. A waiver whose key is
/// ambiguous covers nothing.
fn active<'a>(run: &Run<'a>) -> Vec<ActiveWaiver<'a>> {
    let ambiguous = run.ambiguous_names();
    let waivers = run.policy.waivers().enumerate().filter_map(|(number, (layer, waiver))| {
        let rule = run.policy.rule_id(waiver.rule.get()?)?;
        let key = waiver.key.get()?.as_str();
        let is_active = lacking(waiver).is_empty()
            && waiver.expires.get().is_some_and(|end| *end > run.now)
            && run.policy.waiver_forbidden(&rule, Some(layer)).is_none()
            && !ambiguous.contains(key);
        is_active.then_some(ActiveWaiver { number, layer, waiver, rule, key })
    });
    waivers.collect()
}

/// Removes the findings that waivers cover.
pub(super) fn apply(run: &Run<'_>, findings: Vec<Finding>) -> WaiverOutcome {
    let active = active(run);
    if active.is_empty() {
        return WaiverOutcome { kept: findings, ..WaiverOutcome::default() };
    }
    let files = FilesById::new(*run);
    let mut by_rule: BTreeMap<&RuleId, Vec<&ActiveWaiver<'_>>> = BTreeMap::new();
    for waiver in &active {
        by_rule.entry(&waiver.rule).or_default().push(waiver);
    }
    let mut out = WaiverOutcome::default();
    for finding in findings {
        let own = by_rule.get(&finding.rule).filter(|_| !finding.unchecked);
        let covers = |waiver: &&&ActiveWaiver<'_>| files.is_about(&finding, waiver.key);
        let mut covering = own.into_iter().flatten().filter(covers).peekable();
        if covering.peek().is_some() {
            out.used.extend(covering.map(|waiver| waiver.number));
            out.waived.push(WaivedFinding { finding, by: WaivedBy::Waiver });
        } else {
            out.kept.push(finding);
        }
    }
    out
}

/// Reports valid waivers that cover nothing, as far as that is certain. Other rules report invalid
/// waivers.
pub(super) fn unused(
    run: &Run<'_>,
    seen: &Seen<'_>,
    used: &BTreeSet<usize>,
    out: &mut Vec<Finding>,
) {
    for active in active(run).iter().filter(|waiver| !used.contains(&waiver.number)) {
        let Some((why, fix)) = why_unused(run, seen, active) else { continue };
        let at = SettingSource { layer: active.layer, span: active.waiver.span };
        let message = format!("this waiver covers nothing: {why}");
        let finding = FindingBuilder::new(run.policy.location(at), message)
            .help("remove it; it would hide the next finding")
            .fix(fix);
        run.report(&p002_waiver_unused::RULE, finding, out);
    }
}

/// Why a waiver covers nothing, and how to remove it; `None` if it may cover what was not checked.
fn why_unused(
    run: &Run<'_>,
    seen: &Seen<'_>,
    ActiveWaiver { layer, waiver, rule, key, .. }: &ActiveWaiver<'_>,
) -> Option<(String, Option<Fix>)> {
    let removal = |is_safe| remove_waiver(&run.policy.layers[*layer].tree, waiver.span, is_safe);
    let found = run.definitions_of(key);
    if found.is_empty() {
        // The key may have moved to a file that is not in the corpus, so a person has to confirm.
        let why = || (format!("the corpus has no key {}", quote(key)), removal(false));
        return seen.is_complete().then(why);
    }
    let is_checked = seen.has_input(rule) && found.iter().all(|(file, _)| seen.has_checked(file));
    // The run of another policy may have the finding, and a rule that is off reports nothing.
    let is_certain = found.iter().all(|(file, definition)| seen.is_on(rule, file, definition));
    is_checked.then(|| {
        let why = format!("{} has no finding {}", quote(key), rule.code());
        (why, removal(true).filter(|_| is_certain))
    })
}

/// Reports rules that the policy defines and that matched no key, if all keys could be read.
pub(super) fn unmatched(run: &Run<'_>, matched: &BTreeSet<usize>, out: &mut Vec<Finding>) {
    if run.corpus.unseen || !run.corpus.files.iter().all(CorpusFile::is_read) {
        return;
    }
    let rules = run.policy.custom.iter().enumerate();
    for (_, custom) in rules.filter(|(at, _)| !matched.contains(at)) {
        let message = format!("rule {} matches no key", quote(custom.id().code()));
        let at = SettingSource { layer: custom.layer, span: custom.name_span };
        let finding = FindingBuilder::new(run.policy.location(at), message)
            .help("correct its `match`, or remove the rule: it has no effect");
        run.report(&p008_rule_never_matches::RULE, finding, out);
    }
}

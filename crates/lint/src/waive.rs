//! Waivers of the policy: findings that somebody accepted for a while.
//!
//! They refuse to cover what the policy says holds without exception: a rule that is not waivable,
//! one that another layer locked, and files that cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::policy::{ResolvedRule, Source, Waiver};
use cortexkey_manifest::quote;
use jiff::Timestamp;

use crate::finding::{Finding, WaivedBy, WaivedFinding};
use crate::policy::Policy;
use crate::rules::{self, Draft, Rule, Sink};
use crate::settings::Settings;

/// What is left, what is covered, and which waivers covered something.
pub(crate) struct Settled {
    pub(crate) kept: Vec<Finding>,
    pub(crate) waived: Vec<WaivedFinding>,
    pub(crate) used: BTreeSet<usize>,
}

/// The rule and the settings of a code, for what is found when all else is known.
pub(crate) type Base<'a> = &'a dyn Fn(&str) -> Option<(&'static Rule, Settings)>;

/// Why a finding cannot be waived or suppressed, and the line that says so; nothing where it can be.
pub(crate) fn barred_finding(
    policy: &Policy,
    finding: &Finding,
    layer: Option<usize>,
) -> Option<(&'static str, Option<Source>)> {
    if finding.unchecked { Some(UNCHECKED) } else { barred(policy, &finding.code, layer) }
}

/// Why nothing covers a finding that says that something was not checked.
const UNCHECKED: (&str, Option<Source>) = ("it says that something could not be checked", None);

/// Why a rule cannot be waived, and the line that says so; nothing where it can be. `layer` is
/// where the waiver stands; a comment stands in no layer.
pub(crate) fn barred(
    policy: &Policy,
    code: &str,
    layer: Option<usize>,
) -> Option<(&'static str, Option<Source>)> {
    if rules::find(code).is_some_and(Rule::leaves_unchecked) || matches!(code, "P006" | "P007") {
        return Some(UNCHECKED);
    }
    let resolved: &ResolvedRule = policy.merged.rules.get(code)?;
    if let Some(waivable) = resolved.waivable.as_ref().filter(|waivable| !waivable.value) {
        return Some(("the policy says so", Some(waivable.source)));
    }
    let lock = resolved.locked?;
    // Whoever locked it may grant exceptions, and so may those that it stands on.
    let own = layer.is_some_and(|layer| {
        layer == lock.layer || policy.layers[lock.layer].ancestors.contains(&layer)
    });
    (!own).then_some(("it is locked", Some(lock)))
}

/// Takes out what a complete waiver that is not over covers, where the rule allows it.
pub(crate) fn waivers(
    policy: &Policy,
    now: Timestamp,
    findings: Vec<Finding>,
    is_about: &dyn Fn(&Finding, &str) -> bool,
    is_ambiguous: &dyn Fn(&str) -> bool,
) -> Settled {
    let good: Vec<(usize, String, &str)> = policy
        .waivers()
        .enumerate()
        .filter(|(_, (_, waiver))| lacking(waiver).is_empty())
        .filter(|(_, (_, waiver))| waiver.expires.get().is_some_and(|end| *end > now))
        .filter_map(|(at, (layer, waiver))| {
            let code = policy.code_of(waiver.rule.get()?)?.into_owned();
            let key = waiver.key.get()?.as_str();
            // One that means keys of several tenants was written for one of them.
            let allowed = barred(policy, &code, Some(layer)).is_none() && !is_ambiguous(key);
            allowed.then_some((at, code, key))
        })
        .collect();
    let mut by_code: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for (at, code, key) in &good {
        by_code.entry(code).or_default().push((*at, key));
    }
    let mut out = Settled { kept: Vec::new(), waived: Vec::new(), used: BTreeSet::new() };
    for finding in findings {
        let own = by_code.get(&*finding.code).filter(|_| !finding.unchecked);
        let own = own.into_iter().flatten();
        let mut covers = own.filter(|(_, key)| is_about(&finding, key)).peekable();
        if covers.peek().is_some() {
            out.used.extend(covers.map(|(at, _)| *at));
            out.waived.push(WaivedFinding { finding, by: WaivedBy::Waiver });
        } else {
            out.kept.push(finding);
        }
    }
    out
}

/// P002: waivers that could have covered something and did not.
pub(crate) fn unused(
    policy: &Policy,
    now: Timestamp,
    used: &BTreeSet<usize>,
    is_ambiguous: &dyn Fn(&str) -> bool,
    base: Base<'_>,
    out: &mut Vec<Finding>,
) {
    let Some((rule, settings)) = base("P002").filter(|(_, settings)| settings.enabled) else {
        return;
    };
    let mut sink = Sink { rule, severity: settings.severity, out };
    for (at, (layer, waiver)) in policy.waivers().enumerate() {
        let Some(code) = waiver.rule.get().and_then(|rule| policy.code_of(rule)) else { continue };
        // What is in disorder has been reported as such.
        let sound = lacking(waiver).is_empty()
            && waiver.expires.get().is_some_and(|end| *end > now)
            && barred(policy, &code, Some(layer)).is_none();
        let Some(key) = waiver.key.get().filter(|_| sound && !used.contains(&at)) else { continue };
        if is_ambiguous(key) {
            continue;
        }
        let message = format!("this waiver covers nothing: {} has no finding {code}", quote(key));
        let tree = &policy.layers[layer].tree;
        let draft = Draft::new(layer, waiver.span, message)
            .help("remove it; a waiver without a finding silences the next one unseen")
            .fix(crate::fix::remove_waiver(tree, waiver.span, true));
        sink.report(draft);
    }
}

/// P008: rules of the policy's own that matched no key.
pub(crate) fn unmatched(
    policy: &Policy,
    matched: &BTreeSet<usize>,
    base: Base<'_>,
    out: &mut Vec<Finding>,
) {
    let Some((rule, settings)) = base("P008").filter(|(_, settings)| settings.enabled) else {
        return;
    };
    let mut sink = Sink { rule, severity: settings.severity, out };
    for (at, custom) in policy.custom.iter().enumerate() {
        if !matched.contains(&at) {
            let message = format!("rule {} matches no key", quote(&custom.id));
            let help = "correct its `match`, or remove it: it holds nobody to anything";
            sink.report(Draft::new(custom.layer, custom.place, message).help(help));
        }
    }
}

/// What a waiver has to have and has not.
pub(crate) fn lacking(waiver: &Waiver) -> Vec<&'static str> {
    let blank = |text: Option<&String>| text.is_none_or(|text| text.trim().is_empty());
    let fields = [
        ("reason", blank(waiver.reason.get())),
        ("approver", blank(waiver.approved_by.get())),
        // An end that could not be read has been reported as such.
        ("end", waiver.expires.is_missing()),
    ];
    fields.into_iter().filter(|(_, lacks)| *lacks).map(|(name, _)| name).collect()
}

/// True when a waiver's `key` means this key.
pub(crate) fn names(written: &str, tenant: Option<&str>, name: &str) -> bool {
    match written.split_once('/') {
        Some((wanted, key)) => key == name && Some(wanted) == tenant,
        None => written == name,
    }
}

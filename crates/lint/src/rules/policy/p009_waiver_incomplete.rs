//! P009 waiver-incomplete: a waiver without a reason, approver or expiry, or for no key.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Suggestions, quote};

use crate::policy::{lacking, names_key};
use crate::rule::{FindingSink, Fixes, PolicyContext, Rule, RuleCheck, RuleExample};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P009",
    name: "waiver-incomplete",
    severity: Severity::Error,
    summary: "a waiver that lacks a reason, approver or expiry, or that does not match exactly \
              one key",
    why: "A waiver without reason, approver and expiry cannot be reviewed. A waiver for a key that \
          does not exist would suppress findings of the next key with that name. If keys of \
          several tenants have the waiver's name, it is unclear which of them it was granted for. \
          None of these waivers applies.",
    bad: RuleExample::fields("").policy(
        "waivers:\n  - { rule: expiry-too-long, key: svc-siem-export-prod, \
         approvedBy: ciso@example.com, expires: 2026-03-31 }\n",
    ),
    good: RuleExample::fields(LONG).policy(SOUND),
    remedy: "Write `reason`, `approvedBy` and `expires`, and the key as `name` or `tenant/name`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Policy(check),
};

fn check(cx: &PolicyContext<'_>, sink: &mut FindingSink<'_>) {
    let keys = known_keys(cx);
    let mut suggestions = Suggestions::default();
    for (layer, waiver) in cx.policy.waivers() {
        let lacking = lacking(waiver);
        if !lacking.is_empty() {
            let message =
                format!("this waiver has no {} and does not apply", lacking.join(", no "));
            let span = waiver.rule.key().unwrap_or(waiver.span);
            cx.finding(layer, span, message)
                .help("a waiver needs `reason`, `approvedBy` and `expires`")
                .report(sink);
        }
        let Some(key) = waiver.key.spanned() else { continue };
        let written = key.value.split_once('/').map_or(key.value.as_str(), |(_, name)| name);
        let tenants = keys.get(written);
        let tenants: BTreeSet<Option<&str>> = tenants.into_iter().flatten().copied().collect();
        if tenants.len() > 1 && !key.value.contains('/') {
            let which = tenants.iter().flatten().map(|tenant| quote(tenant));
            let message = format!(
                "keys of several tenants are named {} ({}), so this waiver does not apply",
                quote(&key.value),
                which.collect::<Vec<_>>().join(", ")
            );
            let help = "add the tenant, as in `key: prod-eu/svc-export`, and write one waiver for \
                each tenant";
            cx.finding(layer, key.span, message).help(help).report(sink);
        }
        let is_known = || tenants.iter().any(|tenant| names_key(&key.value, *tenant, written));
        if !is_known() {
            let near = suggestions.closest(written, keys.keys().copied());
            let help = near.map_or_else(
                || "write the key as `name` or `tenant/name`".to_owned(),
                |name| format!("did you mean {}?", quote(name)),
            );
            let message = format!("no key is named {}", quote(&key.value));
            cx.finding(layer, key.span, message).help(help).report(sink);
        }
    }
}

/// The names of all keys, with the tenants that have a key of this name.
fn known_keys<'a>(cx: &PolicyContext<'a>) -> BTreeMap<&'a str, Vec<Option<&'a str>>> {
    let only = cx.policy.only_tenant();
    let documents = cx.corpus.files.iter().flat_map(|file| &file.documents);
    let mut keys: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for definition in documents.filter_map(|document| document.definition.as_ref()) {
        if let Some(name) = definition.name() {
            keys.entry(name).or_default().push(definition.tenant().or(only));
        }
    }
    keys
}

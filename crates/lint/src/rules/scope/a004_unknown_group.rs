//! A004 scope-unknown-group: an asset group, domain, endpoint group or tag that the tenant does not have.

use std::collections::{HashMap, HashSet};

use cortexkey_core::access::BUILT_IN_DOMAINS;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Field, Spanned, Suggestions, quote, scalar};

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const GROUPS: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  \
    prod-eu: { product: xsiam, assetGroups: [{ name: prod-eu, id: 16 }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A004",
    name: "scope-unknown-group",
    severity: Severity::Error,
    summary: "an asset group, domain, endpoint group or tag that the tenant does not have",
    why: "Asset groups are looked up by name when a key is generated. If one is unknown, cortexkey \
        does not generate the key; other tools generate it without a scope. An unknown domain or \
        tag silently allows nothing.",
    bad: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-ue] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n").policy(GROUPS),
    good: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n").policy(GROUPS),
    remedy: "Correct the name, or add it to the tenant's inventory in the policy. An empty \
           inventory counts as unknown; the product's own domains are always known. The fix \
           corrects names that differ only in case.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Key(check),
};

/// The selected names of an area, and the tenant's names.
type Area<'a> = (&'a str, Vec<Spanned<String>>, Vec<String>);

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let Some(tenant) = cx.tenant.and_then(|name| cx.policy.tenant(name)) else { return };
    let texts = |texts: &[Spanned<String>]| -> Vec<String> {
        texts.iter().map(|text| text.value.clone()).collect()
    };
    let groups = tenant.asset_groups.iter().filter_map(|group| group.name.get().cloned()).collect();
    let mut domains = texts(&tenant.domains);
    if !domains.is_empty() {
        domains.extend(BUILT_IN_DOMAINS.map(str::to_owned));
    }
    let own = |field: &Field<Vec<Spanned<String>>>| field.get().cloned().unwrap_or_default();
    let assets = scope.assets.get().and_then(|assets| assets.groups.get());
    let assets = assets.map(|groups| groups.iter().map(|group| group.name.clone()).collect());
    let endpoints = scope.endpoints.get();
    let areas: [Area<'_>; 4] = [
        ("asset group", assets.unwrap_or_default(), groups),
        ("domain", scope.cases.get().map(|c| own(&c.domains)).unwrap_or_default(), domains),
        (
            "endpoint group",
            endpoints.map(|e| own(&e.groups)).unwrap_or_default(),
            texts(&tenant.endpoint_groups),
        ),
        (
            "endpoint tag",
            endpoints.map(|e| own(&e.tags)).unwrap_or_default(),
            texts(&tenant.endpoint_tags),
        ),
    ];
    let folded = |text: &str| text.trim().to_lowercase();
    for (what, written, known) in areas {
        if written.is_empty() || known.is_empty() {
            continue;
        }
        let names: HashSet<&str> = known.iter().map(String::as_str).collect();
        let mut by_fold: HashMap<String, &String> = HashMap::with_capacity(known.len());
        for name in &known {
            by_fold.entry(folded(name)).or_insert(name);
        }
        let mut suggestions = Suggestions::default();
        for name in written.iter().filter(|name| !names.contains(name.value.as_str())) {
            let same = by_fold.get(&folded(&name.value)).copied();
            let mut near = || suggestions.closest(&name.value, known.iter().map(String::as_str));
            let help = match (same, near()) {
                (Some(same), _) => format!("write {}", quote(same)),
                (None, Some(near)) => format!("did you mean {}?", quote(near)),
                _ => "if it exists, add it to the tenant's inventory in the policy".to_owned(),
            };
            let message = format!(
                "tenant {} has no {what} {}",
                quote(cx.tenant.unwrap_or_default()),
                quote(&name.value)
            );
            let fix = same.map(|same| Fix::safe(name.span, scalar(same)));
            cx.finding(name.span, message).help(help).fix(fix).report(sink);
        }
    }
}

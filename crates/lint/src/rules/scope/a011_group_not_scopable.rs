//! A011 scope-group-not-scopable: an asset group that scopes cannot use.

use cortexkey_manifest::policy::{SettingSource, Severity};
use cortexkey_manifest::quote;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const CLOSED: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, assetGroups: [{ name: prod-eu, scopable: false }] }\n";

const OPEN: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, assetGroups: [{ name: prod-eu, scopable: true }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A011",
    name: "scope-group-not-scopable",
    severity: Severity::Error,
    summary: "an asset group that scopes cannot use",
    why: "Scopes accept only groups that are built from certain attributes of assets. The console \
          does not offer other groups, and the API rejects them after the key is generated.",
    bad: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n").policy(CLOSED),
    good: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n").policy(OPEN),
    remedy: "Build the group from attributes that scopes accept (class, category, provider, region, \
           organization, account, realm, application, Kubernetes cluster or namespace, code \
           repository, tags), or choose another group.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let Some((layer, tenant)) = cx.tenant.and_then(|name| cx.policy.tenant_at(name)) else {
        return;
    };
    let groups = scope.assets.get().and_then(|assets| assets.groups.get());
    for group in groups.into_iter().flatten() {
        let listed = tenant.asset_groups.iter().find(|g| g.name.get() == Some(&group.name.value));
        let Some(scopable) = listed.and_then(|listed| listed.scopable.spanned()) else { continue };
        if scopable.value {
            continue;
        }
        let message = format!("scopes cannot use asset group {}", quote(&group.name.value));
        cx.finding(group.name.span, message)
            .help("build the group from attributes that scopes accept, or choose another one")
            .also_at(cx.policy.location(SettingSource { layer, span: scopable.span }), "set here")
            .report(sink);
    }
}

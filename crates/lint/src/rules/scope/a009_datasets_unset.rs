//! A009 scope-datasets-unset: `scope.datasets` is missing for a tenant that scopes dataset rows, or
//! set for one that does not.

use cortexkey_manifest::Field;
use cortexkey_manifest::policy::{SettingSource, Severity};

use crate::model::remove_entry;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const HAS: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, datasets: true }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A009",
    name: "scope-datasets-unset",
    severity: Severity::Error,
    summary: "`scope.datasets` is missing for a tenant that scopes dataset rows, or set for one \
              that does not",
    why: "If the tenant scopes dataset rows, the call that sets a scope fails without `datasets`. \
        For other tenants, it fails with `datasets`.",
    bad: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n").policy(HAS),
    good: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n    datasets: { default: none }\n").policy(HAS),
    remedy: "Write `datasets: { default: none }`, or remove it if the tenant does not scope \
        dataset rows. The rule reports nothing if the tenant in the policy has no `datasets`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let Some((layer, tenant)) = cx.tenant.and_then(|name| cx.policy.tenant_at(name)) else {
        return;
    };
    let Some(has) = tenant.datasets.spanned() else { return };
    let finding = match (has.value, &scope.datasets) {
        (true, Field::Absent) => {
            let message = "`scope.datasets` is missing, but the tenant requires it";
            cx.finding(scope.place, message).help("write `datasets: { default: none }`")
        }
        (false, Field::Present { key, .. }) => cx
            .finding(*key, "the tenant does not scope dataset rows")
            .help("remove `datasets`")
            .fix(remove_entry(cx.tree, *key, false)),
        _ => return,
    };
    finding
        .also_at(cx.policy.location(SettingSource { layer, span: has.span }), "set here")
        .report(sink);
}

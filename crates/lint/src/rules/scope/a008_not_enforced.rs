//! A008 scope-not-enforced: the tenant does not enforce scopes, or it is unknown whether it does.

use cortexkey_core::access::Sbac;
use cortexkey_manifest::policy::{SettingSource, Severity};
use cortexkey_manifest::quote;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const OFF: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, sbac: disabled }\n";

const ON: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, sbac: enforced }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A008",
    name: "scope-not-enforced",
    severity: Severity::Warning,
    summary: "the tenant does not enforce scopes, or it is unknown whether it does",
    why: "Scopes are off in a tenant until an administrator turns them on. Until then they are \
          stored and shown, but have no effect: the key sees everything that its roles allow.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer]\n").policy(OFF),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n").policy(ON),
    remedy: "First assign a scope to every key: `cortexkey access --all --if-enforced` lists what \
           each would lose. Then turn on scope-based access control (SBAC) in the tenant's \
           server settings, and write `sbac: enforced` in the policy. The rule reports `sbac: \
           disabled` and `sbac: unknown`, and nothing if the policy does not mention `sbac`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.key()) else { return };
    let Some((layer, tenant)) = cx.tenant.and_then(|name| cx.policy.tenant_at(name)) else {
        return;
    };
    if !tenant.product.get().is_none_or(|product| product.has_scopes()) {
        return;
    }
    let Some(sbac) = tenant.sbac.spanned() else { return };
    let name = quote(cx.tenant.unwrap_or_default());
    let message = match sbac.value {
        Sbac::Enforced => return,
        Sbac::Disabled => {
            format!("tenant {name} does not enforce scopes: this scope has no effect")
        }
        Sbac::Unknown => format!("it is unknown whether tenant {name} enforces scopes"),
    };
    cx.finding(scope, message)
        .help(
            "assign scopes first (`cortexkey access --all --if-enforced` lists what each key would \
                lose), then turn on SBAC in the tenant and write `sbac: enforced`",
        )
        .also_at(cx.policy.location(SettingSource { layer, span: sbac.span }), "set here")
        .report(sink);
}

//! A010 scope-bypassable: a role of the key grants a component that bypasses scopes.

use cortexkey_core::access::{AreaMode, scope_bypasses};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::held;

const QUERIES: &str = "catalog:\n  roles:\n    \
    - { name: Query Runner, components: { Query Center: edit } }\n    \
    - { name: Case Reader, components: { Cases and Issues: view } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A010",
    name: "scope-bypassable",
    severity: Severity::Warning,
    summary: "a role of the key grants a component that bypasses scopes",
    why: "Queries on the datasets of alerts and incidents, automation, the host inventory, \
          correlation rules and dataset views ignore the scope. The scope does not limit a key \
          that may use one of them. The linter knows what predefined roles grant from the \
          product's public documents; `cortexkey roles NAME` shows each level with its source.",
    bad: RuleExample::fields("spec:\n  roles: [Query Runner]\n").policy(QUERIES),
    good: RuleExample::fields("spec:\n  roles: [Case Reader]\n").policy(QUERIES),
    remedy: "Remove the component from the role, or do not rely on the scope. Only levels that the \
           catalog or a public document states are checked.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.spanned()) else {
        return;
    };
    // If a product has no scopes, another rule reports the scope itself.
    if cx.policy.product(cx.tenant).is_some_and(|product| !product.has_scopes()) {
        return;
    }
    let open = |mode: Option<&AreaMode>| mode == Some(&AreaMode::All);
    let all = open(scope.value.assets.get().and_then(|assets| assets.mode.get()))
        && open(scope.value.cases.get().and_then(|cases| cases.mode.get()));
    if all {
        return;
    }
    let key = cx.definition.spec.as_ref().and_then(|spec| spec.scope.key());
    let mut seen = None;
    for &(at, ref resolved) in held(cx) {
        let role = &resolved.role;
        if role.holds_all || seen == Some(at) {
            continue;
        }
        let mut bypasses = scope_bypasses(std::slice::from_ref(role));
        let Some((component, how)) = bypasses.next() else { continue };
        seen = Some(at);
        let message =
            format!("{} grants {component}, which bypasses the scope: {how}", quote(&role.name));
        let mut finding = cx
            .finding(cx.definition.roles()[at].span, message)
            .help("remove the component from the role, or do not rely on the scope");
        if let Some(key) = key {
            finding = finding.also(key, "bypassed by this role");
        }
        finding.report(sink);
    }
}

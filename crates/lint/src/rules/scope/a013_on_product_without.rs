//! A013 scope-on-product-without: a scope for a product without scopes.

use cortexkey_manifest::policy::Severity;

use crate::model::remove_entry;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const XSOAR: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsoar-8 }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A013",
    name: "scope-on-product-without",
    severity: Severity::Warning,
    summary: "a scope for a product without scopes",
    why: "A scope in the definition for a product without scopes looks like a limit and is not \
          one: the key sees everything that its roles allow.",
    bad: RuleExample::fields("spec:\n  roles: [Analyst]\n").policy(XSOAR),
    good: RuleExample::fields("spec:\n  roles: [Analyst]\n").without(&["spec.scope"]).policy(XSOAR),
    remedy: "Remove the scope, and limit the key by its role.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(key) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.key()) else { return };
    let product = cx.policy.product(cx.tenant).filter(|product| !product.has_scopes());
    let Some(product) = product else { return };
    cx.finding(key, format!("product {product} has no scopes, so this scope has no effect"))
        .help("remove it, and limit the key by its role")
        .fix(remove_entry(cx.tree, key, false))
        .report(sink);
}

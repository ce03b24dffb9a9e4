//! R001 role-unknown: a role that neither the product nor the catalog has.

use std::collections::HashMap;

use cortexkey_core::access::{PREDEFINED_ROLES, PredefinedRole, Product};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Spanned, Suggestions, quote, scalar};

use crate::model::{Fix, folded};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "R001",
    name: "role-unknown",
    severity: Severity::Error,
    summary: "a role that neither the product nor the catalog has",
    why: "The product takes roles by display name and answers an unknown one with status 500, \
          possibly halfway through a rollout. This rule finds a misspelt name before anything is \
          sent.",
    bad: RuleExample::fields("spec:\n  roles: [Viewr]\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n"),
    remedy: "Correct the name. Add your own roles to the policy's `catalog.roles`. If the tenant's \
           product is not known, the predefined roles of all products are accepted.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let product = cx.policy.product(cx.tenant);
    let predefined = || PREDEFINED_ROLES.iter().filter(|role| may_have(product, role));
    let is_known =
        |name: &str| cx.listed.named(name).is_some() || predefined().any(|role| role.name == name);
    let unknown = |role: &&Spanned<String>| {
        // Another rule reports a role's id.
        !is_known(&role.value) && cx.listed.of_id(&role.value).is_none()
    };
    let mut unknown = cx.definition.roles().iter().filter(unknown).peekable();
    if unknown.peek().is_none() {
        return;
    }
    let catalog = cx.catalog.iter().map(|role| role.name.value.as_str());
    let known: Vec<&str> = catalog.chain(predefined().map(|role| role.name)).collect();
    let mut by_fold: HashMap<String, &str> = HashMap::with_capacity(known.len());
    for name in &known {
        by_fold.entry(folded(name)).or_insert(name);
    }
    let product = product.map_or(String::new(), |product| format!(" of {}", product.as_str()));
    let mut suggestions = Suggestions::default();
    for role in unknown {
        let name = role.value.as_str();
        let same = by_fold.get(&folded(name)).copied();
        let fix = same.map(|same| Fix::safe(role.span, scalar(same)));
        let (message, help) = if let Some(same) = same {
            let message = format!(
                "this role is spelt {}, not {}: case and spaces matter",
                quote(same),
                quote(name)
            );
            (message, format!("write {}", quote(same)))
        } else {
            let message = format!(
                "unknown role {}: it is neither a predefined role{product} nor in the catalog",
                quote(name)
            );
            let help = match suggestions.closest(name, known.iter().copied()) {
                Some(best) => format!("did you mean {}?", quote(best)),
                None => "add your own roles to the policy's `catalog.roles`".to_owned(),
            };
            (message, help)
        };
        cx.finding(role.span, message).help(help).fix(fix).report(sink);
    }
}

/// If the product is unknown, or its roles are not published in full, all roles count: incomplete
/// knowledge must not cause a finding.
pub(crate) fn may_have(product: Option<Product>, role: &PredefinedRole) -> bool {
    product
        .filter(|product| product.publishes_roles())
        .is_none_or(|product| role.products.contains(&product))
}

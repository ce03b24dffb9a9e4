//! R008 role-deprecated: a role that the catalog marks as deprecated.

use cortexkey_manifest::policy::CatalogRole;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Spanned, quote, scalar};

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const OLD: &str = "catalog: { roles: [{ name: Old Viewer, deprecated: { use: Viewer } }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R008",
    name: "role-deprecated",
    severity: Severity::Warning,
    summary: "a role that the catalog marks as deprecated",
    why: "Removing a role from the tenant takes it away from every key that has it.",
    bad: RuleExample::fields("spec:\n  roles: [Old Viewer]\n").policy(OLD),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n").policy(OLD),
    remedy: "Use the replacement role. The fix is safe if the catalog lists the same components \
        and actions for both roles; otherwise it needs `--unsafe-fixes`.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    for role in cx.definition.roles() {
        let listed = cx.listed.meant(&role.value);
        let Some((listed, old)) = listed.and_then(|l| Some((l, l.deprecated.get()?))) else {
            continue;
        };
        let new = old.replacement.get();
        let message = format!("role {} is deprecated", quote(&role.value));
        let help = match new {
            Some(new) => format!("use {}", quote(new)),
            None => "use another role".to_owned(),
        };
        let safe = new.is_some_and(|new| cx.listed.meant(new).is_some_and(|new| same(listed, new)));
        let fix = new.map(|new| Fix { safe, ..Fix::safe(role.span, scalar(new)) });
        cx.finding(role.span, message).help(help).fix(fix).report(sink);
    }
}

/// True if the catalog lists the same permissions for a role and its replacement.
fn same(old: &CatalogRole, new: &CatalogRole) -> bool {
    let levels = |role: &CatalogRole| {
        let levels = role.components.iter().map(|(name, level)| (name.value.clone(), *level));
        let mut levels: Vec<_> = levels.collect();
        levels.sort();
        levels
    };
    let names = |names: &[Spanned<String>]| {
        let mut names: Vec<_> = names.iter().map(|name| name.value.clone()).collect();
        names.sort();
        names
    };
    !old.components.is_empty()
        && levels(old) == levels(new)
        && names(&old.actions) == names(&new.actions)
        && names(&old.implies) == names(&new.implies)
}

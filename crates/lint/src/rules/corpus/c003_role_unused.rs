//! C003 role-unused: a role in the catalog that no key holds.

use std::collections::{HashMap, HashSet};

use cortexkey_manifest::access::closure;
use cortexkey_manifest::policy::{CatalogRole, SettingSource, Severity};
use cortexkey_manifest::quote;

use crate::model::FindingBuilder;
use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::named;

const ROLE: &str = "catalog: { roles: [{ name: SIEM Export }] }\n";

pub(crate) static RULE: Rule = Rule {
    code: "C003",
    name: "role-unused",
    severity: Severity::Info,
    summary: "a role in the catalog that no key holds",
    why: "A role that stays in the catalog invites somebody to assign it. Keys are only part of \
        its use: users of the tenant may have the role too.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer]\n").policy(ROLE),
    good: RuleExample::fields("spec:\n  roles: [SIEM Export]\n").policy(ROLE),
    remedy: "Remove the role from the catalog if no user of the tenant has it either. The rule \
             runs only if the complete corpus is checked and all its files can be read, and only \
             for policies with `keys`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    if cx.corpus.partial || cx.corpus.files.is_empty() || !cx.corpus.is_complete() {
        return;
    }
    let keys: Vec<_> = named(cx).collect();
    let named = keys.iter().flat_map(|key| key.definition.roles());
    let listed: Vec<(usize, &CatalogRole)> = cx.policy.roles_at().collect();
    let mut by_name: HashMap<&str, &CatalogRole> = HashMap::with_capacity(listed.len());
    for (_, role) in &listed {
        by_name.entry(&role.name.value).or_insert(role);
    }
    let find = |name: &str| by_name.get(name).copied();
    // A role that a held role includes is in use.
    let held = closure(named.map(|role| role.value.as_str()), find);
    let held: HashSet<&str> = held.into_iter().map(|(name, _)| name).collect();
    for (layer, role) in &listed {
        // A deprecated role is meant to be unused.
        if held.contains(role.name.value.as_str()) || role.deprecated.get().is_some() {
            continue;
        }
        let at = SettingSource { layer: *layer, span: role.name.span };
        let message = format!("no key holds the role {}", quote(&role.name.value));
        FindingBuilder::new(cx.policy.location(at), message)
            .help("remove it from the catalog if no key or user in the tenant has it")
            .report(sink);
    }
}

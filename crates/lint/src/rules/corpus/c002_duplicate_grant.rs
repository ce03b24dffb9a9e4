//! C002 duplicate-grant: keys of one owner with the same level, roles and scope.

use std::collections::BTreeMap;

use cortexkey_manifest::access::{canonical, scope};
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Field, quote};

use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::{Named, by_owner, names};

const TWINS: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export-again, owner: team-detection }
spec: { securityLevel: advanced, comment: Also exports incidents, lifetime: 30d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

const DIFFERENT: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export-scans, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports scan results, lifetime: 30d, roles: [Developer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

pub(crate) static RULE: Rule = Rule {
    code: "C002",
    name: "duplicate-grant",
    severity: Severity::Warning,
    summary: "keys of one owner with the same level, roles and scope",
    why: "Every key is a secret that can leak and must be rotated. Two keys with the same \
          permissions for the same team are often one key that was generated again and one that \
          was forgotten.",
    bad: RuleExample::file(TWINS),
    good: RuleExample::file(DIFFERENT),
    remedy: "Use one key for both, or give them different permissions. If two consumers must be \
           revocable separately, write a waiver.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    for keys in by_owner(cx).into_values() {
        // What a key may do is looked up only where its owner has another one.
        if let [_, _, ..] = keys.as_slice() {
            of_owner(keys, sink);
        }
    }
}

/// How many of a group's keys are named besides the one with the finding.
const SHOWN_MAX: usize = 10;

/// Reports one finding for each group of equal keys.
fn of_owner(keys: Vec<Named<'_>>, sink: &mut FindingSink<'_>) {
    let mut groups: BTreeMap<Vec<String>, Vec<Named<'_>>> = BTreeMap::new();
    for key in keys {
        if let Some(grant) = grant(key.definition, key.tenant) {
            groups.entry(grant).or_default().push(key);
        }
    }
    let mut groups: Vec<Vec<Named<'_>>> = groups.into_values().collect();
    groups.sort_by_key(|group| group.first().map(Named::location));
    for group in groups.iter().filter(|group| group.len() > 1) {
        // The first one stays, and a key that is not reported on gets no finding.
        let carries = |key: &&Named<'_>| key.file.reported;
        let Some(here) = group.iter().skip(1).find(carries).or_else(|| group.iter().find(carries))
        else {
            continue;
        };
        let is_other = |key: &&Named<'_>| key.location() != here.location();
        let others: Vec<&Named<'_>> = group.iter().filter(is_other).collect();
        let shown = others.iter().take(3).map(|key| quote(key.name)).collect::<Vec<_>>().join(", ");
        let more = match others.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!("{} has the same permissions as {shown}{more}", quote(here.name));
        let mut finding = here
            .finding(message)
            .detail(names(group))
            .help("use one key for all of them, or give them different permissions");
        for other in others.iter().take(SHOWN_MAX) {
            finding = finding.also_at(other.location(), "has the same permissions");
        }
        finding.report(sink);
    }
}

/// The permissions of a key, in canonical order; `None` if some of them cannot be read.
fn grant(definition: &Definition, tenant: Option<&str>) -> Option<Vec<String>> {
    let spec = definition.spec.as_ref()?;
    let mut roles: Vec<String> = definition.roles().iter().map(|role| role.value.clone()).collect();
    if roles.is_empty() {
        return None;
    }
    roles.sort();
    roles.dedup();
    let scope = match &spec.scope {
        Field::Present { value, .. } => canonical::scope(&scope(&value.value).ok()?),
        Field::Absent | Field::Empty(_) => String::new(),
        Field::Bad(_) => return None,
    };
    let level = spec.level.get()?.as_str().to_owned();
    roles.extend([tenant.unwrap_or_default().to_owned(), level, scope]);
    Some(roles)
}

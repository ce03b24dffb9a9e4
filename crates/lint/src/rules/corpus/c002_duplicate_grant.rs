//! C002 duplicate-grant: two keys of one owner with the same level, roles and scope.

use std::collections::BTreeMap;

use cortexkey_manifest::access::Access;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use super::{Named, by_owner};
use crate::rules::{Check, CorpusContext, Draft, Example, Fixes, Rule, Sink};
use crate::settings::Settings;

const TWINS: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export-again, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents as well, lifetime: 30d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "C002",
    name: "duplicate-grant",
    severity: Severity::Warning,
    summary: "two keys of one owner with the same level, roles and scope",
    why: "Each key is one more secret that can be lost and has to be rotated. Two that may do the same for the same team are often one, and one that was forgotten.",
    bad: Example::file(TWINS),
    good: Example::fields("metadata:\n  name: svc-export\n"),
    mend: "Use one key for both, or tell them apart by what they may do. Two consumers that must be revoked separately are a reason for a waiver.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    for keys in by_owner(cx).into_values() {
        // What a key may do is looked up only where its owner has another one.
        if let [_, _, ..] = keys.as_slice() {
            of_owner(keys, settings, sink);
        }
    }
}

fn of_owner(keys: Vec<Named<'_>>, settings: &Settings, sink: &mut Sink<'_>) {
    let mut seen: BTreeMap<Vec<String>, Named<'_>> = BTreeMap::new();
    for key in keys {
        let Some(grant) = grant(key.definition, key.tenant) else { continue };
        let Some(first) = seen.get(&grant) else {
            seen.insert(grant, key);
            continue;
        };
        let (here, there) = key.beside(first);
        let message = format!("{} may do the same as {}", quote(here.name), quote(there.name));
        let draft = Draft::new(here.source, here.span, message)
            .key(Some(here.name))
            .help("use one key for both, or tell them apart by what they may do")
            .also_in(there.source, there.span, "the other one");
        sink.report_as(settings, draft);
    }
}

/// All that a key may do, in one order; nothing where some of it cannot be read.
fn grant(definition: &Definition, tenant: Option<&str>) -> Option<Vec<String>> {
    let spec = definition.spec.as_ref()?;
    let mut roles: Vec<String> = definition.roles().iter().map(|role| role.value.clone()).collect();
    if roles.is_empty() {
        return None;
    }
    roles.sort();
    roles.dedup();
    let access = Access::of(definition, &[], None).ok()?;
    let scope = format!("{:?}", access.scope);
    let level = spec.level.get()?.as_str().to_owned();
    roles.extend([tenant.unwrap_or_default().to_owned(), level, scope]);
    Some(roles)
}

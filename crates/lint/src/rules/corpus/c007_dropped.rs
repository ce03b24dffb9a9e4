//! C007 key-dropped: a key in the lock file no longer has a definition.

use std::collections::HashSet;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::model::FindingBuilder;
use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::named;

const LOCK: &str = "apiVersion: cortexkey/v1
kind: Lock
tenants:
  prod-eu:
    host: api-acme.xdr.eu.paloaltonetworks.com
    keys:
      svc-siem-export-prod: { id: 56 }
      svc-old-import-prod: { id: 41 }
";

const KEPT: &str = "apiVersion: cortexkey/v1
kind: Lock
tenants:
  prod-eu:
    host: api-acme.xdr.eu.paloaltonetworks.com
    keys:
      svc-siem-export-prod: { id: 56 }
";

pub(crate) static RULE: Rule = Rule {
    code: "C007",
    name: "key-dropped",
    severity: Severity::Warning,
    summary: "a key in the lock file no longer has a definition",
    why: "The lock file maps definitions to the tenant's keys. If a definition is deleted and its \
          key stays, the key keeps all its permissions without an owner.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").lock(LOCK),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").lock(KEPT),
    remedy: "Delete the key in the tenant and remove it from the lock file, or restore the \
           definition.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(lock) = &cx.corpus.lock else { return };
    let is_complete = cx.corpus.is_complete();
    let defined: HashSet<(Option<&str>, &str)> =
        named(cx).map(|key| (key.tenant, key.name)).collect();
    for (tenant, name, key) in lock.lock.keys() {
        let Some(id) = key.id.filter(|_| !defined.contains(&(Some(tenant), name))) else {
            continue;
        };
        let name = quote(name);
        let (message, help) = if is_complete {
            (
                format!("key {name} (id {id}) no longer has a definition, and still works"),
                "revoke the key and remove this entry, or restore the definition",
            )
        } else {
            (
                format!("key {name} (id {id}) has no definition in the files that were checked"),
                "fix the files that could not be checked; its definition may be in one of them",
            )
        };
        FindingBuilder::new(cx.in_lock(key.place), message).help(help).report(sink);
    }
}

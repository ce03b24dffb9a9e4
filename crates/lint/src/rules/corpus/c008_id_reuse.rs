//! C008 key-id-reuse: one key id of a tenant has two names in the lock file.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::model::FindingBuilder;
use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

const LOCK: &str = "apiVersion: cortexkey/v1
kind: Lock
tenants:
  prod-eu:
    host: api-acme.xdr.eu.paloaltonetworks.com
    keys:
      svc-siem-export-prod: { id: 56 }
      svc-import-prod: { id: 56 }
";

const KEPT: &str = "apiVersion: cortexkey/v1
kind: Lock
tenants:
  prod-eu:
    host: api-acme.xdr.eu.paloaltonetworks.com
    keys:
      svc-siem-export-prod: { id: 56 }
";

const OFF: &str = "rules: { key-dropped: { enabled: false } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "C008",
    name: "key-id-reuse",
    severity: Severity::Error,
    summary: "the lock file lists one key id of a tenant under two names",
    why: "Two definitions share one key: the one applied last wins, and the other describes a key \
          that does not exist.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").lock(LOCK).policy(OFF),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").lock(KEPT),
    remedy: "Remove the wrong entry. `id` is the number in the console's ID column.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(lock) = &cx.corpus.lock else { return };
    for reused in lock.lock.reused_ids() {
        let message = format!("id {} is listed twice, here for {}", reused.id, quote(reused.name));
        FindingBuilder::new(cx.in_lock(reused.place), message)
            .help("remove the wrong entry; the id is the number in the console's ID column")
            .also(reused.first_place, "first here")
            .report(sink);
    }
}

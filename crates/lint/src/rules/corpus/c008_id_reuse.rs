//! C008 key-id-reuse: one key id of a tenant stands under two names in the lock file.

use std::collections::BTreeMap;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Spanned, quote};

use crate::rules::{Check, CorpusContext, Draft, Example, Fixes, Rule, Sink};
use crate::settings::Settings;

const LOCK: &str = "apiVersion: cortexkey/v1\nkind: Lock\nkeys:\n  - { name: svc-siem-export-prod, id: 56 }\n  - { name: svc-import-prod, id: 56 }\n";

const KEPT: &str =
    "apiVersion: cortexkey/v1\nkind: Lock\nkeys:\n  - { name: svc-siem-export-prod, id: 56 }\n";

const OFF: &str = "rules: { key-dropped: { enabled: false } }\n";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "C008",
    name: "key-id-reuse",
    severity: Severity::Error,
    summary: "one key id of a tenant stands under two names in the lock file",
    why: "Two definitions for one key: whichever is applied last wins, and the other one describes a key that does not exist.",
    bad: Example::fields("metadata:\n  name: svc-siem-export-prod\n").lock(LOCK).policy(OFF),
    good: Example::fields("metadata:\n  name: svc-siem-export-prod\n").lock(KEPT),
    mend: "Remove the entry that is wrong; `id` is the column ID of the console.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let Some(lock) = &cx.corpus.lock else { return };
    let only = cx.policy.only_tenant();
    let mut seen: BTreeMap<(Option<&str>, u64), &Spanned<u64>> = BTreeMap::new();
    for key in &lock.keys {
        let Some(id) = key.id.spanned() else { continue };
        let tenant = key.tenant.get().map(String::as_str).or(only);
        if let Some(first) = seen.get(&(tenant, id.value)) {
            let name = key.name.get().map(String::as_str).unwrap_or_default();
            let message = format!("id {} stands twice, here for {}", id.value, quote(name));
            let draft = Draft::new(cx.lock_source(), id.span, message)
                .help("remove the entry that is wrong; the id is the console's column ID")
                .also(first.span, "first here");
            sink.report_as(settings, draft);
        } else {
            seen.insert((tenant, id.value), id);
        }
    }
}

//! C001 duplicate-name: two definitions for one tenant have the same name.

use std::collections::BTreeMap;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::{Named, fold, named};

const TWO: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: SVC-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports issues, lifetime: 30d, roles: [Developer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

const RENAMED: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export-issues, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports issues, lifetime: 30d, roles: [Developer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

pub(crate) static RULE: Rule = Rule {
    code: "C001",
    name: "duplicate-name",
    severity: Severity::Error,
    summary: "two definitions for one tenant have the same name",
    why: "Keys have no names in the product, so only the definition's name ties it to its key. \
          Two definitions with the same name, or with names that differ only in case, claim the \
          same key.",
    bad: RuleExample::file(TWO),
    good: RuleExample::file(RENAMED),
    remedy: "Rename one of the two.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    let mut by_name: BTreeMap<(Option<&str>, String), Vec<Named<'_>>> = BTreeMap::new();
    for key in named(cx) {
        by_name.entry((key.tenant, fold(key.name))).or_default().push(key);
    }
    for ((tenant, _), group) in by_name {
        let Some((first, others)) = group.split_first() else { continue };
        for other in others {
            let (here, there) = other.beside(first);
            let place =
                tenant.map_or(String::new(), |tenant| format!(" in tenant {}", quote(tenant)));
            let message = format!("the name {} is already used{place}", quote(here.name));
            here.finding(message)
                .help("rename one of the two; names that differ only in case are equal")
                .also_at(there.location(), "the other definition")
                .report(sink);
        }
    }
}

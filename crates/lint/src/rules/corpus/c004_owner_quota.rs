//! C004 owner-key-quota: an owner has more keys than the policy grants.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::{Subject, rule_options};
use crate::rule::{Check, CorpusContext, Example, Fixes, Rule, Sink};
use crate::rules::corpus::keys::{by_owner, names};

const QUOTA: &str = "rules: { owner-key-quota: { max: 1 } }\n";

const THREE: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-import, owner: team-detection }
spec: { securityLevel: advanced, comment: Imports indicators, lifetime: 30d, roles: [Developer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

rule_options! {
    struct Options {
        /// how many keys one owner may have
        max: Option<usize>, Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "C004",
    name: "owner-key-quota",
    severity: Severity::Warning,
    summary: "an owner has more keys than the policy grants",
    why: "A team that owns very many keys rotates none of them in time. A quota is the occasion to look at which of them are still used.",
    bad: Example::file(THREE).policy(QUOTA),
    good: Example::fields("metadata:\n  name: svc-export\n").policy(QUOTA),
    mend: "Remove keys that are no longer used, or raise the quota for this owner with an override. Nothing is asked for until a policy sets `max`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: Check::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut Sink<'_>) {
    for (owner, keys) in by_owner(cx) {
        // An override may grant one owner more than another.
        let subject = keys.first().map(|key| Subject {
            definition: key.definition,
            tenant: key.tenant,
            path: key.file.path_in_policy(),
            match_paths: &cx.policy.match_paths,
        });
        let own = subject.and_then(|subject| cx.policy.rule_settings(&RULE.id()).for_key(&subject));
        let settings = own.as_ref().unwrap_or(sink.settings);
        let quota = Options::of(settings).max;
        let Some(max) = quota.value.filter(|_| settings.enabled) else { continue };
        let Some(over) = keys.get(max) else { continue };
        let message = format!("{} owns {} keys; the policy grants {max}", quote(owner), keys.len());
        let finding = over
            .finding(message)
            // One key more is another fault.
            .detail(names(&keys))
            .help("remove keys that are no longer used, or raise the quota for this owner")
            .decided(quota.decided, "the quota");
        sink.report_at(settings.severity, finding);
    }
}

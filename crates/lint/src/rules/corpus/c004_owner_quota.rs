//! C004 owner-key-quota: an owner has more keys than the policy allows.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;
use cortexkey_system::counted;

use crate::policy::{Subject, rule_options};
use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::{by_owner, names};

const QUOTA: &str = "rules: { owner-key-quota: { max: 1 } }\n";

const TWO: &str = "apiVersion: cortexkey/v1
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

const SHARED: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-import, owner: team-intel }
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
    summary: "an owner has more keys than the policy allows",
    why: "A team with too many keys rotates none of them in time. A quota makes the team review \
          which keys it still uses.",
    bad: RuleExample::file(TWO).policy(QUOTA),
    good: RuleExample::file(SHARED).policy(QUOTA),
    remedy: "Remove unused keys, give keys to the team that uses them, or raise the quota for this owner with an override. The rule has \
           no effect until a policy sets `max`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    for (owner, keys) in by_owner(cx) {
        // An override may allow one owner more than another.
        let subject = keys.first().map(|key| Subject {
            definition: key.definition,
            tenant: key.tenant,
            path: key.file.path_in_policy(),
            match_paths: &cx.policy.match_paths,
            role_ids: &cx.policy.role_ids,
        });
        let own = subject.and_then(|subject| cx.policy.rule_settings(&RULE.id()).for_key(&subject));
        let settings = own.as_ref().unwrap_or(sink.settings);
        let quota = Options::of(settings).max;
        let Some(max) = quota.value.filter(|_| settings.enabled) else { continue };
        let Some(over) = keys.get(max) else { continue };
        let message = format!(
            "{} owns {}; the policy allows at most {max}",
            quote(owner),
            counted(keys.len(), "key")
        );
        let finding = over
            .finding(message)
            // One more key is a different finding.
            .detail(names(&keys))
            .help("remove unused keys, or raise the quota for this owner")
            .decided(quota.decided, "the quota");
        sink.report_at(settings.severity, finding);
    }
}

//! P008 policy-rule-never-matches: a custom rule whose `match` selects no key.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

const CUSTOM: &str = "customRules:\n  - id: ORG001\n    name: prod-is-advanced\n    \
    match: { labels: { env: prod } }\n    assert: \"key.spec.securityLevel == 'advanced'\"\n    \
    message: production keys are advanced\n";

pub(crate) static RULE: Rule = Rule {
    code: "P008",
    name: "policy-rule-never-matches",
    severity: Severity::Warning,
    summary: "a custom rule whose `match` selects no key",
    why: "Such a rule checks nothing. A common cause is a renamed label.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").policy(CUSTOM),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n  labels: { env: prod }\n")
        .policy(CUSTOM),
    remedy: "Correct the custom rule's `match`, or remove the rule. P008 runs only if the complete \
        corpus is checked.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Engine,
};

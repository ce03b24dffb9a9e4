//! P006 policy-unknown-rule: a rule or an option that does not exist.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "P006",
    name: "policy-unknown-rule",
    severity: Severity::Error,
    summary: "a rule or an option that does not exist",
    why: "A misspelt rule is never applied. The run ends with exit code 2.",
    bad: RuleExample::fields("").policy("rules: { expiry-to-long: { max: 30d } }\n"),
    good: RuleExample::fields("").policy("rules: { expiry-too-long: { max: 120d } }\n"),
    remedy: "Correct the name; `cortexkey rules` lists all rules.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Engine,
};

//! S002 schema-missing-field: a required field without its own rule.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "S002",
    name: "schema-missing-field",
    severity: Severity::Error,
    summary: "a required field is missing",
    why: "Fields that matter for security have no defaults: programs would have to guess them, \
          and two programs guess differently.",
    bad: RuleExample::fields("metadata:\n  owner: team-detection\n").without(&["metadata.name"]),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n  owner: team-detection\n"),
    remedy: "Write the field. Fields with their own rule (owner, security level, roles, expiry, \
           scope) are reported by that rule.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::MissingField, |_, _, _| None),
};

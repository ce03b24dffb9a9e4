//! S002 schema-missing-field: a required field without a rule of its own.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "S002",
    name: "schema-missing-field",
    severity: Severity::Error,
    summary: "a required field is missing",
    why: "Nothing that matters to security has a default: what is not written would have to be \
          guessed, and two programs guess differently.",
    bad: Example::fields("metadata:\n  owner: team-detection\n").without(&["metadata.name"]),
    good: Example::fields("metadata:\n  name: svc-siem-export-prod\n  owner: team-detection\n"),
    mend: "Write the field. Fields with a rule of their own (owner, security level, roles, expiry, \
           scope) are reported by that rule.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Problems(|problem| problem.kind == ProblemKind::MissingField, |_, _, _| None),
};

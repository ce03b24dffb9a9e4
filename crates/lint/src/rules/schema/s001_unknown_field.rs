//! S001 schema-unknown-field: a field that the format does not have.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::Settings;
use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "S001",
    name: "schema-unknown-field",
    severity: Severity::Error,
    summary: "a field that the format does not have",
    why: "A misspelt field has no effect: `expire: 2027-01-01` would give the key no expiry, \
          unnoticed.",
    bad: RuleExample::fields("spec:\n  commnet: for the SIEM\n").without(&["spec.comment"]),
    good: RuleExample::fields("spec:\n  comment: for the SIEM\n"),
    remedy: "Correct the name, or remove the field. Use `metadata.annotations` for free text.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::UnknownField, rename),
};

/// Replaces the name with the one that was probably meant.
fn rename(_: &Tree, problem: &Problem, _: &Settings) -> Option<Fix> {
    problem.meant.as_deref().map(|meant| Fix::unsafe_(problem.span, meant))
}

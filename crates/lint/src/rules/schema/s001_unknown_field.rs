//! S001 schema-unknown-field: a field that the format does not have.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::Settings;
use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "S001",
    name: "schema-unknown-field",
    severity: Severity::Error,
    summary: "a field that the format does not have",
    why: "A misspelt field is a field that is not there: `expire: 2027-01-01` would make a key \
          that never ends, and nobody would see it.",
    bad: Example::fields("spec:\n  commnet: for the SIEM\n").without(&["spec.comment"]),
    good: Example::fields("spec:\n  comment: for the SIEM\n"),
    mend: "Correct the name, or remove the field. Free text belongs into `metadata.annotations`.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Problems(|problem| problem.kind == ProblemKind::UnknownField, rename),
};

/// What was most likely meant, in the place of what is written.
fn rename(_: &Tree, problem: &Problem, _: &Settings) -> Option<Fix> {
    problem.meant.as_deref().map(|meant| Fix::unsafe_(problem.span, meant))
}

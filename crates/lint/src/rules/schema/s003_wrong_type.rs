//! S003 schema-wrong-type: a value of the wrong shape.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::Settings;
use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "S003",
    name: "schema-wrong-type",
    severity: Severity::Error,
    summary: "a value of the wrong shape",
    why: "A text where a list belongs is read as one role by some programs and as a list of \
          letters by others. All such places of a file are reported at once.",
    bad: Example::fields("spec:\n  roles: Viewer\n"),
    good: Example::fields("spec:\n  roles: [Viewer]\n"),
    mend: "Write the shape that the message names. The fix makes a list of a text that stands where one belongs.",
    options: &[],
    fixes: Fixes::Safe,
    check: Check::Problems(|problem| problem.kind == ProblemKind::WrongType, rewrite),
};

/// The text as a list with one item.
fn rewrite(_: &Tree, problem: &Problem, _: &Settings) -> Option<Fix> {
    problem.rewrite.as_deref().map(|list| Fix::safe(problem.span, list))
}

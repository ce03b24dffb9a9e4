//! S003 schema-wrong-type: a value of the wrong shape.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rules::{Check, Example, Fixes, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "S003",
    name: "schema-wrong-type",
    severity: Severity::Error,
    summary: "a value of the wrong shape",
    why: "A text where a list belongs is read as one role by some programs and as a list of \
          letters by others. All such places of a file are reported at once.",
    bad: Example::fields("spec:\n  roles: Viewer\n"),
    good: Example::fields("spec:\n  roles: [Viewer]\n"),
    mend: "Write the shape that the message names.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Problems(|problem| problem.kind == ProblemKind::WrongType, |_, _, _| None),
};

//! S003 schema-wrong-type: a value of the wrong type.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::Settings;
use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "S003",
    name: "schema-wrong-type",
    severity: Severity::Error,
    summary: "a value of the wrong type",
    why: "If a list is expected, some programs read the string `Viewer` as one role and others as \
        six letters.",
    bad: RuleExample::fields("spec:\n  roles: Viewer\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n"),
    remedy: "Write the type that the message names. The fix turns a string into a list where a list \
           is required.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::WrongType, rewrite),
};

/// The text as a list with one item.
fn rewrite(_: &Tree, problem: &Problem, _: &Settings) -> Option<Fix> {
    problem.rewrite.as_deref().map(|list| Fix::safe(problem.span, list))
}

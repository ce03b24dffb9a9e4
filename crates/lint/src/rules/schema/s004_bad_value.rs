//! S004 schema-bad-value: a value that the field does not accept.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::Settings;
use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "S004",
    name: "schema-bad-value",
    severity: Severity::Error,
    summary: "a value that the field does not accept",
    why: "A misspelt security level or scope mode has no meaning. A program that falls back to a \
          default generates a weaker key than the reviewed one.",
    bad: RuleExample::fields("spec:\n  securityLevel: advnaced\n"),
    good: RuleExample::fields("spec:\n  securityLevel: advanced\n"),
    remedy: "Write one of the values that the message lists. Case matters.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::BadValue, rename),
};

/// Replaces the value with the one that was probably meant.
fn rename(_: &Tree, problem: &Problem, _: &Settings) -> Option<Fix> {
    problem.meant.as_deref().map(|meant| Fix::unsafe_(problem.span, meant))
}

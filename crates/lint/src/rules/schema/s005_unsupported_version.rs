//! S005 schema-unsupported-version: an unknown `apiVersion` or `kind`.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{COMPLETE, Fixes, Rule, RuleCheck, RuleExample, definition};

const UNKNOWN: &str = definition!(
    "apiVersion: cortexkey/v2",
    "{ name: svc-siem-export-prod, owner: team-detection }"
);

pub(crate) static RULE: Rule = Rule {
    code: "S005",
    name: "schema-unsupported-version",
    severity: Severity::Error,
    summary: "an unknown `apiVersion` or `kind`",
    why: "Fields of another version may have another meaning. The rest of such a document is not \
        checked, which is an error.",
    bad: RuleExample::file(UNKNOWN),
    good: RuleExample::file(COMPLETE),
    remedy: "Write `apiVersion: cortexkey/v1` and `kind: ApiKey`, or narrow the policy's `keys` to \
           the files that hold key definitions.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(
        |problem| problem.kind == ProblemKind::UnsupportedVersion,
        |_, _, _| None,
    ),
};

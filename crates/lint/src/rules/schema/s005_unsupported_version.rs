//! S005 schema-unsupported-version: an `apiVersion` or `kind` that is not known.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "S005",
    name: "schema-unsupported-version",
    severity: Severity::Error,
    summary: "an `apiVersion` or `kind` that is not known",
    why: "Fields of another version may mean something else. The rest of such a document is not \
          judged, and that is said instead of being left out.",
    bad: Example::file("apiVersion: cortexkey/v2\nkind: ApiKey\nmetadata: { name: svc-export }\n"),
    good: Example::fields("metadata:\n  name: svc-export\n"),
    mend: "Write `apiVersion: cortexkey/v1` and `kind: ApiKey`, or narrow the policy's `keys` to \
           the files that hold key definitions.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Problems(
        |problem| problem.kind == ProblemKind::UnsupportedVersion,
        |_, _, _| None,
    ),
};

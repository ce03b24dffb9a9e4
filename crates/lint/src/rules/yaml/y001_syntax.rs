//! Y001 yaml-syntax: the file cannot be read as YAML.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "Y001",
    name: "yaml-syntax",
    severity: Severity::Error,
    summary: "the file is not YAML, not UTF-8, over a limit, or cannot be read",
    why: "What cannot be read cannot be judged. A file that is passed over may hold the one key \
          that nobody wanted, so it is an error and never a warning.",
    bad: Example::file("apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc-export\n"),
    good: Example::fields("metadata:\n  name: svc-export\n"),
    mend: "Close the bracket or quote that the caret points behind, or save the file as UTF-8. \
           The limits are 1 MiB a file, 64 levels of nesting, 200,000 values, 1,024 documents.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Problems(|problem| problem.kind == ProblemKind::YamlSyntax, |_, _, _| None),
};

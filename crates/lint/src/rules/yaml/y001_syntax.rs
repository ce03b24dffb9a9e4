//! Y001 yaml-syntax: the file cannot be read as YAML.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{COMPLETE, Fixes, Rule, RuleCheck, RuleExample, definition};

const OPEN: &str =
    definition!("apiVersion: cortexkey/v1", "{ name: svc-siem-export-prod, owner: team-detection");

pub(crate) static RULE: Rule = Rule {
    code: "Y001",
    name: "yaml-syntax",
    severity: Severity::Error,
    summary: "the file is not YAML, not UTF-8, over a limit, or cannot be read",
    why: "A file that cannot be read cannot be checked. It may hold the one key that matters, so \
          it is an error and never a warning.",
    bad: RuleExample::file(OPEN),
    good: RuleExample::file(COMPLETE),
    remedy: "Close the bracket or quote at the caret, or save the file as UTF-8. The limits are 1 \
           MiB per file, 64 levels of nesting, 200,000 values and 1,024 documents.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::YamlSyntax, |_, _, _| None),
};

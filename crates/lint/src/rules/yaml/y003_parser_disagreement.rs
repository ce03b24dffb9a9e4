//! Y003 yaml-parser-disagreement: readers built on libYAML read the file differently than a YAML 1.2
//! parser does.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{COMPLETE, Fixes, Rule, RuleCheck, RuleExample, definition};

const DIRECTIVE: &str = definition!(
    "%FOO this directive means nothing\n---\napiVersion: cortexkey/v1",
    "{ name: svc-siem-export-prod, owner: team-detection }"
);

pub(crate) static RULE: Rule = Rule {
    code: "Y003",
    name: "yaml-parser-disagreement",
    severity: Severity::Error,
    summary: "readers built on libYAML read the file differently than a YAML 1.2 parser does",
    why: "Several programs read a definition. Where YAML 1.2 and libYAML differ (unusual line \
          ends, tabs, directives), the key that is linted is not the key that another program \
          generates.",
    bad: RuleExample::file(DIRECTIVE),
    good: RuleExample::file(COMPLETE),
    remedy: "Replace the character or construct at the caret with plain spaces, line feeds or \
           quotes.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(
        |problem| problem.kind == ProblemKind::ParserDisagreement,
        |_, _, _| None,
    ),
};

//! Y003 yaml-parser-disagreement: readers built on libYAML read the file differently from a YAML
//! 1.2 parser.

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
    summary: "readers built on libYAML read the file differently from a YAML 1.2 parser",
    why: "Several programs read a definition. Where YAML 1.2 and libYAML differ (unusual line \
        endings, tabs, directives), another program may generate a different key from the one that \
        was linted.",
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

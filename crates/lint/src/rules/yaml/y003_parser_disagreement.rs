//! Y003 yaml-parser-disagreement: two YAML readers see two different things.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rules::{Check, Example, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "Y003",
    name: "yaml-parser-disagreement",
    severity: Severity::Error,
    summary: "readers built on libYAML see something else in the same bytes",
    why: "A definition is read by more than one program. Where YAML 1.2 and libYAML differ \
          (unusual line ends, tabs, directives), the key that is linted is not the key that \
          another program makes.",
    bad: Example::fields("spec:\n  comment: \"Exports\u{85}incidents\"\n"),
    good: Example::fields("spec:\n  comment: \"Exports incidents\"\n"),
    mend: "Replace the character or construct at the caret by plain spaces, line feeds or quotes.",
    options: &[],
    check: Check::Problems(|problem| problem.kind == ProblemKind::ParserDisagreement),
};

//! Y006 yaml-alias-in-key: anchors, aliases, merge keys and tags.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "Y006",
    name: "yaml-alias-in-key",
    severity: Severity::Error,
    summary: "an anchor, alias, merge key, or a tag that retypes a value",
    why: "A review shows the lines that changed. Through an alias a change of one line grants \
          roles to keys whose lines did not change, and readers differ on merge keys. Nothing is \
          expanded here, so a file that would grow without end costs nothing.",
    bad: Example::fields("spec:\n  comment: &purpose Exports incidents\n"),
    good: Example::fields("spec:\n  comment: Exports incidents\n"),
    mend: "Write the value out in each place.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Problems(|problem| problem.kind == ProblemKind::Indirection, |_, _, _| None),
};

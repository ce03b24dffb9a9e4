//! Y006 yaml-alias-in-key: anchors, aliases, merge keys and tags.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "Y006",
    name: "yaml-alias-in-key",
    severity: Severity::Error,
    summary: "an anchor, alias, merge key, or a tag that changes a value's type",
    why: "A review shows the changed lines. With an alias, a change to one line can grant roles to \
        keys whose lines did not change, and parsers disagree about merge keys. The linter expands \
        no alias, so a file that would expand without limit is harmless.",
    bad: RuleExample::fields("spec:\n  comment: &purpose Exports incidents\n"),
    good: RuleExample::fields("spec:\n  comment: Exports incidents\n"),
    remedy: "Write out the value wherever it is used.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::Indirection, |_, _, _| None),
};

//! P002 waiver-unused: a waiver that suppresses nothing.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P002",
    name: "waiver-unused",
    severity: Severity::Warning,
    summary: "a waiver that suppresses nothing",
    why: "A waiver without a finding would suppress a later finding that nobody has reviewed.",
    bad: RuleExample::fields("").policy(SOUND),
    good: RuleExample::fields(LONG).policy(SOUND),
    remedy: "Remove the waiver. The rule runs only if the complete corpus is checked, and reports \
        only waivers whose key and rule were checked. If no key in the corpus matches the waiver, \
        the fix needs `--unsafe-fixes`.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Engine,
};

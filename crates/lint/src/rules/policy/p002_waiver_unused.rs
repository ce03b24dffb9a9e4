//! P002 waiver-unused: a waiver that covers nothing.

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
    remedy: "Remove it. The rule runs only if the complete corpus is checked, and reports only \
             waivers whose key and rule were checked. If the corpus has no such key, the fix \
             needs a review.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Engine,
};

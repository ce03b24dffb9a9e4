//! P002 waiver-unused: a waiver that covers nothing.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P002",
    name: "waiver-unused",
    severity: Severity::Warning,
    summary: "a waiver that suppresses nothing",
    why: "A waiver without a finding would suppress a later finding that nobody has reviewed.",
    bad: Example::fields("").policy(SOUND),
    good: Example::fields(LONG).policy(SOUND),
    remedy: "Remove it. The rule runs only if the complete corpus is checked, and reports only \
             waivers whose key and rule were checked. If the corpus has no such key, the fix \
             needs a review.",
    options: &[],
    fixes: Fixes::Safe,
    check: Check::Engine,
};

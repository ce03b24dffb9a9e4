//! P002 waiver-unused: a waiver that covers nothing.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};
use crate::rules::policy::samples::{LONG, SOUND};

pub(crate) static RULE: Rule = Rule {
    code: "P002",
    name: "waiver-unused",
    severity: Severity::Warning,
    summary: "a waiver that covers nothing",
    why: "A waiver whose finding is gone waits for the next one, and silences it unseen.",
    bad: Example::fields("").policy(SOUND),
    good: Example::fields(LONG).policy(SOUND),
    mend: "Remove it. The rule waits for a run over the whole corpus.",
    options: &[],
    fixes: Fixes::Safe,
    check: Check::Engine,
};

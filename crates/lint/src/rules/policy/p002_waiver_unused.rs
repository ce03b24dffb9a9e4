//! P002 waiver-unused: a waiver that covers nothing.

use cortexkey_manifest::policy::Severity;

use super::{LONG, SOUND};
use crate::rules::{Check, Example, Fixes, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
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
    check: Check::Elsewhere,
};

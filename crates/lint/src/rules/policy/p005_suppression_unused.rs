//! P005 suppression-unused: a comment that silences nothing.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "P005",
    name: "suppression-unused",
    severity: Severity::Warning,
    summary: "a comment that silences nothing",
    why: "A suppression outlives its finding, and then silences the next one that comes to its line, which nobody has looked at.",
    bad: Example::fields(
        "spec:\n  # cortexkey: ignore[expiry-too-long] reason=\"SEC-77\" until=2026-03-31\n  lifetime: 90d\n",
    ),
    good: Example::fields(
        "spec:\n  # cortexkey: ignore[E003, E007] reason=\"SEC-77\" until=2026-03-31\n  lifetime: 730d\n",
    ),
    mend: "Remove the comment, or the rule that it names in vain; `--fix` does.",
    options: &[],
    fixes: Fixes::Safe,
    check: Check::Engine,
};

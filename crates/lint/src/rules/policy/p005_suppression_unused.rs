//! P005 suppression-unused: a comment that suppresses nothing.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "P005",
    name: "suppression-unused",
    severity: Severity::Warning,
    summary: "a comment that suppresses nothing",
    why: "A suppression that outlives its finding suppresses the next one on its line, which \
          nobody has reviewed.",
    bad: RuleExample::fields(
        "spec:\n  # cortexkey: ignore[expiry-too-long] reason=\"SEC-77\" until=2026-03-31\n  lifetime: 90d\n",
    ),
    good: RuleExample::fields(
        "spec:\n  # cortexkey: ignore[E003, E007] reason=\"SEC-77\" until=2026-03-31\n  lifetime: 730d\n",
    ),
    remedy: "Remove the comment, or the unused rule in it. `--fix` does that.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::Engine,
};

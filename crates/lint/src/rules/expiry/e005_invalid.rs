//! E005 expiry-invalid: a time that cannot be read.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rules::{Check, Example, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "E005",
    name: "expiry-invalid",
    severity: Severity::Error,
    summary: "a time without an offset, a day that does not exist, or no time at all",
    why: "A time without an offset means another moment on each machine that reads it, and the \
          product takes milliseconds: somebody has to convert, and guesses.",
    bad: Example::fields("spec:\n  expires: 2026-03-01T00:00:00\n"),
    good: Example::fields("spec:\n  expires: 2026-03-01T00:00:00Z\n"),
    mend: "Write RFC 3339 with an offset, a date (its end in UTC counts), or `never`; a lifetime \
           is a whole number of days, hours or minutes.",
    options: &[],
    check: Check::Problems(|problem| problem.kind == ProblemKind::BadExpiry),
};

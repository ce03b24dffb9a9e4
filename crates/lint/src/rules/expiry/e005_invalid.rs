//! E005 expiry-invalid: a time that cannot be read.

use cortexkey_manifest::definition::moment;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::{Settings, rule_options};
use crate::rule::{Check, Example, Fixes, Rule};

rule_options! {
    struct Options<'a> {
        /// the offset that a time without one means, which `--fix` then writes
        offset: Option<&'a str>, Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E005",
    name: "expiry-invalid",
    severity: Severity::Error,
    summary: "a time without an offset, a day that does not exist, or no time at all",
    why: "A time without an offset means another moment on each machine that reads it, and the \
          product takes milliseconds: somebody has to convert, and guesses.",
    bad: Example::fields("spec:\n  expires: 2026-03-01T00:00:00\n"),
    good: Example::fields("spec:\n  expires: 2026-03-01T00:00:00Z\n"),
    mend: "Write RFC 3339 with an offset, a date (its end in UTC counts), or `never`; a lifetime \
           is a whole number of days, hours or minutes. The fix writes `2027-1-1`, `90 days` and \
           `NEVER` as they are read, and the offset where the policy says which one is meant.",
    options: Options::DOCS,
    fixes: Fixes::Safe,
    check: Check::Problems(|problem| problem.kind == ProblemKind::BadExpiry, rewrite),
};

/// The same in the form that is read, or with the offset behind a time that lacks nothing else.
fn rewrite(tree: &Tree, problem: &Problem, settings: &Settings) -> Option<Fix> {
    let written = problem.span.slice(tree.source());
    let text = written.trim_matches(['"', '\'']);
    if let Some(meant) = &problem.rewrite {
        return written
            .contains(text)
            .then(|| Fix::safe(problem.span, written.replace(text, meant)));
    }
    let offset = Options::of(settings).offset.value?;
    let whole = format!("{text}{offset}");
    moment(&whole).ok()?;
    Some(Fix::safe(problem.span, written.replace(text, &whole)))
}

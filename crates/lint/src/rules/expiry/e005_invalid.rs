//! E005 expiry-invalid: a time that cannot be read.

use cortexkey_manifest::definition::moment;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, ProblemKind};

use crate::model::Fix;
use crate::policy::{Settings, rule_options};
use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options<'a> {
        /// the offset that `--fix` adds to a time without one
        offset: Option<&'a str>, Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E005",
    name: "expiry-invalid",
    severity: Severity::Error,
    summary: "a time without an offset, a date that does not exist, or a value that is not a time",
    why: "A time without an offset is a different moment in each time zone. The product takes \
        milliseconds since 1970, so a tool would have to guess the offset.",
    bad: RuleExample::fields("spec:\n  expires: 2026-03-01T00:00:00\n"),
    good: RuleExample::fields("spec:\n  expires: 2026-03-01T00:00:00Z\n"),
    remedy: "Write an RFC 3339 time with an offset, a date (the key expires at its end, in UTC), \
           or `never`. A lifetime is a whole number of days, hours or minutes. The fix normalises \
           values such as `2027-1-1`, `90 days` and `NEVER`, and adds the offset if the policy \
           sets one.",
    options: Options::DOCS,
    fixes: Fixes::Safe,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::BadExpiry, rewrite),
};

/// Rewrites a time in the accepted form, and adds the offset if only that is missing.
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

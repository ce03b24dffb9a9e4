//! X001 secret-cortex-key: a value that looks like a Cortex API key, anywhere in a file.

use cortexkey_manifest::TokenKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

/// As long as a key, but obviously not one.
const KEY: &str = concat!(
    "spec:\n  comment: test with ",
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL",
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL\n",
);

pub(crate) static RULE: Rule = Rule {
    code: "X001",
    name: "secret-cortex-key",
    severity: Severity::Error,
    summary: "a value that looks like a Cortex API key, anywhere in a file",
    why: "A key in a repository is also in its history, in every clone and in every backup, long \
          after the line is deleted. Comments and unknown fields are checked too. The value is \
          never printed, in any format.",
    bad: RuleExample::fields(KEY),
    good: RuleExample::fields("spec:\n  comment: the key is in the vault\n"),
    remedy: "Remove the key, revoke it in the console and generate a new one.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let keys = cx.tokens().iter().filter(|token| token.kind == TokenKind::CortexKey);
    for span in keys.map(|token| token.span) {
        cx.finding(span, "this looks like a Cortex API key")
            .help(
                "revoke it and generate a new one: the repository's history and every clone keep \
                it",
            )
            .report(sink);
    }
}

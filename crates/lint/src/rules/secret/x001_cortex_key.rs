//! X001 secret-cortex-key: what looks like a Cortex API key, anywhere in a file.

use cortexkey_manifest::TokenKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, FileContext, Fixes, Rule, Sink};

/// As long as a key, and plainly none.
const KEY: &str = concat!(
    "spec:\n  comment: test with ",
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL",
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL\n",
);

pub(crate) static RULE: Rule = Rule {
    code: "X001",
    name: "secret-cortex-key",
    severity: Severity::Error,
    summary: "what looks like a Cortex API key, anywhere in a file",
    why: "A key in a repository is a key in its history, in every clone and in every backup, long after the line was deleted. Comments and fields that nobody reads are looked at as well; the value is never printed, in no format.",
    bad: Example::fields(KEY),
    good: Example::fields("spec:\n  comment: the key is in the vault\n"),
    mend: "Remove it, revoke the key in the console and make a new one.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut Sink<'_>) {
    let keys = cx.tokens().iter().filter(|token| token.kind == TokenKind::CortexKey);
    for span in keys.map(|token| token.span) {
        cx.finding(span, "this looks like a Cortex API key")
            .help("revoke it and make a new one: the history keeps it, and so does every clone")
            .report(sink);
    }
}

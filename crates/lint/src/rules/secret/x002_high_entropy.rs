//! X002 secret-high-entropy: a long run of letters and digits that looks like chance.

use cortexkey_manifest::TokenKind;
use cortexkey_manifest::policy::Severity;
use sha2::{Digest as _, Sha256};

use crate::policy::{OptionDoc, OptionType, Tighter};
use crate::rule::{Check, Example, FileContext, Fixes, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "X002",
    name: "secret-high-entropy",
    severity: Severity::Warning,
    summary: "a long run of letters and digits that looks like chance",
    why: "Passwords, tokens and digests look like chance; names and sentences do not. What stands in a definition is read by everybody who can read the repository.",
    bad: Example::fields("spec:\n  comment: login with q7Hx2-Lm9Zt4_Vb6Nc8Rw1Ys3\n"),
    good: Example::fields("spec:\n  comment: the login is in the vault\n"),
    mend: "Remove it and change it where it is used. What is no secret goes on the list `allow`, as its SHA-256: `printf %s VALUE | sha256sum`.",
    options: &[OptionDoc {
        name: "allow",
        kind: OptionType::Digests,
        default: Some(""),
        what: "SHA-256 digests of values that are no secrets",
        tighter: Tighter::Less,
    }],
    fixes: Fixes::No,
    check: Check::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut Sink<'_>) {
    let (allow, _) = sink.settings.texts("allow");
    let random = cx.tokens().iter().filter(|token| token.kind == TokenKind::Random);
    for token in random {
        let (span, value) = (token.span, token.value(cx.tree.source()));
        // The list itself, and what is on it.
        let digest = || hex::encode(Sha256::digest(value.as_bytes()));
        if allow.contains(&value) || (!allow.is_empty() && allow.contains(&digest().as_str())) {
            continue;
        }
        let finding = cx
            .finding(span, "this looks like a password or a token")
            .help("remove it and change it; what is no secret goes on the list `allow`");
        sink.report(finding);
    }
}

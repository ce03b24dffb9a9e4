//! X002 secret-high-entropy: a long run of letters and digits that looks random.

use cortexkey_manifest::TokenKind;
use cortexkey_manifest::policy::{Severity, is_policy};
use sha2::{Digest as _, Sha256};

use crate::policy::{Digest, rule_options};
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options<'a> {
        /// SHA-256 digests of values that are not secrets
        allow: &'a [Digest] = "", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "X002",
    name: "secret-high-entropy",
    severity: Severity::Warning,
    summary: "a long run of letters and digits that looks random",
    why: "Passwords, tokens and digests look random; names and sentences do not. Everybody who \
          can read the repository can read the definition.",
    bad: RuleExample::fields("spec:\n  comment: login with q7Hx2-Lm9Zt4_Vb6Nc8Rw1Ys3\n"),
    good: RuleExample::fields("spec:\n  comment: the login is in the vault\n"),
    remedy: "Remove the value, and replace the secret where it is used. If it is not a secret, add \
           its SHA-256 to `allow`: `printf %s VALUE | sha256sum`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let allow = Options::of(sink.settings).allow.value;
    let random = cx.tokens().iter().filter(|token| token.kind == TokenKind::Random);
    let documents = cx.tree.documents();
    let is_of_policy = documents.first().is_some_and(|first| is_policy(cx.tree, *first));
    for token in random {
        let span = token.span;
        let value = token.value(cx.tree.source());
        if is_of_policy && pins(cx.tree.source(), span.range().start, value) {
            continue;
        }
        // The list itself, and its entries.
        let is_listed = |digest: Digest| allow.contains(&digest);
        if !allow.is_empty()
            && (Digest::parse(value).is_some_and(is_listed)
                || is_listed(Digest(Sha256::digest(value.as_bytes()).into())))
        {
            continue;
        }
        cx.finding(span, "this looks like a password or a token")
            .help(
                "replace the secret and remove it here; if it is not one, add its SHA-256 to \
                `allow`",
            )
            .report(sink);
    }
}

/// Whether a value is the commit or digest that pins a remote policy.
fn pins(source: &str, start: usize, value: &str) -> bool {
    let is_hex = value.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let before = source.get(..start).unwrap_or_default();
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_commit = line.trim_end().ends_with("rev:") && matches!(value.len(), 40 | 64);
    let is_digest = line.contains("oci://") && line.ends_with("@sha256:") && value.len() == 64;
    is_hex && (is_commit || is_digest)
}

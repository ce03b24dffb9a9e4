//! X003 secret-known-format: a secret in a known format: AWS, GitHub, GitLab, Slack, a JWT, a PEM
//! key.

use cortexkey_manifest::TokenKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "X003",
    name: "secret-known-format",
    severity: Severity::Error,
    summary: "a secret in a known format: AWS, GitHub, GitLab, Slack, a JWT, a PEM key",
    why: "The format shows that the value is a secret, and bots find it in a public repository \
          within minutes.",
    bad: RuleExample::fields("spec:\n  comment: uploads with AKIAIOSFODNN7EXAMPLE\n"),
    good: RuleExample::fields("spec:\n  comment: uploads with the role of its host\n"),
    remedy: "Remove the secret, and revoke it at its issuer.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Text(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let known = cx.tokens().iter().filter_map(|token| match token.kind {
        TokenKind::Known(maker) => Some((token.span, maker)),
        _ => None,
    });
    for (span, maker) in known {
        cx.finding(span, format!("this looks like {maker}"))
            .help("remove it, and revoke it at its issuer: the repository's history keeps it")
            .report(sink);
    }
}

//! A possible secret in a file: [`FoundToken`].

use cortexkey_manifest::yaml::{NodeKind, Tree};
use cortexkey_manifest::{Span, Token, TokenKind, tokens_in};

/// A possible secret in a file.
#[derive(Clone, Debug)]
pub(crate) struct FoundToken {
    /// Where it is; for a token that only the decoded value contains, the value's span.
    pub(crate) span: Span,
    /// Its kind.
    pub(crate) kind: TokenKind,
    /// The token, if it differs from the text at the span.
    decoded: Option<Box<str>>,
}

impl FoundToken {
    /// The token itself, which must not be shown.
    pub(crate) fn value<'a>(&'a self, source: &'a str) -> &'a str {
        self.decoded.as_deref().unwrap_or_else(|| self.span.slice(source))
    }
}

/// Possible secrets by their form, in the text with its comments and in the values after escapes,
/// quotes and line folding.
pub(super) fn find_tokens(tree: &Tree) -> Vec<FoundToken> {
    let whole = |token: Token| FoundToken { span: token.span, kind: token.kind, decoded: None };
    let written: Vec<FoundToken> = tokens_in(tree.source()).into_iter().map(whole).collect();
    let mut decoded: Vec<FoundToken> = Vec::new();
    for (_, node) in tree.nodes() {
        let NodeKind::Scalar { text: Some(text), .. } = &node.kind else { continue };
        let inside = |token: &&FoundToken| token.span.start < node.span.end;
        let first = written.partition_point(|token| token.span.end <= node.span.start);
        let beside = || written.iter().skip(first).take_while(inside);
        // One finding per value: a known format is more specific than a random-looking string.
        let strongest = tokens_in(text).into_iter().max_by_key(|token| match token.kind {
            TokenKind::Random => 0,
            TokenKind::CortexKey => 1,
            TokenKind::Known(_) => 2,
        });
        let Some(token) = strongest else { continue };
        let is_known = match token.kind {
            TokenKind::Random => beside().next().is_some(),
            _ => beside().any(|token| token.kind != TokenKind::Random),
        };
        if !is_known {
            let value = token.span.slice(text).into();
            let kind = token.kind;
            decoded.push(FoundToken { span: node.span, kind, decoded: Some(value) });
        }
    }
    if decoded.is_empty() {
        return written;
    }
    decoded.sort_by_key(|token| token.span);
    let covered = |token: &FoundToken| {
        let next = decoded.partition_point(|other| other.span.end <= token.span.start);
        decoded.get(next).is_some_and(|other| other.span.start <= token.span.start)
    };
    let mut all: Vec<FoundToken> = written.into_iter().filter(|token| !covered(token)).collect();
    all.append(&mut decoded);
    all.sort_by_key(|token| token.span);
    all
}

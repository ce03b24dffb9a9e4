//! Finds tuples that are built only to be taken apart: `let (a, b) = (x, y);`.
//!
//! Two statements say the same and give each value its own line. A value that reads a name of the
//! pattern is allowed, since that swaps; so is `let … else`, which asks about several values.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The lines of such statements.
pub(crate) fn find(text: &str) -> Result<Vec<usize>, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    within(tokens, &mut lines);
    Ok(lines)
}

fn within(tokens: TokenStream, lines: &mut Vec<usize>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "let" && is_split(&tokens[at + 1..]) => {
                lines.push(word.span().start().line);
            }
            TokenTree::Group(group) => within(group.stream(), lines),
            _ => {}
        }
    }
}

/// Whether a pattern with several parts and a tuple, each at least a pair, follow.
fn is_split(rest: &[TokenTree]) -> bool {
    let Some(TokenTree::Group(pattern)) = rest.first() else { return false };
    let Some(equals) = rest.iter().position(|token| is_punct(token, '=')) else { return false };
    let [TokenTree::Group(value), end, ..] = &rest[equals + 1..] else { return false };
    is_punct(end, ';') && is_pair(pattern) && is_pair(value) && !reads(value, pattern)
}

fn is_pair(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
        && group.stream().into_iter().any(|token| is_punct(&token, ','))
}

/// Whether a value has a name of the pattern in it, other than as a function or a method.
fn reads(value: &Group, pattern: &Group) -> bool {
    let names: Vec<String> = pattern.stream().into_iter().map(|token| token.to_string()).collect();
    let tokens: Vec<TokenTree> = value.stream().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => {
            let is_called = matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
            let is_member = at > 0 && is_punct(&tokens[at - 1], '.');
            !is_called && !is_member && names.iter().any(|name| word == name)
        }
        TokenTree::Group(group) => reads(group, pattern),
        _ => false,
    })
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_tuples_built_to_be_taken_apart_are_found() {
        for (text, found) in [
            ("let (a, b) = (1, 2);", true),
            ("let (mut a, _) = (x.a(), b());", true),
            ("let (a, b): (u8, Vec<u8>) = (1, vec![]);", true),
            ("fn f() { if x { let (a, (b, c)) = (a(), b); } }", true),
            ("macro_rules! m { () => { let (a, b) = (1, 2); } }", true),
            ("let (a, b) = (b, a);", false),
            ("let (a, b) = (f(b), 1);", false),
            ("let (a, b) = f(1, 2);", false),
            ("let (a, b) = (1, 2).max((3, 4));", false),
            ("let (a, b) = if x { (1, 2) } else { (3, 4) };", false),
            ("let (Some(a), Some(b)) = (a, b) else { return };", false),
            ("if let (Some(a), Some(b)) = (x, y) {}", false),
            ("let pair = (1, 2);", false),
        ] {
            assert_eq!(super::find(text).unwrap().len(), usize::from(found), "{text}");
        }
        assert_eq!(super::find("fn f() {\n    let (a, b) = (1, 2);\n}").unwrap(), [2]);
    }
}

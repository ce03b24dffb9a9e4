//! Finds tuples that are built only to be taken apart: `let (a, b) = (x, y);`, or the same without
//! `let`.
//!
//! Two statements do the same and give each value its own line. A value that reads a name of the
//! pattern is allowed, because it swaps; so is `let … else`, which tests several values.

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
        let TokenTree::Group(group) = token else { continue };
        let is_assigned = match at.checked_sub(1).map(|before| &tokens[before]) {
            None => true,
            Some(TokenTree::Ident(word)) => word == "let",
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(before) => is_punct(before, ';'),
        };
        if is_assigned && is_split(group, &tokens[at + 1..]) {
            lines.push(group.span().start().line);
        }
        within(group.stream(), lines);
    }
}

/// Whether a pattern is followed by a tuple of its parts, perhaps with a type in between.
fn is_split(pattern: &Group, rest: &[TokenTree]) -> bool {
    let equals = match rest.first() {
        Some(first) if is_punct(first, ':') => {
            rest.iter().position(|token| is_punct(token, '=') || is_punct(token, ';'))
        }
        first => first.filter(|first| is_punct(first, '=')).map(|_| 0),
    };
    let Some([TokenTree::Group(value), end, ..]) = equals.map(|at| &rest[at + 1..]) else {
        return false;
    };
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
            ("(self.a, b.c) = (None, 2);", true),
            ("const A: (u8, u8) = (1, 2);", false),
            ("assert!((a, b) == (1, 2));", false),
            ("(from, to) = (from.min(a), to.max(b));", false),
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

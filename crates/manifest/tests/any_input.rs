//! No input makes the reader panic, and every position that it reports is within the file.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

use cortexkey_manifest::policy::{self, load};
use cortexkey_manifest::yaml::{Tree, YamlLimits, parse};
use cortexkey_manifest::{Problem, Span, decode, definition, quote, secret_ranges};
use proptest::prelude::*;

const KEY: &str = include_str!("../../../policies/quickstart/keys/svc-siem-export-prod.yaml");
const POLICY: &str = include_str!("../../../policies/quickstart/cortexkey.yaml");

/// Pieces that break documents in interesting ways.
const PIECES: &[&str] = &[
    "\n",
    "\r",
    "\t",
    " ",
    "  ",
    ": ",
    "- ",
    "#",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!t ",
    "!!str ",
    "<<: ",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "%YAML 1.1\n",
    "? ",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "\u{1}",
    "é",
    "𝄞",
    "~",
    "null",
    "never",
    "90d",
    "2026-02-30",
    "securityLevel: ",
    "roles: ",
    "scope: ",
    "mode: select",
    "key: x",
    "\\x",
    "\"\\u12\"",
    "\u{202e}",
];

/// A document with some bytes replaced or removed.
fn mutated(base: &'static str) -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(PIECES));
    prop::collection::vec(edit, 0..8).prop_map(move |edits| {
        let mut text = base.to_owned();
        for (at, length, piece) in edits {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(at.index(text.len() + 1));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start..end.max(start), piece);
        }
        text
    })
}

fn in_text(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
}

fn places(text: &str, problems: &[Problem]) {
    for problem in problems {
        in_text(text, problem.span);
        assert!(!problem.message.is_empty());
        for (span, _) in &problem.related {
            in_text(text, *span);
        }
    }
}

fn nodes(tree: &Tree) {
    let text = tree.source();
    for (id, node) in tree.nodes() {
        in_text(text, node.span);
        let _ = tree.text_of(id);
        let position = tree.position(node.span.start);
        assert!(position.line >= 1 && position.column >= 1);
        for span in node.anchor().iter().chain(node.tag().map(|tag| &tag.span)) {
            in_text(text, *span);
        }
    }
    for comment in tree.comments() {
        in_text(text, comment.span);
        assert!(comment.span.slice(text).starts_with('#'));
    }
    for range in secret_ranges(text, Some(tree), false) {
        assert!(text.get(range).is_some());
    }
}

fn read_all(text: &str) {
    let decoded = decode(text.as_bytes().to_vec());
    places(&decoded.text, decoded.problem.as_slice());
    let parsed = parse(text, &YamlLimits::default());
    places(text, &parsed.problems);
    nodes(&parsed.tree);
    for document in parsed.tree.documents() {
        places(text, &definition::read(&parsed.tree, *document).problems);
        places(text, &policy::read(&parsed.tree, *document).problems);
    }
    let mut read = |_: &str| Ok(text.as_bytes().to_vec());
    for fault in load("a.yaml", &YamlLimits::default(), &mut read).unwrap().faults {
        places(fault.tree.source(), &fault.problems);
    }
    let quoted = quote(text);
    assert!(!quoted.chars().any(char::is_control));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_keys(text in mutated(KEY)) {
        read_all(&text);
    }

    #[test]
    fn mutated_policies(text in mutated(POLICY)) {
        read_all(&text);
    }

    #[test]
    fn pieces_alone(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        read_all(&pieces.concat());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let decoded = decode(bytes);
        places(&decoded.text, decoded.problem.as_slice());
        read_all(&decoded.text);
    }
}

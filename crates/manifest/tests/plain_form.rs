//! If a file has the plain form, the parser and the second reading see exactly the same.
//!
//! `CORTEXKEY_PLAIN` sets the number of files; the campaign uses more than the gate.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

use cortexkey_manifest::yaml::{YamlLimits, parse, plain_form};
use cortexkey_manifest::{Problem, ProblemKind};

const BASES: [&str; 4] = [
    include_str!("../../../policies/quickstart/keys/svc-siem-export-prod.yaml"),
    include_str!("../../../policies/quickstart/cortexkey.yaml"),
    "a: [b, { c: d }, 'e f', \"g\"]\n# h\ni:\n- j\n- k: l\n  m: n  # o\n---\np:\n  - q\n  - r:s\n",
    "a: {b: c, d: [e, f]}\ng:\n    h: i\n    j:\n        k: 'l'\n",
];

/// Mostly pieces that keep the plain form, in places where readers could differ.
const PIECES: [&str; 64] = [
    "\n",
    "\n\n",
    " ",
    "  ",
    "\n  ",
    "\n ",
    ":",
    ": ",
    ":\n",
    " :",
    "- ",
    "-\n",
    "- - ",
    "-",
    "#",
    " #",
    " # x",
    "\n#",
    "'",
    "''",
    "\"",
    "\"x\"",
    "'x'",
    "\"x\": y",
    "[",
    "]",
    "[]",
    "[x]",
    "{",
    "}",
    "{}",
    "{x: y}",
    "{x}",
    "{x: }",
    "[x: y]",
    ",",
    ", ",
    ",x",
    "x",
    "x:y",
    "x: y",
    "x: y\n",
    "https://x/y",
    "?",
    "? ",
    "x?",
    "---\n",
    "--- ",
    "---",
    "...\n",
    "%x\n",
    "!",
    "&a ",
    "*a",
    "|",
    "|\n",
    ">",
    "~",
    "=",
    "<<: ",
    "@",
    "`",
    "\\",
    "\t",
];

/// A small generator: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn mutated(numbers: &mut Numbers) -> String {
    let mut text = BASES[numbers.below(BASES.len())].to_owned();
    for _ in 0..=numbers.below(3) {
        let start = numbers.below(text.len() + 1);
        // Half of the pieces are inserted, the others replace something.
        let length = numbers.below(2) * numbers.below(8);
        let end = (start + length).min(text.len());
        text.replace_range(start..end, PIECES[numbers.below(PIECES.len())]);
    }
    text
}

#[test]
fn all_readers_agree_on_the_plain_form() {
    let said = std::env::var("CORTEXKEY_PLAIN").ok();
    let wanted: usize = said.and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut known = 0;
    let mut differ = 0;
    for _ in 0..wanted {
        let text = mutated(&mut numbers);
        let (plain, difference) = plain_form(&text, &YamlLimits::default());
        assert!(difference.is_none(), "{text:?}\n{}", difference.unwrap());
        known += usize::from(plain);
        let differs = |problem: &Problem| problem.kind == ProblemKind::ParserDisagreement;
        differ += usize::from(parse(&text, &YamlLimits::default()).problems.iter().any(differs));
    }
    println!("{known} of {wanted} files have the plain form; {differ} are read in two ways");
    // Otherwise the test would show nothing.
    assert!(known * 10 > wanted && differ * 1000 > wanted, "{known} and {differ} of {wanted}");
}

#[test]
fn definitions_as_people_write_them_have_the_plain_form() {
    for text in BASES {
        assert_eq!(plain_form(text, &YamlLimits::default()), (true, None), "{text}");
    }
}

#[test]
fn limits_apply_in_the_plain_form() {
    let limits = |nodes, depth, documents| YamlLimits { bytes: 100, depth, nodes, documents };
    let text = "a: [b, [c]]\n---\nd: e\n";
    assert_eq!(plain_form(text, &limits(9, 3, 2)), (true, None));
    for tight in [
        limits(8, 3, 2),
        limits(9, 2, 2),
        limits(9, 3, 1),
        YamlLimits { bytes: 20, ..limits(9, 3, 2) },
    ] {
        assert_eq!(plain_form(text, &tight), (false, None), "{tight:?}");
        assert!(!parse(text, &tight).complete, "{tight:?}");
    }
}

#[test]
fn ambiguous_documents_are_not_in_the_plain_form() {
    for text in [
        "\ta: 1\n",
        "a: \"x\u{85}y\"\n",
        "a: x\u{2028}y\n",
        "a: \"b\\\n c\"\n",
        "a: 'b\n\n  c'\n",
        "a: 'b''c'\n",
        "a: b\n  c\n",
        "a:\n  - b\n    c\n",
        "a: [b\n]\n",
        "a: {?b: c}\n",
        "a: {b, c}\n",
        "a: [b?, c]\n",
        "a: [b: c]\n",
        "a: [b, ]\n",
        "a: \"b\"#c\n",
        "a: [b,#c\n d]\n",
        "a: |\n  b\n",
        "a:\nb: c\n",
        "a:\n    b: c\n  d: e\n",
        "a: b\n c: d\n",
        "- a\n",
        "a: - b\n",
        "\u{feff}a: b\n",
        "a: b\r\n",
        "%YAML 1.1\n---\na: b\n",
        "--- a\n",
        " ---\na: b\n",
        "a: b\n ---\nc: d\n",
        "a:\n  b: c\n  ---\nd: e\n",
        "a: b\n---\n",
        "a: b\n...\n",
        "? a\n: b\n",
        "{a: b}: c\n",
        "a : b\n",
        "{\"a\":b}\n",
        "<<: b\n",
        "a: *b\n",
        "a: &x b\n",
        "a: !!str b\n",
        "",
        "# a\n",
    ] {
        assert_eq!(plain_form(text, &YamlLimits::default()), (false, None), "{text:?}");
    }
    let long = format!("{}: x\n", "a".repeat(1010));
    assert_eq!(plain_form(&long, &YamlLimits::default()), (false, None));
}

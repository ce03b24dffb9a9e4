//! The YAML test suite through the reader: valid files are read as the suite defines, and invalid
//! ones are refused. The exceptions are listed here with their reasons.
//!
//! `cargo xtask campaign yaml-suite` fetches the suite and runs this.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

use std::fs;

use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree, YamlLimits, parse};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    yaml: String,
    tree: Option<String>,
    fail: bool,
}

/// Cases that are read differently, with the reason.
const DIFFERENCES: [(&str, &str); 4] = [
    ("9C9N-0", "lines of a flow list need not be indented here; libYAML reads the same list"),
    ("DK95-1", "a tab may indent a line of a quoted text here; libYAML reads the same text"),
    ("QB6E-0", "lines of a quoted text need not be indented here; libYAML reads the same text"),
    ("L24T-1", "a last line of spaces alone that has no end gets none in the text of a block"),
];

/// The tree as the suite writes it, without anchors, tags and styles.
fn events(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for document in tree.documents() {
        out.push("+DOC".to_owned());
        node(tree, document.root, &mut out);
        out.push("-DOC".to_owned());
    }
    out
}

fn node(tree: &Tree, id: NodeId, out: &mut Vec<String>) {
    match &tree.node(id).kind {
        NodeKind::Scalar { .. } => {
            out.push(format!("=VAL {}", tree.text_of(id).unwrap_or_default()));
        }
        NodeKind::Sequence { items, .. } => {
            out.push("+SEQ".to_owned());
            for item in items {
                node(tree, *item, out);
            }
            out.push("-SEQ".to_owned());
        }
        NodeKind::Mapping { entries, .. } => {
            out.push("+MAP".to_owned());
            for entry in entries {
                node(tree, entry.key, out);
                node(tree, entry.value, out);
            }
            out.push("-MAP".to_owned());
        }
        NodeKind::Alias { .. } => out.push("=ALI".to_owned()),
    }
}

/// The suite's own lines, in the same form.
fn expected(tree: &str) -> Vec<String> {
    let lines = tree.lines().map(str::trim_start).filter(|line| !line.ends_with("STR"));
    lines
        .map(|line| {
            let kind = line.get(..4).unwrap_or(line);
            match kind {
                "=VAL" => format!("=VAL {}", value(line.get(5..).unwrap_or_default())),
                kind => kind.to_owned(),
            }
        })
        .collect()
}

/// The text after an anchor, a tag and the style's indicator.
fn value(mut rest: &str) -> String {
    while rest.starts_with(['&', '<']) {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    }
    let text = rest.get(1..).unwrap_or_default();
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        out.push(match escaped {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some(other) => other,
            None => c,
        });
    }
    out
}

#[test]
#[ignore = "the campaign yaml-suite gets the suite"]
fn the_test_suite_is_read_as_specified() {
    let path = std::env::var("CORTEXKEY_YAML_SUITE").unwrap();
    let text = fs::read_to_string(path).unwrap();
    let cases: Vec<Case> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 350, "{}", cases.len());
    let mut good = 0;
    let mut wrong = Vec::new();
    for case in &cases {
        let parsed = parse(&case.yaml, &YamlLimits::default());
        let read = events(&parsed.tree);
        let fits = if case.fail {
            !parsed.complete
        } else {
            parsed.complete && case.tree.as_ref().is_none_or(|tree| expected(tree) == read)
        };
        let known = DIFFERENCES.iter().any(|(id, _)| *id == case.id);
        if fits == known {
            let tree = case.tree.as_deref().map(expected).unwrap_or_default();
            wrong.push(format!(
                "{} fail={} complete={}\n{:?}\n{read:?}\n{tree:?}",
                case.id, case.fail, parsed.complete, case.yaml
            ));
        } else {
            good += 1;
        }
    }
    println!("{good} of {} cases, {} of them read otherwise", cases.len(), DIFFERENCES.len());
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n\n"));
}

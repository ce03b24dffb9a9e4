//! Duplicate keys and indirections: what YAML allows and a key definition does not.
//!
//! Nothing is expanded to find them, so what would grow without end costs nothing here.

use std::collections::HashMap;

use super::{Entry, Node, NodeKind, Style, Tree};
use crate::{Problem, ProblemKind, Span, quote};

/// Adds every duplicate key, anchor, alias, merge key and retyping tag of a tree.
pub(super) fn structure(tree: &Tree, problems: &mut Vec<Problem>) {
    for (_, node) in tree.nodes() {
        indirection(tree, node, problems);
        if let NodeKind::Mapping { entries, .. } = &node.kind {
            duplicates(tree, entries, problems);
            merge_keys(tree, entries, problems);
        }
    }
}

fn indirection(tree: &Tree, node: &Node, problems: &mut Vec<Problem>) {
    if let Some(anchor) = node.anchor {
        let message = format!("anchor {}: definitions are written out", written(tree, anchor));
        problems.push(reject(anchor, message).help("remove the anchor and repeat the value"));
    }
    if let Some(tag) = node.tag.as_ref().filter(|tag| !tag.value) {
        let message = format!("tag {} would retype the value", written(tree, tag.span));
        problems.push(reject(tag.span, message).help("remove the tag; values are text as written"));
    }
    if let NodeKind::Alias { dangling } = node.kind {
        let message = if dangling {
            format!("alias {} points at no anchor before it", written(tree, node.span))
        } else {
            format!("alias {}: definitions are written out", written(tree, node.span))
        };
        problems.push(reject(node.span, message).help("write the value here"));
    }
}

fn merge_keys(tree: &Tree, entries: &[Entry], problems: &mut Vec<Problem>) {
    for entry in entries {
        let key = tree.node(entry.key);
        let plain = matches!(key.kind, NodeKind::Scalar { style: Style::Plain, .. });
        if plain && tree.text_of(entry.key) == Some("<<") {
            let message = "merge key `<<`: some readers merge, others see a field of that name";
            problems.push(reject(key.span, message.into()).help("write the fields here"));
        }
    }
}

fn duplicates(tree: &Tree, entries: &[Entry], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Some(text) = tree.text_of(entry.key) else { continue };
        let span = tree.node(entry.key).span;
        if let Some(first) = seen.get(text) {
            let message = format!("key {} stands twice in this mapping", quote(text));
            problems.push(
                Problem::new(ProblemKind::DuplicateKey, span, message)
                    .help("keep one: some readers take the last, others the first, others refuse")
                    .related(*first, "first here"),
            );
        } else {
            seen.insert(text, span);
        }
    }
}

fn written(tree: &Tree, span: Span) -> String {
    quote(span.slice(tree.source()))
}

fn reject(span: Span, message: String) -> Problem {
    Problem::new(ProblemKind::Indirection, span, message)
}

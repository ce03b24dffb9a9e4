//! Reports duplicate keys and indirections, which YAML allows and definitions do not.
//!
//! Nothing is expanded to find them, so recursive structures cost nothing here.

use std::collections::HashMap;

use super::{MappingEntry, Node, NodeKind, Style, Tree};
use crate::{Problem, ProblemKind, Span, quote};

/// Adds every duplicate key, anchor, alias, merge key and retyping tag of a tree.
pub(super) fn structure(tree: &Tree, problems: &mut Vec<Problem>) {
    for (_, node) in tree.nodes() {
        indirection(node, problems);
        if let NodeKind::Mapping { entries, .. } = &node.kind {
            duplicates(tree, entries, problems);
            merge_keys(tree, entries, problems);
        }
    }
}

/// Messages do not repeat the names of anchors, aliases and tags, which may be passwords.
fn indirection(node: &Node, problems: &mut Vec<Problem>) {
    if let Some(anchor) = node.anchor() {
        let message = "anchors are not allowed: write out every value";
        problems
            .push(reject(anchor, message.into()).help("remove the anchor and repeat the value"));
    }
    if let Some(tag) = node.tag().filter(|tag| !tag.value) {
        let message = "tags are not allowed: they would change the type of the value";
        problems.push(
            reject(tag.span, message.into()).help("remove the tag; values are read as written"),
        );
    }
    if let NodeKind::Alias { dangling } = node.kind {
        let message = if dangling {
            "this alias refers to no anchor before it"
        } else {
            "aliases are not allowed: write out every value"
        };
        problems.push(reject(node.span, message.into()).help("write the value here"));
    }
}

fn merge_keys(tree: &Tree, entries: &[MappingEntry], problems: &mut Vec<Problem>) {
    for entry in entries {
        let key = tree.node(entry.key);
        let plain = matches!(key.kind, NodeKind::Scalar { style: Style::Plain, .. });
        if plain && tree.text_of(entry.key) == Some("<<") {
            let message = "merge key `<<`: some readers merge, others see a field of that name";
            problems.push(reject(key.span, message.into()).help("write the fields here"));
        }
    }
}

fn duplicates(tree: &Tree, entries: &[MappingEntry], problems: &mut Vec<Problem>) {
    let text = |entry: &MappingEntry| tree.text_of(entry.key);
    let mut few = entries.iter().enumerate();
    // Nearly all mappings are small; comparing their keys is faster than hashing them.
    if entries.len() <= 8
        && few.all(|(at, entry)| entries.iter().take(at).all(|e| text(e) != text(entry)))
    {
        return;
    }
    let mut seen: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Some(text) = tree.text_of(entry.key) else { continue };
        let span = tree.node(entry.key).span;
        if let Some(first) = seen.get(text) {
            let message = format!("key {} occurs twice in this mapping", quote(text));
            problems.push(
                Problem::new(ProblemKind::DuplicateKey, span, message)
                    .help("keep one: some readers use the last, others the first, others reject the file")
                    .related(*first, "first here"),
            );
        } else {
            seen.insert(text, span);
        }
    }
}

fn reject(span: Span, message: String) -> Problem {
    Problem::new(ProblemKind::Indirection, span, message)
}

//! Where a file contains possible secrets: tokens by their form, and values by their field.

use core::ops::Range;

use super::tree::{NodeId, NodeKind, Tree};
use crate::format;
use crate::tokens::{SecretFieldName, is_refused_secret, refused_lines, secret_lines, tokens};

/// The positions of possible secrets in a file; `tree` is its tree if it could be parsed.
#[must_use]
pub fn secret_ranges(text: &str, tree: Option<&Tree>, policy: bool) -> Vec<Range<usize>> {
    let mut ranges = tokens(text);
    if let Some(tree) = tree {
        for (_, node) in tree.nodes() {
            // Escapes and line folding can make the source differ from the value.
            if let NodeKind::Scalar { text: Some(text), .. } = &node.kind
                && !tokens(text).is_empty()
            {
                ranges.push(node.span.range());
            }
            let NodeKind::Mapping { entries, .. } = &node.kind else { continue };
            for entry in entries {
                let name = tree.text_of(entry.key).unwrap_or_default();
                let refused = |text: &str| is_refused_secret(text) && format::is_typed(name);
                // A waiver names its key; that is a name and not a secret.
                if (SecretFieldName::is_name(name) && !(policy && name == "key"))
                    || tree.text_of(entry.value).is_some_and(refused)
                {
                    ranges.push(whole_value(tree, entry.value));
                }
            }
        }
    }
    ranges.extend(secret_lines(text, policy));
    ranges.extend(refused_lines(text));
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// From a value's anchor or tag, which may be all of it, to the end of its last line.
fn whole_value(tree: &Tree, id: NodeId) -> Range<usize> {
    let node = tree.node(id);
    let before = node.anchor().into_iter().chain(node.tag().map(|tag| tag.span));
    let own = node.span.range();
    let (start, end) = before.fold((own.start, own.end), |(start, end), span| {
        (start.min(span.range().start), end.max(span.range().end))
    });
    start..tree.line_end(end)
}

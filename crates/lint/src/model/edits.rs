//! Edits that several rules use. They never remove a comment, and never change a line with other
//! content.

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Parent, Tree};

use super::finding::{Edit, Fix};

/// Removes the item at a span from its list. `None` if a comment would be lost, or if the list would
/// become empty.
pub(crate) fn remove_item(tree: &Tree, item: Span, safe: bool) -> Option<Fix> {
    let Parent { node, at } = tree.parent_of(item)?;
    let NodeKind::Sequence { items, flow } = &tree.node(node).kind else { return None };
    let span = |at: usize| items.get(at).map(|id| tree.node(*id).span);
    remove(tree, &span, items.len(), at, *flow, safe)
}

/// Removes a waiver; the last one together with its list.
pub(crate) fn remove_waiver(tree: &Tree, waiver: Span, safe: bool) -> Option<Fix> {
    remove_item(tree, waiver, safe).or_else(|| {
        let lists = tree.nodes().filter_map(|(_, node)| {
            let NodeKind::Mapping { entries, .. } = &node.kind else { return None };
            entries.iter().find(|entry| match &tree.node(entry.value).kind {
                NodeKind::Sequence { items, .. } => {
                    items.len() == 1 && items.iter().any(|id| tree.node(*id).span == waiver)
                }
                _ => false,
            })
        });
        let entry = lists.take(1).next()?;
        remove_entry(tree, tree.node(entry.key).span, safe)
    })
}

/// Removes the field whose key is at a span from its mapping.
pub(crate) fn remove_entry(tree: &Tree, key: Span, safe: bool) -> Option<Fix> {
    let Parent { node, at } = tree.parent_of(key)?;
    let NodeKind::Mapping { entries, flow } = &tree.node(node).kind else { return None };
    let span = |at: usize| entries.get(at).map(|e| entry_span(tree, e.key, e.value));
    remove(tree, &span, entries.len(), at, *flow, safe)
}

/// Adds a line below a field of a block mapping, with the field's indentation; in a flow mapping, an
/// entry after it.
pub(crate) fn add_after(tree: &Tree, key: Span, field: &str, safe: bool) -> Option<Fix> {
    let Parent { node, at } = tree.parent_of(key)?;
    let NodeKind::Mapping { entries, flow } = &tree.node(node).kind else { return None };
    let entry = entries.get(at)?;
    let end = entry_span(tree, entry.key, entry.value).end as usize;
    if *flow {
        let edit = Edit { span: Span::new(end, end), text: format!(", {field}") };
        return Some(Fix { safe, edits: vec![edit] });
    }
    let start = key.start as usize;
    let indent = tree.source().get(tree.line_start(start)..start)?;
    if !indent.trim().is_empty() {
        return None;
    }
    let line_end = tree.line_end(end);
    let text = format!("{}{indent}{field}", end_of_line(tree));
    Some(Fix { safe, edits: vec![Edit { span: Span::new(line_end, line_end), text }] })
}

/// The line ending that the file uses.
pub(crate) fn end_of_line(tree: &Tree) -> &'static str {
    if tree.source().contains("\r\n") { "\r\n" } else { "\n" }
}

/// From a key to the end of its value.
pub(crate) fn entry_span(tree: &Tree, key: NodeId, value: NodeId) -> Span {
    let key = tree.node(key).span;
    let value = tree.node(value).span;
    Span { start: key.start, end: key.end.max(value.end) }
}

/// Removes one of `count` items or entries; `place` gives the span of each.
fn remove(
    tree: &Tree,
    place: &dyn Fn(usize) -> Option<Span>,
    count: usize,
    at: usize,
    flow: bool,
    safe: bool,
) -> Option<Fix> {
    if count < 2 {
        return None;
    }
    let own = place(at)?;
    let text = tree.source();
    let span = if flow {
        match at.checked_sub(1).and_then(place) {
            Some(before) => Span { start: before.end, end: own.end },
            None => Span { start: own.start, end: place(1)?.start },
        }
    } else {
        let start = tree.line_start(own.start as usize);
        let lead = text.get(start..own.start as usize)?;
        if !lead.trim().trim_matches('-').trim().is_empty() {
            return None;
        }
        let end = tree.line_end(own.end as usize);
        let tail = text.get(own.end as usize..end)?;
        let rest = text.get(end..)?;
        let end = end + rest.len() - rest.trim_start_matches('\r').strip_prefix('\n')?.len();
        if !tail.trim().is_empty() {
            return None;
        }
        Span::new(start, end)
    };
    // Comments come in order and do not overlap.
    let next = tree.comments().partition_point(|comment| comment.span.end <= span.start);
    let comment = tree.comments().get(next).is_some_and(|c| c.span.start < span.end);
    (!comment).then(|| Fix { safe, edits: vec![Edit { span, text: String::new() }] })
}

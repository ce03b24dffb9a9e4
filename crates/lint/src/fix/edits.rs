//! Edits that more than one rule makes.
//!
//! They refuse to take a comment along, and to change a line that holds something else.

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree};

use crate::finding::{Edit, Fix};

/// Takes an item out of its list, given where it stands. Nothing where a comment would go with it,
/// or where the list would be empty and may not be.
pub(crate) fn remove_item(tree: &Tree, item: Span, safe: bool) -> Option<Fix> {
    tree.nodes().find_map(|(_, node)| {
        let NodeKind::Sequence { items, flow } = &node.kind else { return None };
        let at = items.iter().position(|id| tree.node(*id).span == item)?;
        let spans: Vec<Span> = items.iter().map(|id| tree.node(*id).span).collect();
        remove(tree, &spans, at, *flow, safe)
    })
}

/// Takes a waiver out; the last one with its list.
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

/// Takes a field out of its mapping, given where its key stands.
pub(crate) fn remove_entry(tree: &Tree, key: Span, safe: bool) -> Option<Fix> {
    tree.nodes().find_map(|(_, node)| {
        let NodeKind::Mapping { entries, flow } = &node.kind else { return None };
        let at = entries.iter().position(|entry| tree.node(entry.key).span == key)?;
        let spans: Vec<Span> = entries.iter().map(|e| whole(tree, e.key, e.value)).collect();
        remove(tree, &spans, at, *flow, safe)
    })
}

/// Adds a line below a field of a block mapping, with the field's indentation; in a flow mapping,
/// an entry behind it.
pub(crate) fn add_after(tree: &Tree, key: Span, field: &str, safe: bool) -> Option<Fix> {
    tree.nodes().find_map(|(_, node)| {
        let NodeKind::Mapping { entries, flow } = &node.kind else { return None };
        let entry = entries.iter().find(|entry| tree.node(entry.key).span == key)?;
        let end = whole(tree, entry.key, entry.value).end as usize;
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
    })
}

/// The end of line that the file has.
pub(crate) fn end_of_line(tree: &Tree) -> &'static str {
    if tree.source().contains("\r\n") { "\r\n" } else { "\n" }
}

/// From a key to the end of its value.
pub(crate) fn whole(tree: &Tree, key: NodeId, value: NodeId) -> Span {
    let (key, value) = (tree.node(key).span, tree.node(value).span);
    Span { start: key.start, end: key.end.max(value.end) }
}

fn remove(tree: &Tree, spans: &[Span], at: usize, flow: bool, safe: bool) -> Option<Fix> {
    if spans.len() < 2 {
        return None;
    }
    let (own, text) = (*spans.get(at)?, tree.source());
    let span = if flow {
        match at.checked_sub(1).and_then(|before| spans.get(before)) {
            Some(before) => Span { start: before.end, end: own.end },
            None => Span { start: own.start, end: spans.get(1)?.start },
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
    let cuts = |comment: Span| comment.start < span.end && span.start < comment.end;
    let comment = tree.comments().iter().any(|comment| cuts(comment.span));
    (!comment).then(|| Fix { safe, edits: vec![Edit { span, text: String::new() }] })
}

//! Edits that several rules use. They never remove a comment, and never change a line with other
//! content.

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Parent, Style, Tree, YamlLimits, parse};
use serde_json::Value;

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

/// A fix of a file in JSON, which stays JSON: rules write YAML. `None` if the result would not be
/// JSON. In any other file, the fix stays as it is.
pub(crate) fn in_json(tree: &Tree, fix: Fix) -> Option<Fix> {
    let source = tree.source();
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    if !source.trim_start().starts_with(['{', '[']) || !is_json(source) {
        return Some(fix);
    }
    if is_json(&applied(source, &fix.edits)?) {
        return Some(fix);
    }
    let edit = |edit: Edit| Some(Edit { text: json_text(&edit.text)?, ..edit });
    let edits = fix.edits.into_iter().map(edit).collect::<Option<Vec<_>>>()?;
    is_json(&applied(source, &edits)?).then_some(Fix { edits, ..fix })
}

/// A text with edits that do not overlap.
fn applied(text: &str, edits: &[Edit]) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out += text.get(at..edit.span.start as usize)?;
        out += &edit.text;
        at = edit.span.end as usize;
    }
    Some(out + text.get(at..)?)
}

/// The text of an edit as JSON: a value, or a field with its value, after a comma if there is one.
fn json_text(text: &str) -> Option<String> {
    let (comma, text) = match text.strip_prefix(", ") {
        Some(rest) => (", ", rest),
        None => ("", text),
    };
    if text.is_empty() || serde_json::from_str::<Value>(text).is_ok() {
        return Some(format!("{comma}{text}"));
    }
    let parsed = parse(text, &YamlLimits::default());
    let root = parsed.first()?.root;
    let value = json_value(&parsed.tree, root)?;
    match (&parsed.tree.node(root).kind, value) {
        (NodeKind::Mapping { flow: false, .. }, Value::Object(fields)) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {value}", Value::from(name.as_str()))
            };
            Some(comma.to_owned() + &fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        (_, value) => Some(format!("{comma}{value}")),
    }
}

fn json_value(tree: &Tree, id: NodeId) -> Option<Value> {
    match &tree.node(id).kind {
        NodeKind::Scalar { style, .. } => {
            let text = tree.text_of(id)?;
            let plain = serde_json::from_str(text).ok().filter(|_| *style == Style::Plain);
            Some(plain.unwrap_or_else(|| text.into()))
        }
        NodeKind::Sequence { items, .. } => {
            items.iter().map(|item| json_value(tree, *item)).collect()
        }
        NodeKind::Mapping { entries, .. } => entries
            .iter()
            .map(|entry| {
                Some((tree.text_of(entry.key)?.to_owned(), json_value(tree, entry.value)?))
            })
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        NodeKind::Alias { .. } => None,
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_fix_of_a_file_in_json_stays_json() {
        let source = r#"{ "a": "x", "list": ["b", "c"] }"#;
        let tree = parse(source, &YamlLimits::default()).tree;
        let fixed = |at: &str, text: &str| {
            let start = source.find(at).unwrap();
            let fix = Fix::unsafe_(Span::new(start, start + at.len()), text);
            in_json(&tree, fix).and_then(|fix| applied(source, &fix.edits))
        };
        for (at, text, expected) in [
            (r#""x""#, "advanced", r#"{ "a": "advanced", "list": ["b", "c"] }"#),
            (r#""x""#, "false", r#"{ "a": false, "list": ["b", "c"] }"#),
            (r#""x""#, "'it''s'", r#"{ "a": "it's", "list": ["b", "c"] }"#),
            (r#""x""#, "'12'", r#"{ "a": "12", "list": ["b", "c"] }"#),
            (r#""x""#, "[x, y]", r#"{ "a": ["x","y"], "list": ["b", "c"] }"#),
            (r#""a""#, "name", r#"{ "name": "x", "list": ["b", "c"] }"#),
            (r#""a": "x""#, "lifetime: 90d", r#"{ "lifetime": "90d", "list": ["b", "c"] }"#),
            (r#", "c""#, "", r#"{ "a": "x", "list": ["b"] }"#),
            (r#", "list""#, ", b: c, \"list\"", ""),
        ] {
            let expected = Some(expected.to_owned()).filter(|text| !text.is_empty());
            assert_eq!(fixed(at, text), expected, "{text}");
        }
        // A comment is not JSON, and files in YAML stay as they are.
        assert_eq!(fixed("{ ", "# a comment\n{ "), None);
        let yaml = parse("{ a: x }", &YamlLimits::default()).tree;
        let fix = Fix::safe(Span::new(5, 6), "advanced");
        assert_eq!(in_json(&yaml, fix.clone()), Some(fix));
    }
}

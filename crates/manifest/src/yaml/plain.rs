//! The plain form, in which most definitions are written, parsed in one pass.
//!
//! ASCII, keys with a colon, scalars of one line, lists in brackets or with hyphens: all YAML
//! readers agree on this form, so the second reading can be skipped. Everything else (another line
//! ending, a tab, an escape, a block scalar, an anchor, an empty value, an indicator at the start
//! of a scalar, odd indentation) is left to the parser and the second reading, which also decide
//! whether it is YAML. Tests over mutated files and a fuzz target show that both see the same tree
//! in every file that this reader accepts.
//!
//! This is worth it: a definition of 13 lines takes about 1.5 µs here, and about 180 µs in the
//! parser and the second reading together (the best of 35 runs each, side by side on one busy
//! machine).

use super::tree::Body;
use super::{Comment, Document, MappingEntry, Node, NodeId, NodeKind, Style, YamlLimits};
use crate::Span;

/// The longest key, in bytes, that every reader accepts.
const LINE_MAX: usize = 1000;

/// Collections inside collections.
const DEPTH_MAX: usize = 32;

/// Parses a string of the plain form; `None` for any other.
pub(super) fn read(text: &str, limits: &YamlLimits) -> Option<Body> {
    let bytes = text.as_bytes();
    let printable = |all: bool, byte: &u8| all & matches!(byte, b'\n' | b' '..=b'~');
    // Without an early exit, the loop processes many bytes at a time.
    let plain = bytes.iter().fold(true, printable);
    let short = || bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE_MAX);
    if !plain || bytes.len() > limits.bytes || bytes.last() != Some(&b'\n') || !short() {
        return None;
    }
    // Definitions have about one node per dozen bytes.
    let nodes = Vec::with_capacity((bytes.len() / 12).min(4096));
    let body = Body { nodes, documents: Vec::new(), comments: Vec::new() };
    let at = 0;
    let column = None;
    let depth = limits.depth.min(DEPTH_MAX);
    let mut reader = Reader { bytes, at, column, depth, nodes: limits.nodes, body };
    reader.next_line();
    loop {
        // After a space, it would be part of a string.
        if reader.column.is_none() && reader.rest().starts_with(b"---\n") {
            reader.at += 4;
            reader.next_line();
        }
        if reader.column != Some(0) || reader.body.documents.len() == limits.documents {
            return None;
        }
        let root = reader.mapping(0)?;
        reader.body.documents.push(Document { root });
        match reader.column {
            None if reader.rest().is_empty() => break,
            None => {}
            Some(_) => return None,
        }
    }
    reader.body.nodes.shrink_to_fit();
    Some(reader.body)
}

/// Every method returns `None` if the text does not have the plain form.
struct Reader<'t> {
    bytes: &'t [u8],
    /// The position of the next byte.
    at: usize,
    /// The column of the first token on its line; none at the end of a document.
    column: Option<usize>,
    /// Remaining levels of nesting.
    depth: usize,
    /// The most nodes of one file.
    nodes: usize,
    body: Body,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Skips spaces; returns their number.
    fn spaces(&mut self) -> usize {
        let rest = self.rest();
        let count = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
        self.at += count;
        count
    }

    /// Skips empty lines and comments from the start of a line to the next token.
    fn next_line(&mut self) {
        loop {
            if self.rest().starts_with(b"---\n") {
                self.column = None;
                return;
            }
            let column = self.spaces();
            match self.peek() {
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.comment(false),
                Some(_) => {
                    self.column = Some(column);
                    return;
                }
                None => {
                    self.column = None;
                    return;
                }
            }
        }
    }

    /// A comment, and the end of its line.
    fn comment(&mut self, trailing: bool) {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let span = Span::new(self.at, self.at + length);
        self.body.comments.push(Comment { span, trailing });
        self.at += length + 1;
    }

    /// Skips to the next line; only a comment may follow on this one.
    fn end_of_line(&mut self) -> Option<()> {
        let spaces = self.spaces();
        match self.peek()? {
            b'\n' => self.at += 1,
            b'#' if spaces > 0 => self.comment(true),
            _ => return None,
        }
        self.next_line();
        Some(())
    }

    fn is_item(&self) -> bool {
        self.rest().starts_with(b"- ")
    }

    /// Numbers a node that starts here.
    fn add(&mut self, kind: NodeKind) -> Option<NodeId> {
        let id = NodeId(u32::try_from(self.body.nodes.len()).ok()?);
        let span = Span::new(self.at, self.at);
        self.body.nodes.push(Node { kind, span, before: None });
        (self.body.nodes.len() <= self.nodes).then_some(id)
    }

    fn end(&mut self, id: NodeId, kind: NodeKind, end: usize) -> Option<NodeId> {
        let node = self.body.nodes.get_mut(id.0 as usize)?;
        node.kind = kind;
        node.span = Span::new(node.span.start as usize, end);
        self.depth += 1;
        Some(id)
    }

    fn end_of(&self, id: NodeId) -> usize {
        self.body.node(id).span.end as usize
    }

    /// One level down.
    fn open(&mut self, kind: NodeKind) -> Option<NodeId> {
        self.depth = self.depth.checked_sub(1)?;
        self.add(kind)
    }

    /// The keys of a block mapping, starting at the first one.
    fn mapping(&mut self, column: usize) -> Option<NodeId> {
        let mut entries = Vec::with_capacity(4);
        let flow = false;
        let id = self.open(NodeKind::Mapping { entries: Vec::new(), flow })?;
        loop {
            let key = self.scalar(false)?;
            self.eat(b':')?;
            let value = self.value(column)?;
            entries.push(MappingEntry { key, value });
            if self.column != Some(column) || self.is_item() {
                break;
            }
        }
        self.up_from(column)?;
        let end = self.end_of(entries.last()?.value);
        self.end(id, NodeKind::Mapping { entries, flow }, end)
    }

    /// The value after the colon of a key: on its line, or below.
    fn value(&mut self, column: usize) -> Option<NodeId> {
        let here = self.at;
        if self.end_of_line().is_none() {
            self.at = here;
            self.eat(b' ')?;
            self.spaces();
            let value = self.inline(false)?;
            self.end_of_line()?;
            return Some(value);
        }
        let below = self.column?;
        if self.is_item() && below >= column {
            let id = self.items(below)?;
            if below == column {
                self.begin_with_item(id);
            }
            Some(id)
        } else if below > column {
            self.mapping(below)
        } else {
            None
        }
    }

    /// The items of a block list, starting at the first one.
    fn items(&mut self, column: usize) -> Option<NodeId> {
        let mut items = Vec::with_capacity(4);
        let flow = false;
        let id = self.open(NodeKind::Sequence { items: Vec::new(), flow })?;
        while self.column == Some(column) && self.is_item() {
            self.at += 1;
            let inner = column + 1 + self.spaces();
            let is_mapping =
                self.scan(false).is_some_and(|(end, _)| self.bytes.get(end) == Some(&b':'));
            if is_mapping {
                items.push(self.mapping(inner)?);
            } else {
                items.push(self.inline(false)?);
                self.end_of_line()?;
            }
        }
        self.up_from(column)?;
        let end = self.end_of(*items.last()?);
        self.end(id, NodeKind::Sequence { items, flow }, end)
    }

    /// If a list is not indented deeper than its key, the parser's span starts at its first item.
    fn begin_with_item(&mut self, id: NodeId) {
        let NodeKind::Sequence { items, .. } = &self.body.node(id).kind else { return };
        let start = items.first().map(|first| self.body.node(*first).span.start);
        if let (Some(start), Some(node)) = (start, self.body.nodes.get_mut(id.0 as usize)) {
            node.span.start = start;
        }
    }

    /// Whatever follows a block is indented less, or belongs to the block around it.
    fn up_from(&self, column: usize) -> Option<()> {
        self.column.is_none_or(|next| next <= column).then_some(())
    }

    /// A value on one line; `flow` within brackets.
    fn inline(&mut self, flow: bool) -> Option<NodeId> {
        match self.peek()? {
            b'[' => self.list(),
            b'{' => self.braces(),
            _ => self.scalar(flow),
        }
    }

    fn list(&mut self) -> Option<NodeId> {
        let mut items = Vec::new();
        let flow = true;
        let id = self.open(NodeKind::Sequence { items: Vec::new(), flow })?;
        self.at += 1;
        self.spaces();
        while self.peek()? != b']' || !items.is_empty() {
            items.push(self.inline(true)?);
            if self.closes(b']')? {
                break;
            }
        }
        self.eat(b']')?;
        let end = self.at;
        self.end(id, NodeKind::Sequence { items, flow }, end)
    }

    fn braces(&mut self) -> Option<NodeId> {
        let mut entries = Vec::new();
        let flow = true;
        let id = self.open(NodeKind::Mapping { entries: Vec::new(), flow })?;
        self.at += 1;
        self.spaces();
        while self.peek()? != b'}' || !entries.is_empty() {
            let key = self.scalar(true)?;
            self.eat(b':')?;
            self.eat(b' ')?;
            self.spaces();
            entries.push(MappingEntry { key, value: self.inline(true)? });
            if self.closes(b'}')? {
                break;
            }
        }
        self.eat(b'}')?;
        let end = self.at;
        self.end(id, NodeKind::Mapping { entries, flow }, end)
    }

    /// Skips what follows an item in brackets: the closing bracket, or a comma and another item.
    fn closes(&mut self, close: u8) -> Option<bool> {
        self.spaces();
        if self.peek()? == close {
            return Some(true);
        }
        self.eat(b',')?;
        self.spaces();
        Some(false)
    }

    fn scalar(&mut self, flow: bool) -> Option<NodeId> {
        let (end, style) = self.scan(flow)?;
        let inside = self.bytes.get(self.at + 1..end - 1).filter(|_| style == Style::Quoted);
        let inside = inside.and_then(|inside| std::str::from_utf8(inside).ok());
        let id = self.add(NodeKind::Scalar { text: inside.map(Into::into), style })?;
        self.body.nodes.last_mut()?.span.end = u32::try_from(end).ok()?;
        self.at = end;
        Some(id)
    }

    /// The end of the string that starts here.
    fn scan(&self, flow: bool) -> Option<(usize, Style)> {
        let rest = self.rest();
        let first = *rest.first()?;
        if matches!(first, b'"' | b'\'') {
            let length = rest
                .iter()
                .skip(1)
                .position(|byte| matches!(*byte, b'\n' | b'\\') || *byte == first)?;
            let end = self.at + length + 2;
            let closed =
                rest.get(length + 1) == Some(&first) && self.bytes.get(end) != Some(&first);
            return closed.then_some((end, Style::Quoted));
        }
        let length = plain_length(rest, flow)?;
        Some((self.at + length, Style::Plain))
    }
}

/// The bytes of an unquoted string that starts without an indicator and has colons and hashes only
/// within
/// words.
fn plain_length(rest: &[u8], flow: bool) -> Option<usize> {
    let first = *rest.first()?;
    if !(first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/' | b'(')) {
        return None;
    }
    let mut length = 0;
    let mut before = first;
    for (at, byte) in rest.iter().enumerate() {
        let next = rest.get(at + 1).copied().unwrap_or(b'\n');
        match byte {
            b'\n' => break,
            b':' if matches!(next, b' ' | b'\n') => break,
            b':' if !(next.is_ascii_alphanumeric() || next == b'/') => return None,
            b'#' if before == b' ' => break,
            b'#' if !before.is_ascii_alphanumeric() => return None,
            b',' | b']' | b'}' if flow => break,
            b'?' | b'[' | b'{' if flow => return None,
            b' ' => {}
            _ => length = at + 1,
        }
        before = *byte;
    }
    Some(length)
}

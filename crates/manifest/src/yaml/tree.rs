//! The tree: nodes in one vector, each with its position in the source.
//!
//! The tree owns its source text, so a span is never applied to another file. It can drop its nodes
//! and parse them again on demand: of thousands of files, few are used twice.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::YamlLimits;
use crate::{LineIndex, Position, Span, Spanned};

/// A node's number in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub(crate) u32);

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No value, as in `roles:` at the end of a line.
    Empty,
    /// Without quotes.
    Plain,
    /// In `'` or `"`.
    Quoted,
    /// As a `|` or `>` block.
    Block,
}

/// One key and its value.
#[derive(Clone, Copy, Debug)]
pub struct MappingEntry {
    /// The key's node.
    pub key: NodeId,
    /// The value's node.
    pub value: NodeId,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A string, exactly as written; never retyped.
    Scalar {
        /// The string; `None` if it equals the text under the span.
        text: Option<Box<str>>,
        /// How it is written.
        style: Style,
    },
    /// A list.
    Sequence {
        /// Its values.
        items: Vec<NodeId>,
        /// Written as `[…]`.
        flow: bool,
    },
    /// Keys with values, in the order written, duplicates kept.
    Mapping {
        /// Its entries.
        entries: Vec<MappingEntry>,
        /// Written as `{…}`.
        flow: bool,
    },
    /// `*name`, not followed.
    Alias {
        /// True if no anchor of that name precedes it.
        dangling: bool,
    },
}

/// A node with its position.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its kind.
    pub kind: NodeKind,
    /// Its span, without anchors and tags.
    pub span: Span,
    /// What precedes it; nothing for most nodes.
    pub(super) before: Option<Box<Before>>,
}

/// An anchor and a tag before a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    pub(super) anchor: Option<Span>,
    pub(super) tag: Option<Spanned<bool>>,
}

impl Node {
    /// The position of its `&anchor`.
    #[must_use]
    pub fn anchor(&self) -> Option<Span> {
        self.before.as_ref()?.anchor
    }

    /// The position of its `!tag`, and whether the tag has no effect (`!!str` on a string).
    #[must_use]
    pub fn tag(&self) -> Option<&Spanned<bool>> {
        self.before.as_ref()?.tag.as_ref()
    }
}

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Its value.
    pub root: NodeId,
}

/// A comment.
#[derive(Clone, Copy, Debug)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// True if part of the document precedes it on its line.
    pub trailing: bool,
}

/// A file's documents and comments, with its text.
#[derive(Debug)]
pub struct Tree {
    source: Box<str>,
    limits: YamlLimits,
    body: OnceLock<Body>,
    lines: OnceLock<LineIndex>,
    parents: OnceLock<HashMap<Span, Parent>>,
}

/// The list or mapping that contains an item or a key.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// The list or mapping.
    pub node: NodeId,
    /// The index of the item or entry.
    pub at: usize,
}

/// How a string was parsed.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) nodes: Vec<Node>,
    pub(super) documents: Vec<Document>,
    pub(super) comments: Vec<Comment>,
}

impl Body {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

impl Tree {
    pub(super) fn new(source: &str, limits: &YamlLimits, body: Body) -> Self {
        Self {
            source: source.into(),
            limits: *limits,
            body: OnceLock::from(body),
            lines: OnceLock::new(),
            parents: OnceLock::new(),
        }
    }

    /// Frees all memory except the text, until the tree is used again.
    pub fn forget(&mut self) {
        self.body.take();
        self.lines.take();
        self.parents.take();
    }

    fn body(&self) -> &Body {
        self.body.get_or_init(|| super::read(&self.source, &self.limits).0)
    }

    fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.source))
    }

    /// The text of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The file's documents, in order.
    pub fn documents(&self) -> &[Document] {
        &self.body().documents
    }

    /// The document whose value is at a position.
    pub fn document_at(&self, place: Span) -> Option<Document> {
        // They are in order, and a file may have many.
        let documents = self.documents();
        let span = |document: &Document| self.node(document.root).span;
        let before = documents.partition_point(|document| span(document).start < place.start);
        documents.get(before..)?.iter().find(|document| span(document) == place).copied()
    }

    /// The file's comments, in order.
    pub fn comments(&self) -> &[Comment] {
        &self.body().comments
    }

    /// A node by its number. Numbers come from this tree, so they exist.
    pub fn node(&self, id: NodeId) -> &Node {
        self.body().node(id)
    }

    /// All nodes; the order of parents and children is unspecified.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0_u32..).map(NodeId).zip(&self.body().nodes)
    }

    /// The string of a scalar; `None` for other nodes. An empty value is the empty string.
    pub fn text_of(&self, id: NodeId) -> Option<&str> {
        let node = self.node(id);
        match &node.kind {
            NodeKind::Scalar { text: Some(text), .. } => Some(text),
            NodeKind::Scalar { style: Style::Empty, .. } => Some(""),
            NodeKind::Scalar { text: None, .. } => Some(node.span.slice(&self.source)),
            _ => None,
        }
    }

    /// The position of the field at the end of a path, or of the last existing one on the way: its
    /// value, or its key if the value is a collection.
    pub fn deepest(&self, root: NodeId, path: &[String]) -> Option<Span> {
        let mut at = root;
        let mut found = None;
        for name in path {
            let NodeKind::Mapping { entries, .. } = &self.node(at).kind else { break };
            let entry = entries.iter().find(|entry| self.text_of(entry.key) == Some(name));
            let Some(entry) = entry else { break };
            at = entry.value;
            let holds_more = matches!(self.node(at).kind, NodeKind::Mapping { .. });
            let shown = if holds_more || self.is_empty_value(at) { entry.key } else { at };
            found = Some(self.node(shown).span);
        }
        found
    }

    /// The collection that contains the item or key at a position.
    pub fn parent_of(&self, place: Span) -> Option<Parent> {
        self.parents.get_or_init(|| self.index()).get(&place).copied()
    }

    /// If two are at one position, the first is kept: an empty key has the position of its mapping.
    fn index(&self) -> HashMap<Span, Parent> {
        let mut parents = HashMap::with_capacity(self.body().nodes.len());
        for (id, node) in self.nodes() {
            let mut add = |child: NodeId, at| {
                parents.entry(self.node(child).span).or_insert(Parent { node: id, at });
            };
            match &node.kind {
                NodeKind::Sequence { items, .. } => {
                    items.iter().enumerate().for_each(|(at, item)| add(*item, at));
                }
                NodeKind::Mapping { entries, .. } => {
                    entries.iter().enumerate().for_each(|(at, entry)| add(entry.key, at));
                }
                _ => {}
            }
        }
        parents
    }

    /// True if a value could be written but is not.
    pub fn is_empty_value(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, NodeKind::Scalar { style: Style::Empty, .. })
    }

    /// Offset at which the line that contains an offset starts.
    pub fn line_start(&self, offset: usize) -> usize {
        let line = self.lines().line_of(u32::try_from(offset).unwrap_or(u32::MAX));
        self.lines().line_start(line).map_or(0, |at| at as usize)
    }

    /// Offset at which the line that contains an offset ends, without its line ending.
    pub fn line_end(&self, offset: usize) -> usize {
        let line = self.lines().line_of(u32::try_from(offset).unwrap_or(u32::MAX));
        let next = self.lines().line_start(line + 1).map_or(self.source.len(), |at| at as usize);
        let rest = self.source.get(offset..next).unwrap_or_default();
        next - (rest.len() - rest.trim_end_matches(['\n', '\r']).len())
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        self.lines().position(&self.source, offset)
    }
}

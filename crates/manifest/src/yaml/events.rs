//! The only module that uses the YAML parser: it turns events into our tree.
//!
//! The parser can be replaced, because nothing of it is visible outside this module. Limits are
//! checked for each event, so that nothing larger than the limits is ever built.

use std::borrow::Cow;

use granit_parser::{
    ErrorKind, Event, Parser, Placement, ScalarStyle, ScanError, Span as RawSpan, StrInput,
    StructureStyle, Tag,
};

use super::tree::{Before, Body};
use super::{Comment, Document, MappingEntry, Node, NodeId, NodeKind, Style, YamlLimits, advice};
use crate::{Problem, ProblemKind, Span, Spanned};

/// Reads all documents up to the first error.
pub(super) fn read(text: &str, limits: &YamlLimits) -> (Body, Option<Problem>) {
    let mut body = Body { nodes: Vec::new(), documents: Vec::new(), comments: Vec::new() };
    if text.len() > limits.bytes {
        let message =
            format!("the file has {} bytes; at most {} bytes are read", text.len(), limits.bytes);
        let problem = Problem::new(ProblemKind::YamlSyntax, Span::new(0, 0), message)
            .help("split the file, one key definition per file");
        return (body, Some(problem));
    }
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        block_scalar_eof_without_line_feed: true,
        max_buffered_comment_events: limits.bytes,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    // Definitions have about one node per dozen bytes.
    body.nodes.reserve((text.len() / 12).min(4096));
    let mut builder = Builder { text, body: &mut body, limits, open: Vec::new(), root: None };
    let error = builder.run(&mut parser).map(|mut problem| {
        problem.message.push_str("; the rest of the file is not checked");
        problem
    });
    body.nodes.shrink_to_fit();
    (body, error)
}

/// A collection that is not closed yet.
struct Open {
    id: NodeId,
    /// A mapping's key that waits for its value.
    key: Option<NodeId>,
}

struct Builder<'a> {
    text: &'a str,
    body: &'a mut Body,
    limits: &'a YamlLimits,
    open: Vec<Open>,
    root: Option<NodeId>,
}

impl Builder<'_> {
    fn run<'t>(&mut self, parser: &mut Parser<'t, StrInput<'t>>) -> Option<Problem> {
        loop {
            match parser.next_event()? {
                Ok((event, span)) => {
                    if let Some(problem) = self.take(event, &span) {
                        return Some(problem);
                    }
                }
                Err(error) => return Some(self.syntax(&error)),
            }
        }
    }

    fn take(&mut self, event: Event<'_>, raw: &RawSpan) -> Option<Problem> {
        let span = self.span(raw);
        let node = match event {
            Event::Scalar(text, style, _, tag) => self.scalar(&text, style, tag, span, raw),
            Event::SequenceStart(style, _, tag) => {
                let kind =
                    NodeKind::Sequence { items: Vec::new(), flow: style == StructureStyle::Flow };
                let tag = self.tag(tag, raw, "seq");
                self.open(Node { kind, span, before: with_tag(tag) })
            }
            Event::MappingStart(style, _, tag) => {
                let kind =
                    NodeKind::Mapping { entries: Vec::new(), flow: style == StructureStyle::Flow };
                let tag = self.tag(tag, raw, "map");
                self.open(Node { kind, span, before: with_tag(tag) })
            }
            Event::Alias(_) => self.alias(span, false),
            Event::UnresolvedAlias(_) => self.alias(span, true),
            other => return self.other(&other, span),
        };
        node.err()
    }

    /// Events that create no node.
    fn other(&mut self, event: &Event<'_>, span: Span) -> Option<Problem> {
        match event {
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Anchor(..) => {
                if let Some(node) = self.body.nodes.last_mut() {
                    node.before.get_or_insert_default().anchor = Some(span);
                }
            }
            Event::Comment(_, placement) => {
                let trailing = *placement == Placement::Right;
                self.body.comments.push(Comment { span, trailing });
            }
            Event::DocumentStart(..) if self.body.documents.len() == self.limits.documents => {
                let count = self.limits.documents;
                let what = if count == 1 { "document" } else { "documents" };
                return Some(over(span, format!("more than {count} {what} in one file")));
            }
            Event::DocumentEnd => {
                if let Some(root) = self.root.take() {
                    self.body.documents.push(Document { root });
                }
            }
            _ => {}
        }
        None
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        span: Span,
        raw: &RawSpan,
    ) -> Result<(), Problem> {
        let style = match style {
            ScalarStyle::Plain if span.is_empty() => Style::Empty,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let written = span.slice(self.text);
        // A block's span includes the empty lines after it.
        let trimmed = written.trim_end_matches(['\n', '\r', ' ', '\t']).len();
        let span = match style {
            Style::Block if trimmed > 0 => {
                Span::new(span.start as usize, span.start as usize + trimmed)
            }
            _ => span,
        };
        let same = style == Style::Empty || text == span.slice(self.text);
        let kind = NodeKind::Scalar { text: (!same).then(|| text.into()), style };
        let tag = self.tag(tag, raw, "str");
        self.add(Node { kind, span, before: with_tag(tag) }).map(|_| ())
    }

    fn alias(&mut self, span: Span, dangling: bool) -> Result<(), Problem> {
        let kind = NodeKind::Alias { dangling };
        self.add(Node { kind, span, before: None }).map(|_| ())
    }

    fn open(&mut self, node: Node) -> Result<(), Problem> {
        if self.open.len() == self.limits.depth {
            return Err(too_deep(node.span, self.limits));
        }
        let id = self.add(node)?;
        self.open.push(Open { id, key: None });
        Ok(())
    }

    /// Numbers a node and attaches it to the open collection.
    fn add(&mut self, node: Node) -> Result<NodeId, Problem> {
        if self.body.nodes.len() == self.limits.nodes {
            let message = format!("more than {} values in one file", self.limits.nodes);
            return Err(over(node.span, message));
        }
        let id = NodeId(u32::try_from(self.body.nodes.len()).unwrap_or(u32::MAX));
        self.body.nodes.push(node);
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(id);
            return Ok(id);
        };
        match &mut self.body.nodes[parent.id.0 as usize].kind {
            NodeKind::Sequence { items, .. } => items.push(id),
            NodeKind::Mapping { entries, .. } => match parent.key.take() {
                None => parent.key = Some(id),
                Some(key) => entries.push(MappingEntry { key, value: id }),
            },
            _ => {}
        }
        Ok(id)
    }

    /// Sets the end of a closed collection: its own for `[…]`, its last child's for blocks.
    fn close(&mut self, span: Span) {
        let Some(open) = self.open.pop() else { return };
        let node = &self.body.nodes[open.id.0 as usize];
        let (flow, first, last) = match &node.kind {
            NodeKind::Sequence { items, flow } => (*flow, None, items.last().copied()),
            NodeKind::Mapping { entries, flow } => {
                (*flow, entries.first().map(|e| e.key), entries.last().map(|e| e.value))
            }
            _ => return,
        };
        let end = match last {
            Some(last) if !flow => self.body.node(last).span.end,
            _ => span.end,
        };
        let start = match first {
            Some(first) if !flow => self.body.node(first).span.start,
            _ => node.span.start,
        };
        let node = &mut self.body.nodes[open.id.0 as usize];
        node.span = Span { start: start.min(node.span.start.max(start)), end: end.max(start) };
    }

    fn tag(
        &self,
        tag: Option<Cow<'_, Tag>>,
        raw: &RawSpan,
        harmless: &str,
    ) -> Option<Spanned<bool>> {
        let tag = tag?;
        let span = raw.tag_span().map_or_else(|| self.span(raw), |span| self.span(&span));
        Some(Spanned::new(tag.is_yaml_core_schema_tag(harmless), span))
    }

    /// Converts the parser's span; always within the text and on character boundaries.
    fn span(&self, raw: &RawSpan) -> Span {
        let text = self.text;
        let clamp = |offset: Option<usize>| {
            let mut offset = offset.unwrap_or(0).min(text.len());
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        Span::new(clamp(raw.start.byte_offset()), clamp(raw.end.byte_offset()))
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = RawSpan::empty(*error.marker());
        let span = self.span(&at);
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep(span, self.limits),
            kind => advice::problem(self.text, kind, span.start as usize),
        }
    }
}

fn with_tag(tag: Option<Spanned<bool>>) -> Option<Box<Before>> {
    tag.map(|tag| Box::new(Before { anchor: None, tag: Some(tag) }))
}

fn too_deep(span: Span, limits: &YamlLimits) -> Problem {
    over(span, format!("more than {} levels of nesting", limits.depth))
}

fn over(span: Span, message: String) -> Problem {
    Problem::new(ProblemKind::YamlSyntax, span, message)
        .help("no key definition or policy needs that much; is this the right file?")
}

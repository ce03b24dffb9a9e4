//! The second reading: the same bytes, read with libYAML's semantics, compared with our tree.
//!
//! Definitions are also read by other programs, most of them built on libYAML or a port of it. If
//! such a reader sees another structure or another string, a reviewer and a deployer see two
//! different keys. Types are not compared, since our tree has none: every scalar is read as a
//! string. The second reader follows our tree and stops at the first difference, so no second tree
//! is built.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Deserializer;

use super::secrets::secret_ranges;
use super::{NodeId, NodeKind, Tree};
use crate::{Problem, ProblemKind, Span, quote};

/// The first position where libYAML's reading differs from ours. Only for trees that are complete
/// and free of duplicates and indirections, which are findings of their own.
#[must_use]
pub fn disagreement(tree: &Tree) -> Option<Problem> {
    // The other reader is a port of C code. A panic counts as a disagreement.
    let outcome = catch_unwind(AssertUnwindSafe(|| compare(tree)));
    let found =
        outcome.unwrap_or_else(|_| Some(problem(Span::new(0, 0), "libYAML fails on this file")))?;
    let secret = secret_ranges(tree.source(), Some(tree), false).into_iter().any(|secret| {
        let place = found.span.range();
        secret.start <= place.end && place.start <= secret.end
    });
    Some(if secret { problem(found.span, "this string is read in two ways") } else { found })
}

fn compare(tree: &Tree) -> Option<Problem> {
    let (mark, text) = without_mark(tree.source());
    let mut others = Deserializer::from_str(text);
    for document in tree.documents() {
        let span = tree.node(document.root).span;
        let Some(other) = others.next() else {
            return Some(problem(span, "libYAML sees no document here"));
        };
        let mut difference = None;
        let seed = Seed { tree, id: document.root, difference: &mut difference };
        if let Err(error) = seed.deserialize(other) {
            return Some(difference.unwrap_or_else(|| refused(tree, mark, span, &error)));
        }
    }
    // Nothing may remain, except the one empty document of an empty file.
    let rest = others.next()?;
    let end = tree.source().len();
    let empty = tree.documents().is_empty()
        && Option::<IgnoredAny>::deserialize(rest).is_ok_and(|v| v.is_none());
    (!empty).then(|| problem(Span::new(end, end), "libYAML sees one more document"))
}

/// The text after a byte order mark, and the mark's length. If the other reader got text instead of
/// bytes, it would read the mark as an indentation of the first line, which no program that opens
/// the file does.
fn without_mark(text: &str) -> (usize, &str) {
    text.strip_prefix('\u{feff}').map_or((0, text), |rest| (text.len() - rest.len(), rest))
}

/// The other reader failed although no difference was found: its error, at our best position.
fn refused(tree: &Tree, mark: usize, fallback: Span, error: &serde_yaml::Error) -> Problem {
    let span = error.location().map_or(fallback, |location| {
        let mut at = (location.index() + mark).min(tree.source().len());
        while !tree.source().is_char_boundary(at) {
            at -= 1;
        }
        Span::new(at, at)
    });
    let words = quote(&error.to_string());
    problem(span, &format!("libYAML rejects the file: {words}"))
}

fn problem(span: Span, what: &str) -> Problem {
    let message = format!("YAML readers disagree about this file: {what}");
    Problem::new(ProblemKind::ParserDisagreement, span, message)
        .help("simplify it: quote the string, and remove unusual line endings and `#`")
}

/// Compares one node with ours, and records a difference.
struct Seed<'a, 'd> {
    tree: &'a Tree,
    id: NodeId,
    difference: &'d mut Option<Problem>,
}

impl Seed<'_, '_> {
    fn child(&mut self, id: NodeId) -> Seed<'_, '_> {
        Seed { tree: self.tree, id, difference: self.difference }
    }

    fn differs<E: serde::de::Error>(&mut self, what: &str) -> E {
        let span = self.tree.node(self.id).span;
        self.difference.get_or_insert_with(|| problem(span, what));
        E::custom("differs")
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(mut self, other: D) -> Result<(), D::Error> {
        let tree = self.tree;
        let what = match &tree.node(self.id).kind {
            NodeKind::Scalar { .. } => "a string here, but not for libYAML",
            NodeKind::Sequence { .. } => "a list here, but not for libYAML",
            NodeKind::Mapping { .. } => "a mapping here, but not for libYAML",
            NodeKind::Alias { .. } => return Err(D::Error::custom("alias")),
        };
        let visited = match &tree.node(self.id).kind {
            NodeKind::Scalar { .. } => other.deserialize_str(self.child(self.id)),
            NodeKind::Sequence { .. } => other.deserialize_seq(self.child(self.id)),
            _ => other.deserialize_map(self.child(self.id)),
        };
        // An error with a recorded difference comes from below. One without is about the shape of
        // this node.
        if visited.is_err() && self.difference.is_none() {
            let _: D::Error = self.differs(what);
        }
        visited
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the same shape")
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        let ours = self.tree.text_of(self.id).unwrap_or_default();
        if ours == text {
            return Ok(());
        }
        let what = format!("{} here, {} for libYAML", quote(ours), quote(text));
        Err(self.differs(&what))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut other: A) -> Result<(), A::Error> {
        let tree = self.tree;
        let NodeKind::Sequence { items, .. } = &tree.node(self.id).kind else {
            return Err(self.differs("a list for libYAML"));
        };
        for item in items {
            if other.next_element_seed(self.child(*item))?.is_none() {
                return Err(self.child(*item).differs("not in the list for libYAML"));
            }
        }
        match other.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(self.differs("the list is longer for libYAML")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut other: A) -> Result<(), A::Error> {
        let tree = self.tree;
        let NodeKind::Mapping { entries, .. } = &tree.node(self.id).kind else {
            return Err(self.differs("a mapping for libYAML"));
        };
        for entry in entries {
            if other.next_key_seed(self.child(entry.key))?.is_none() {
                let what = "not in the mapping for libYAML";
                return Err(self.child(entry.key).differs(what));
            }
            other.next_value_seed(self.child(entry.value))?;
        }
        match other.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(self.differs("the mapping is longer for libYAML")),
        }
    }
}

//! Typed fields out of a mapping, with recovery: a wrong field is reported and the rest is read.
//!
//! Shared by definitions and policies, so that both have the same strictness and the same words.
//! Refuses to guess: a value that does not fit is `Bad`, never a default.

use std::collections::HashSet;

use crate::quote::printable;
use crate::suggest::list;
use crate::yaml::{Entry, NodeId, NodeKind, Style, TEMPLATE_HELP, Tree};
use crate::{
    Problem, ProblemKind, Secret, Span, Spanned, closest, did_you_mean, quote, quote_refused,
};

/// Items of one list. A policy's inventory may have as many as a file has room for, and a key's
/// lists are compared with each other.
const ITEMS_MAX: usize = 10_000;

/// A field as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// Not there.
    Absent,
    /// The key is there and nothing behind it; the span is the key's.
    Empty(Span),
    /// Something is there that does not fit, or under a misspelt name; it has been reported. The
    /// span is the value's, or the misspelt name's.
    Bad(Span),
    /// There, and read.
    Present {
        /// Where the key stands.
        key: Span,
        /// The value and its place.
        value: Spanned<T>,
    },
}

impl<T> Field<T> {
    /// The value, where there is one.
    pub fn get(&self) -> Option<&T> {
        self.spanned().map(|spanned| &spanned.value)
    }

    /// The value with its place, where there is one.
    pub fn spanned(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Present { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Where the key stands, when the field is there and was read or is empty.
    pub fn key(&self) -> Option<Span> {
        match self {
            Self::Empty(key) | Self::Present { key, .. } => Some(*key),
            _ => None,
        }
    }

    /// True when there is nothing: no key, or a key without a value.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty(_))
    }

    fn map<U>(self, f: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Empty(span) => Field::Empty(span),
            Self::Bad(span) => Field::Bad(span),
            Self::Present { key, value } => {
                Field::Present { key, value: Spanned::new(f(value.value), value.span) }
            }
        }
    }
}

/// A text with a text, both with places: a label, an annotation.
pub type TextPair = (Spanned<String>, Spanned<String>);

/// The known fields of one mapping.
pub(crate) struct Fields<'t> {
    entries: Vec<(&'t str, Entry)>,
    /// Known fields that a misspelt one most likely means, with the place of the misspelt one.
    meant: Vec<(String, Span)>,
    /// The key of the mapping: where a field that is not there is reported.
    pub(crate) place: Span,
    /// The mapping itself.
    pub(crate) span: Span,
    /// Its path from the document's root, for messages.
    pub(crate) path: String,
}

impl Fields<'_> {
    fn find(&self, name: &str) -> Option<Entry> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, entry)| *entry)
    }

    /// Where the key of a field stands, whatever is behind it.
    pub(crate) fn key_of(&self, tree: &Tree, name: &str) -> Option<Span> {
        self.find(name).map(|entry| tree.node(entry.key).span)
    }

    fn path_of(&self, name: &str) -> String {
        let mut path = String::new();
        self.write_path_of(name, &mut path);
        path
    }

    fn write_path_of(&self, name: &str, path: &mut String) {
        if !self.path.is_empty() {
            path.push_str(&self.path);
            path.push('.');
        }
        path.push_str(name);
    }
}

pub(crate) struct Reader<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) problems: Vec<Problem>,
    /// Texts that paths were written in, for the next ones: each field has a path, and few are told.
    paths: Vec<String>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(tree: &'t Tree) -> Self {
        Self { tree, problems: Vec::new(), paths: Vec::new() }
    }

    pub(crate) fn report(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(kind, span, message));
    }

    /// Reports with help.
    pub(crate) fn report_help(
        &mut self,
        kind: ProblemKind,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::new(kind, span, message).help(help));
    }

    pub(crate) fn span(&self, id: NodeId) -> Span {
        self.tree.node(id).span
    }

    /// A mapping with these fields and no others. `place` is its key.
    pub(crate) fn mapping(
        &mut self,
        id: NodeId,
        place: Span,
        path: &str,
        known: &[&str],
    ) -> Option<Fields<'t>> {
        self.mapping_of(id, place, path, Some(known))
    }

    /// The same; without names, one that takes any field.
    pub(crate) fn mapping_of(
        &mut self,
        id: NodeId,
        place: Span,
        path: &str,
        known: Option<&[&str]>,
    ) -> Option<Fields<'t>> {
        let tree = self.tree;
        let node = tree.node(id);
        let NodeKind::Mapping { entries, .. } = &node.kind else {
            self.wrong_type(id, path, "a mapping of fields");
            return None;
        };
        if self.is_template(id) {
            self.wrong_type(id, path, "a mapping of fields");
            return None;
        }
        let mut fields = Fields {
            entries: Vec::with_capacity(entries.len()),
            meant: Vec::new(),
            place,
            span: node.span,
            path: path.to_owned(),
        };
        for entry in entries {
            let Some(name) = tree.text_of(entry.key) else {
                self.wrong_type(entry.key, path, "field names that are text");
                continue;
            };
            let Some(known) = known.filter(|known| !known.contains(&name)) else {
                fields.entries.push((name, *entry));
                continue;
            };
            if name != "<<" {
                self.unknown(*entry, name, path, known);
                if let Some(meant) = closest(name, known.iter().copied()) {
                    fields.meant.push((meant.to_owned(), self.span(entry.key)));
                }
            }
        }
        Some(fields)
    }

    fn unknown(&mut self, entry: Entry, name: &str, path: &str, known: &[&str]) {
        let place = if path.is_empty() { "here".into() } else { format!("in `{path}`") };
        let message = format!("unknown field {} {place}", quote(name));
        let mut problem = Problem::new(ProblemKind::UnknownField, self.span(entry.key), message);
        problem.help = did_you_mean(name, known);
        problem.meant = closest(name, known.iter().copied()).map(Into::into);
        self.problems.push(problem);
    }

    /// True for `{{ … }}`, which YAML reads as a mapping with a mapping for a key.
    fn is_template(&self, id: NodeId) -> bool {
        let NodeKind::Mapping { entries, flow: true } = &self.tree.node(id).kind else {
            return false;
        };
        let key = entries.first().map(|entry| &self.tree.node(entry.key).kind);
        matches!(key, Some(NodeKind::Mapping { flow: true, .. }))
    }

    /// Reports a value of the wrong shape; an alias has been reported as such.
    pub(crate) fn wrong_type(&mut self, id: NodeId, path: &str, expected: &str) {
        let what = if path.is_empty() { "the document".into() } else { format!("`{path}`") };
        if self.is_template(id) {
            let message = format!("{what} takes {expected}, and a template (`{{{{`) stands here");
            self.report_help(ProblemKind::WrongType, self.span(id), message, TEMPLATE_HELP);
            return;
        }
        let seen = match &self.tree.node(id).kind {
            NodeKind::Alias { .. } => return,
            NodeKind::Sequence { .. } => "a list".to_owned(),
            NodeKind::Mapping { .. } => "a mapping".to_owned(),
            NodeKind::Scalar { .. } if self.tree.is_empty_value(id) => "nothing".to_owned(),
            NodeKind::Scalar { .. } => {
                format!("the text {}", refused(path, self.tree.text_of(id).unwrap_or_default()))
            }
        };
        let message = format!("{what} takes {expected}, and {seen} stands here");
        self.report(ProblemKind::WrongType, self.span(id), message);
    }

    /// A nested mapping; nothing when it is not there or is none.
    pub(crate) fn child(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        known: &[&str],
    ) -> Field<Fields<'t>> {
        self.field(fields, name, |reader, entry, path| {
            reader.mapping(entry.value, reader.span(entry.key), path, known)
        })
    }

    /// A field, read by `read`, which reports what it refuses.
    pub(crate) fn field<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, Entry, &str) -> Option<T>,
    ) -> Field<T> {
        let Some(entry) = fields.find(name) else {
            // `rols` is one mistake, reported where it stands, and not a missing `roles` as well.
            let misspelt = fields.meant.iter().find(|(meant, _)| meant == name);
            return misspelt.map_or(Field::Absent, |(_, span)| Field::Bad(*span));
        };
        let (key, span) = (self.span(entry.key), self.span(entry.value));
        if self.tree.is_empty_value(entry.value) {
            return Field::Empty(key);
        }
        let mut path = self.paths.pop().unwrap_or_default();
        fields.write_path_of(name, &mut path);
        let value = read(self, entry, &path);
        path.clear();
        self.paths.push(path);
        match value {
            Some(value) => Field::Present { key, value: Spanned::new(value, span) },
            None => Field::Bad(span),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, fields: &Fields<'t>, name: &str) -> Field<String> {
        self.field(fields, name, |reader, entry, path| {
            reader.text_at(entry.value, path).map(str::to_owned)
        })
    }

    /// A text; nothing behind the key is a mistake.
    pub(crate) fn filled_text(&mut self, fields: &Fields<'t>, name: &str) -> Field<String> {
        let field = self.text(fields, name);
        self.filled(field, fields, name)
    }

    /// Reports a key without a value.
    pub(crate) fn filled<T>(
        &mut self,
        field: Field<T>,
        fields: &Fields<'_>,
        name: &str,
    ) -> Field<T> {
        if let Field::Empty(key) = field {
            let message = format!("`{}` has no value", fields.path_of(name));
            self.report_help(
                ProblemKind::WrongType,
                key,
                message,
                "write a value, or remove the field",
            );
            return Field::Bad(key);
        }
        field
    }

    /// Reports a field that is not there, at the key of the mapping that lacks it.
    pub(crate) fn required<T>(
        &mut self,
        field: Field<T>,
        fields: &Fields<'_>,
        name: &str,
        example: &str,
    ) -> Field<T> {
        self.required_as(field, fields, name, || format!("write `{example}`"))
    }

    /// The same with other words on what to write.
    pub(crate) fn required_as<T>(
        &mut self,
        field: Field<T>,
        fields: &Fields<'_>,
        name: &str,
        help: impl FnOnce() -> String,
    ) -> Field<T> {
        let place = match &field {
            Field::Absent => fields.place,
            Field::Empty(key) => *key,
            _ => return field,
        };
        let message = format!("`{}` is missing", fields.path_of(name));
        self.report_help(ProblemKind::MissingField, place, message, help());
        field
    }

    pub(crate) fn text_at(&mut self, id: NodeId, path: &str) -> Option<&'t str> {
        match self.tree.text_of(id) {
            Some(text) if !self.tree.is_empty_value(id) => Some(text),
            _ => {
                self.wrong_type(id, path, "a text");
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        table: &[(&str, T)],
    ) -> Field<T> {
        self.field(fields, name, |reader, entry, path| reader.choice_at(entry.value, path, table))
    }

    pub(crate) fn choice_at<T: Copy>(
        &mut self,
        id: NodeId,
        path: &str,
        table: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text_at(id, path)?;
        if let Some((_, value)) = table.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
        let message = format!("{} is no value of `{path}`", refused(path, text));
        let mut problem = Problem::new(ProblemKind::BadValue, self.span(id), message)
            .help(format!("one of {}", list(&words)));
        if let Some(best) = closest(text, words.iter().copied()) {
            problem.help = Some(format!("did you mean `{best}`? (one of {})", list(&words)));
            problem.meant = Some(best.into());
        }
        self.problems.push(problem);
        None
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, fields: &Fields<'t>, name: &str) -> Field<bool> {
        let field = self.choice(fields, name, &[("true", true), ("false", false)]);
        self.filled(field, fields, name)
    }

    /// A whole number.
    pub(crate) fn number(&mut self, fields: &Fields<'t>, name: &str) -> Field<u64> {
        let field = self.field(fields, name, |reader, entry, path| {
            let text = reader.text_at(entry.value, path)?;
            let number = text.parse().ok();
            if number.is_none() {
                let message = format!("{} is no whole number", refused(path, text));
                let help = format!("`{path}` takes a number such as 16");
                reader.report_help(ProblemKind::BadValue, reader.span(entry.value), message, help);
            }
            number
        });
        self.filled(field, fields, name)
    }

    /// A list, each item read by `read`; bad items are reported and left out.
    pub(crate) fn list<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        mut read: impl FnMut(&mut Self, NodeId, &str) -> Option<T>,
    ) -> Field<Vec<T>> {
        self.field(fields, name, |reader, entry, path| {
            let tree = reader.tree;
            let NodeKind::Sequence { items, .. } = &tree.node(entry.value).kind else {
                reader.wrong_type(entry.value, path, "a list");
                if let (Some(text), Some(problem)) =
                    (tree.text_of(entry.value), reader.problems.last_mut())
                {
                    problem.help = Some(format!("write it as a list: {}", list_of(path, text)));
                }
                return None;
            };
            if items.len() > ITEMS_MAX {
                let message =
                    format!("`{path}` has {} items; at most {ITEMS_MAX} are read", items.len());
                let help = "keep the list short enough for a person to review it";
                reader.report_help(ProblemKind::BadValue, reader.span(entry.value), message, help);
                return None;
            }
            Some(items.iter().filter_map(|item| read(reader, *item, path)).collect())
        })
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, fields: &Fields<'t>, name: &str) -> Field<Vec<Spanned<String>>> {
        let field = self.list(fields, name, Self::spanned_text);
        self.rewrite_as_list(fields, name);
        field
    }

    /// Offers `[text]` for a text that stands where a list of texts belongs. A text with commas may
    /// have been meant as a list, so it is left alone.
    pub(crate) fn rewrite_as_list(&mut self, fields: &Fields<'t>, name: &str) {
        let Some(Entry { value, .. }) = fields.find(name) else { return };
        let (tree, node) = (self.tree, self.tree.node(value));
        let NodeKind::Scalar { style: Style::Plain | Style::Quoted, .. } = node.kind else {
            return;
        };
        let written = node.span.slice(tree.source());
        let inner = tree.text_of(value).unwrap_or_default();
        let is_one = !inner.trim().is_empty() && !written.contains(['\n', '\r', ',']);
        // What may be a secret goes into no fix, since reports print those.
        let is_shown = refused(name, inner) == format!("`{inner}`");
        let is_flow_safe = node_is_quoted(&node.kind) || !written.contains(['[', ']', '{', '}']);
        if let Some(problem) = self.problems.last_mut()
            && problem.kind == ProblemKind::WrongType
            && problem.span == node.span
            && is_one
            && is_shown
            && is_flow_safe
        {
            problem.rewrite = Some(format!("[{written}]").into());
        }
    }

    /// The same where nothing behind the key is a mistake, as plain values.
    pub(crate) fn plain_texts(&mut self, fields: &Fields<'t>, name: &str) -> Vec<Spanned<String>> {
        let field = self.texts(fields, name);
        into_list(self.filled(field, fields, name))
    }

    pub(crate) fn spanned_text(&mut self, id: NodeId, path: &str) -> Option<Spanned<String>> {
        let text = self.text_at(id, path)?;
        Some(Spanned::new(text.to_owned(), self.span(id)))
    }

    /// A mapping with free names, each value read by `read`.
    pub(crate) fn entries<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        mut read: impl FnMut(&mut Self, &Spanned<String>, NodeId, &str) -> Option<T>,
    ) -> Vec<(Spanned<String>, T)> {
        let field = self.field(fields, name, |reader, entry, path| {
            let tree = reader.tree;
            let NodeKind::Mapping { entries, .. } = &tree.node(entry.value).kind else {
                reader.wrong_type(entry.value, path, "a mapping");
                return None;
            };
            let mut found: Vec<(Spanned<String>, T)> = Vec::new();
            let mut names: HashSet<&str> = HashSet::new();
            for entry in entries {
                let Some(key) = reader.spanned_text(entry.key, path) else { continue };
                let name = tree.text_of(entry.key).unwrap_or_default();
                // The second of two is reported as a duplicate; the first one counts.
                if names.contains(name) {
                    continue;
                }
                let path = format!("{path}.{}", printable(name));
                if let Some(value) = read(reader, &key, entry.value, &path) {
                    names.insert(name);
                    found.push((key, value));
                }
            }
            Some(found)
        });
        into_list(self.filled(field, fields, name))
    }

    /// A mapping from text to text.
    pub(crate) fn text_pairs(&mut self, fields: &Fields<'t>, name: &str) -> Vec<TextPair> {
        self.entries(fields, name, |reader, _, id, path| reader.spanned_text(id, path))
    }
}

/// The values of a list field, or none.
pub(crate) fn into_list<T>(field: Field<Vec<T>>) -> Vec<T> {
    match field {
        Field::Present { value, .. } => value.value,
        _ => Vec::new(),
    }
}

/// Turns the value of a field.
pub(crate) fn map<T, U>(field: Field<T>, f: impl FnOnce(T) -> U) -> Field<U> {
    field.map(f)
}

fn node_is_quoted(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Scalar { style: Style::Quoted, .. })
}

/// A value that stands where its field does not take it; of a field that is named like a secret,
/// or below one, nothing is shown.
fn refused(path: &str, text: &str) -> String {
    if path.split('.').any(Secret::is_name) {
        return format!("`{}`", "*".repeat(12));
    }
    quote_refused(text)
}

fn list_of(path: &str, text: &str) -> String {
    let quoted = refused(path, text);
    format!("`[{}]`", quoted.trim_matches('`'))
}

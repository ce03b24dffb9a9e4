//! Reads typed fields from a mapping, with recovery: a bad field is reported and the rest is read.
//!
//! Shared by all formats, so that they have the same strictness and the same messages. The tables
//! of [`crate::format`] define the fields of a mapping and which of them are required; the methods
//! here apply them. No field has a default: an invalid value is `Bad`.

mod field;

pub use field::{Field, TextPair};

use std::collections::HashSet;

use crate::format::{FieldKind, FieldSpec, ITEMS_MAX, Mapping, Presence};
use crate::keyword::Keyword;
use crate::quote::printable;
use crate::suggest::list;
use crate::time::TimeError;
use crate::yaml::{Document, MappingEntry, NodeId, NodeKind, Style, TEMPLATE_HELP, Tree};
use crate::{
    Problem, ProblemKind, SecretFieldName, Span, Spanned, closest, did_you_mean, quote,
    quote_refused,
};

/// The fields of one mapping.
pub(crate) struct Fields<'t> {
    mapping: &'static Mapping,
    entries: Vec<(&'t str, MappingEntry)>,
    /// Known fields that were probably misspelt, each with the position of the misspelling.
    meant: Vec<(&'static str, Span)>,
    /// The key of the mapping: where a missing field is reported.
    pub(crate) place: Span,
    /// The mapping itself.
    pub(crate) span: Span,
    /// Its path from the document's root, for messages.
    path: String,
}

impl<'t> Fields<'t> {
    fn find(&self, name: &str) -> Option<MappingEntry> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, entry)| *entry)
    }

    /// True without any field.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The position of a field's key, whatever its value.
    pub(crate) fn key_of(&self, tree: &Tree, name: &str) -> Option<Span> {
        self.find(name).map(|entry| tree.node(entry.key).span)
    }

    /// The fields that the mapping's table does not have, if it accepts any.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&'t str, MappingEntry)> {
        let others = self.entries.iter().filter(|(name, _)| self.mapping.field(name).is_none());
        others.copied()
    }

    fn is_required(&self, tree: &Tree, spec: &FieldSpec) -> bool {
        match spec.presence {
            Presence::Required => true,
            Presence::RequiredWhen(name, words) => self
                .find(name)
                .and_then(|entry| tree.text_of(entry.value))
                .is_some_and(|word| words.contains(&word)),
            Presence::Optional | Presence::ByRule => false,
        }
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
    /// Reused strings of paths: every field has a path, but few paths are needed for a report.
    paths: Vec<String>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(tree: &'t Tree) -> Self {
        Self { tree, problems: Vec::new(), paths: Vec::new() }
    }

    pub(crate) fn report(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(kind, span, message));
    }

    /// Reports with a hint.
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

    /// The fields of a document, after its `apiVersion` and `kind`; `None` if those are unknown,
    /// because the other fields depend on them.
    pub(crate) fn document(
        &mut self,
        document: Document,
        mapping: &'static Mapping,
    ) -> Option<Fields<'t>> {
        let before = self.problems.len();
        let fields = self.mapping(document.root, self.top_place(document), "", mapping)?;
        let unknown = self.problems.split_off(before);
        let mut is_known = true;
        for spec in mapping.fields {
            if let FieldKind::Const(expected) = spec.kind {
                is_known &= self.constant(&fields, spec.name, expected);
            }
        }
        if !is_known {
            return None;
        }
        self.problems.extend(unknown);
        Some(fields)
    }

    /// Where a field that is missing at the top is reported: the first key.
    pub(crate) fn top_place(&self, document: Document) -> Span {
        let node = self.tree.node(document.root);
        match &node.kind {
            NodeKind::Mapping { entries, .. } => {
                entries.first().map_or(node.span, |entry| self.span(entry.key))
            }
            _ => node.span,
        }
    }

    /// False for an unknown version or kind.
    fn constant(&mut self, fields: &Fields<'t>, name: &str, expected: &'static str) -> bool {
        let field = self.text(fields, name);
        let Some(text) = field.spanned().filter(|text| text.value != expected) else { return true };
        let message = format!("unknown {name} {}", quote_refused(&text.value));
        let hint = did_you_mean(&text.value, &[expected]);
        let help = hint.unwrap_or_else(|| format!("write `{name}: {expected}`"));
        self.report_help(ProblemKind::UnsupportedVersion, text.span, message, help);
        false
    }

    /// The fields of a mapping. `place` is its key.
    pub(crate) fn mapping(
        &mut self,
        id: NodeId,
        place: Span,
        path: &str,
        mapping: &'static Mapping,
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
            mapping,
            entries: Vec::with_capacity(entries.len()),
            meant: Vec::new(),
            place,
            span: node.span,
            path: path.to_owned(),
        };
        for entry in entries {
            let Some(name) = tree.text_of(entry.key) else {
                self.wrong_type(entry.key, path, "field names that are strings");
                continue;
            };
            if mapping.is_open || mapping.field(name).is_some() {
                fields.entries.push((name, *entry));
            } else if name != "<<" {
                let meant = self.unknown(*entry, name, path, mapping);
                fields.meant.extend(meant.map(|meant| (meant, self.span(entry.key))));
            }
        }
        Some(fields)
    }

    /// Reports an unknown field; returns the known one that was probably meant.
    fn unknown(
        &mut self,
        entry: MappingEntry,
        name: &str,
        path: &str,
        mapping: &Mapping,
    ) -> Option<&'static str> {
        let known = mapping.names();
        let place = if path.is_empty() { "here".into() } else { format!("in `{path}`") };
        let message = format!("unknown field {} {place}", quote(name));
        let mut problem = Problem::new(ProblemKind::UnknownField, self.span(entry.key), message);
        problem.help = did_you_mean(name, &known);
        let meant = closest(name, known);
        problem.meant = meant.map(Into::into);
        self.problems.push(problem);
        meant
    }

    /// True for `{{ … }}`, which YAML reads as a mapping with a mapping as its key.
    fn is_template(&self, id: NodeId) -> bool {
        let NodeKind::Mapping { entries, flow: true } = &self.tree.node(id).kind else {
            return false;
        };
        let key = entries.first().map(|entry| &self.tree.node(entry.key).kind);
        matches!(key, Some(NodeKind::Mapping { flow: true, .. }))
    }

    /// Reports a value of the wrong type; an alias has already been reported.
    pub(crate) fn wrong_type(&mut self, id: NodeId, path: &str, expected: &str) {
        let what = if path.is_empty() { "the document".into() } else { format!("`{path}`") };
        if self.is_template(id) {
            let message = format!("{what} takes {expected}, got a template (`{{{{`)");
            self.report_help(ProblemKind::WrongType, self.span(id), message, TEMPLATE_HELP);
            return;
        }
        let seen = match &self.tree.node(id).kind {
            NodeKind::Alias { .. } => return,
            NodeKind::Sequence { .. } => "a list".to_owned(),
            NodeKind::Mapping { .. } => "a mapping".to_owned(),
            NodeKind::Scalar { .. } if self.tree.is_empty_value(id) => "nothing".to_owned(),
            NodeKind::Scalar { .. } => {
                format!("the string {}", refused(path, self.tree.text_of(id).unwrap_or_default()))
            }
        };
        let message = format!("{what} takes {expected}, got {seen}");
        self.report(ProblemKind::WrongType, self.span(id), message);
    }

    /// A nested mapping.
    pub(crate) fn child(&mut self, fields: &Fields<'t>, name: &str) -> Field<Fields<'t>> {
        self.field(fields, name, |reader, entry, path| {
            let mapping = fields.mapping.field(name)?.kind.mapping()?;
            reader.mapping(entry.value, reader.span(entry.key), path, mapping)
        })
    }

    /// A nested mapping, read by `read`.
    pub(crate) fn child_as<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, &Fields<'t>) -> T,
    ) -> Field<T> {
        self.child(fields, name).map(|fields| read(self, &fields))
    }

    /// A field, read by `read`, which reports what it does not accept. Reports the field if it is
    /// required and missing, or has no value and needs one.
    pub(crate) fn field<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        read: impl FnOnce(&mut Self, MappingEntry, &str) -> Option<T>,
    ) -> Field<T> {
        let spec = fields.mapping.field(name);
        debug_assert!(spec.is_some(), "no table has `{}`", fields.path_of(name));
        let Some(entry) = fields.find(name) else {
            // `rols` is one mistake, reported at its position, and not also a missing `roles`.
            if let Some((_, span)) = fields.meant.iter().find(|(meant, _)| *meant == name) {
                return Field::Bad(*span);
            }
            self.missing(fields, spec, fields.place);
            return Field::Absent;
        };
        let key = self.span(entry.key);
        let span = self.span(entry.value);
        if self.tree.is_empty_value(entry.value) {
            return self.empty(fields, spec, key);
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

    /// Reports a required field that is missing.
    fn missing(&mut self, fields: &Fields<'t>, spec: Option<&FieldSpec>, place: Span) {
        if let Some(spec) = spec.filter(|spec| fields.is_required(self.tree, spec)) {
            self.report_at(fields, spec, place);
        }
    }

    /// Reports a field as missing that its table does not require.
    pub(crate) fn report_missing(&mut self, fields: &Fields<'t>, name: &str) {
        if let Some(spec) = fields.mapping.field(name) {
            self.report_at(fields, spec, fields.place);
        }
    }

    fn report_at(&mut self, fields: &Fields<'t>, spec: &FieldSpec, place: Span) {
        let message = format!("`{}` is missing", fields.path_of(spec.name));
        let help = match spec.kind {
            FieldKind::Choice(words) if spec.example.is_empty() => {
                format!("write the tenant's mode: one of {}", list(&words()))
            }
            _ => format!("write `{}: {}`", spec.name, spec.example),
        };
        self.report_help(ProblemKind::MissingField, place, message, help);
    }

    /// A key without a value.
    fn empty<T>(
        &mut self,
        fields: &Fields<'t>,
        spec: Option<&'static FieldSpec>,
        key: Span,
    ) -> Field<T> {
        let is_optional = |spec: &&FieldSpec| matches!(spec.presence, Presence::Optional);
        let Some(spec) = spec.filter(is_optional) else {
            self.missing(fields, spec, key);
            return Field::Empty(key);
        };
        let message = format!("`{}` has no value", fields.path_of(spec.name));
        let help = "write a value, or remove the field";
        self.report_help(ProblemKind::WrongType, key, message, help);
        Field::Bad(key)
    }

    /// A string.
    pub(crate) fn text(&mut self, fields: &Fields<'t>, name: &str) -> Field<String> {
        self.field(fields, name, |reader, entry, path| {
            reader.text_at(entry.value, path).map(str::to_owned)
        })
    }

    /// A time or a duration that `parse` accepts.
    pub(crate) fn time<T>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        kind: ProblemKind,
        parse: impl Fn(&str) -> Result<T, TimeError>,
    ) -> Field<T> {
        self.field(fields, name, |reader, entry, path| {
            reader.time_at(entry.value, path, kind, &parse)
        })
    }

    /// A time, or an item of a list of times.
    pub(crate) fn time_at<T>(
        &mut self,
        id: NodeId,
        path: &str,
        kind: ProblemKind,
        parse: impl Fn(&str) -> Result<T, TimeError>,
    ) -> Option<T> {
        let text = self.text_at(id, path)?;
        let error = match parse(text) {
            Ok(time) => return Some(time),
            Err(error) => error,
        };
        let message = format!("{} in `{path}`: {error}", quote_refused(text));
        let mut problem = Problem::new(kind, self.span(id), message);
        problem.help = Some(error.help);
        problem.rewrite = error.meant.map(Into::into);
        self.problems.push(problem);
        None
    }

    pub(crate) fn text_at(&mut self, id: NodeId, path: &str) -> Option<&'t str> {
        match self.tree.text_of(id) {
            Some(text) if !self.tree.is_empty_value(id) => Some(text),
            _ => {
                self.wrong_type(id, path, "a string");
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Keyword>(&mut self, fields: &Fields<'t>, name: &str) -> Field<T> {
        self.choice_of(fields, name, T::ALL)
    }

    /// One of some words of a type.
    pub(crate) fn choice_of<T: Keyword>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        values: &[T],
    ) -> Field<T> {
        self.field(fields, name, |reader, entry, path| reader.choice_at(entry.value, path, values))
    }

    pub(crate) fn choice_at<T: Keyword>(
        &mut self,
        id: NodeId,
        path: &str,
        values: &[T],
    ) -> Option<T> {
        let text = self.text_at(id, path)?;
        if let Some(value) = values.iter().find(|value| value.as_str() == text) {
            return Some(*value);
        }
        let words: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
        let message = format!("{} is not a value of `{path}`", refused(path, text));
        let mut problem = Problem::new(ProblemKind::BadValue, self.span(id), message)
            .help(format!("one of {}", list(&words)));
        if let Some(best) = closest(text, words.iter().copied()) {
            problem.help = Some(format!("did you mean `{best}`? (one of {})", list(&words)));
            problem.meant = Some(best.into());
        }
        self.problems.push(problem);
        None
    }

    /// A whole number.
    pub(crate) fn number(&mut self, fields: &Fields<'t>, name: &str) -> Field<u64> {
        self.field(fields, name, |reader, entry, path| {
            let text = reader.text_at(entry.value, path)?;
            let number = text.parse().ok();
            if number.is_none() {
                let message = format!("{} is not a whole number", refused(path, text));
                let help = format!("`{path}` takes a number such as 16");
                reader.report_help(ProblemKind::BadValue, reader.span(entry.value), message, help);
            }
            number
        })
    }

    /// A list, each item read by `read`; bad items are reported and skipped.
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
                let help = "keep the list short enough to review";
                reader.report_help(ProblemKind::BadValue, reader.span(entry.value), message, help);
                return None;
            }
            Some(items.iter().filter_map(|item| read(reader, *item, path)).collect())
        })
    }

    /// A list of strings.
    pub(crate) fn texts(&mut self, fields: &Fields<'t>, name: &str) -> Field<Vec<Spanned<String>>> {
        let field = self.list(fields, name, Self::spanned_text);
        self.rewrite_as_list(fields, name);
        field
    }

    /// Offers `[text]` for a string where a list of strings belongs. A string with commas may have
    /// been meant as a list, so it gets no fix.
    pub(crate) fn rewrite_as_list(&mut self, fields: &Fields<'t>, name: &str) {
        let Some(MappingEntry { value, .. }) = fields.find(name) else { return };
        let tree = self.tree;
        let node = self.tree.node(value);
        let NodeKind::Scalar { style: Style::Plain | Style::Quoted, .. } = node.kind else {
            return;
        };
        let written = node.span.slice(tree.source());
        let inner = tree.text_of(value).unwrap_or_default();
        let is_one = !inner.trim().is_empty() && !written.contains(['\n', '\r', ',']);
        // Possible secrets go into no fix, because reports print fixes.
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

    /// A list of mappings, each read by `read`.
    pub(crate) fn mappings<T, R: Into<Option<T>>>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        mut read: impl FnMut(&mut Self, &Fields<'t>) -> R,
    ) -> Field<Vec<T>> {
        let mapping = fields.mapping.field(name).and_then(|spec| spec.kind.mapping());
        self.list(fields, name, |reader, id, path| {
            let fields = reader.mapping(id, reader.span(id), path, mapping?)?;
            read(reader, &fields).into()
        })
    }

    /// A string, or a list of at least one string.
    pub(crate) fn one_or_more(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
    ) -> Field<Vec<Spanned<String>>> {
        self.field(fields, name, |reader, entry, path| reader.one_or_more_at(entry.value, path))
    }

    pub(crate) fn one_or_more_at(
        &mut self,
        id: NodeId,
        path: &str,
    ) -> Option<Vec<Spanned<String>>> {
        let tree = self.tree;
        match &tree.node(id).kind {
            NodeKind::Sequence { items, .. } if items.is_empty() => {
                let message = format!("`{path}` is an empty list");
                let help = "write at least one value, or remove the field";
                self.report_help(ProblemKind::BadValue, self.span(id), message, help);
                None
            }
            NodeKind::Sequence { items, .. } => {
                Some(items.iter().filter_map(|item| self.spanned_text(*item, path)).collect())
            }
            _ => self.spanned_text(id, path).map(|text| vec![text]),
        }
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
        self.field(fields, name, |reader, entry, path| {
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
        })
        .into_list()
    }

    /// A mapping with free names, each with a mapping read by `read`.
    pub(crate) fn named_mappings<T, R: Into<Option<T>>>(
        &mut self,
        fields: &Fields<'t>,
        name: &str,
        mut read: impl FnMut(&mut Self, &Fields<'t>) -> R,
    ) -> Vec<(Spanned<String>, T)> {
        let mapping = fields.mapping.field(name).and_then(|spec| spec.kind.mapping());
        self.entries(fields, name, |reader, _, id, path| {
            let fields = reader.mapping(id, reader.span(id), path, mapping?)?;
            read(reader, &fields).into()
        })
    }

    /// A mapping from strings to strings.
    pub(crate) fn text_pairs(&mut self, fields: &Fields<'t>, name: &str) -> Vec<TextPair> {
        self.entries(fields, name, |reader, _, id, path| reader.spanned_text(id, path))
    }
}

fn node_is_quoted(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Scalar { style: Style::Quoted, .. })
}

/// A value that its field does not accept; for a field that is named like a secret, or below one,
/// nothing is shown.
fn refused(path: &str, text: &str) -> String {
    if path.split('.').any(SecretFieldName::is_name) {
        return format!("`{}`", "*".repeat(12));
    }
    quote_refused(text)
}

fn list_of(path: &str, text: &str) -> String {
    let quoted = refused(path, text);
    format!("`[{}]`", quoted.trim_matches('`'))
}

#[cfg(test)]
mod tests;

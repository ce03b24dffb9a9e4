//! A document becomes a definition; all mistakes on the way are collected.
//!
//! Refuses documents of another kind or version after saying so: their fields cannot be known.

use super::{Approval, Definition, Expiry, Level, Lowered, Metadata, Scope, Spec, expiry, scope};
use crate::reader::{Fields, Reader, into_list};
use crate::yaml::{Document, NodeId, NodeKind, Tree};
use crate::{Field, Problem, ProblemKind, Span, did_you_mean, quote_refused};

/// The version of the format that is read.
pub const API_VERSION: &str = "cortexkey/v1";

/// The kind of a key definition.
pub const KIND: &str = "ApiKey";

/// Reads one document as a key definition.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let definition = definition(&mut reader, document.root);
    Lowered { definition, problems: reader.problems }
}

/// Reads one document as a scope alone: what stands under `spec.scope` of a definition, with or
/// without the key `scope` above it.
#[must_use]
pub fn read_scope(tree: &Tree, document: Document) -> (Option<Scope>, Vec<Problem>) {
    let mut reader = Reader::new(tree);
    let place = top_place(tree, document.root);
    let NodeKind::Mapping { entries, .. } = &tree.node(document.root).kind else {
        reader.wrong_type(document.root, "", "the fields of a scope");
        return (None, reader.problems);
    };
    let is_under_scope = entries.iter().any(|entry| tree.text_of(entry.key) == Some("scope"));
    let scope = if is_under_scope {
        reader.mapping(document.root, place, "", &["scope"]).and_then(|fields| {
            let inner = reader.child(&fields, "scope", scope::AREAS);
            let inner = reader.filled(inner, &fields, "scope");
            let scope = crate::reader::map(inner, |fields| scope::read(&mut reader, &fields));
            scope.get().cloned()
        })
    } else {
        let fields = reader.mapping(document.root, place, "scope", scope::AREAS);
        fields.map(|fields| scope::read(&mut reader, &fields))
    };
    (scope, reader.problems)
}

/// Checks `apiVersion` and `kind`; false when the rest cannot be known.
pub(crate) fn header<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>, kind: &str) -> bool {
    let mut known = true;
    for (name, expected) in [("apiVersion", API_VERSION), ("kind", kind)] {
        let field = reader.text(fields, name);
        let help = || format!("write `{name}: {expected}`");
        let field = reader.required_as(field, fields, name, help);
        if let Some(text) = field.spanned().filter(|text| text.value != expected) {
            known = false;
            let message = format!("{name} {} is not known here", quote_refused(&text.value));
            let hint = did_you_mean(&text.value, &[expected]);
            let help = hint.unwrap_or_else(|| format!("this file takes `{name}: {expected}`"));
            reader.report_help(ProblemKind::UnsupportedVersion, text.span, message, help);
        }
    }
    known
}

/// Where a field that is missing at the top is reported: the first key.
pub(crate) fn top_place(tree: &Tree, id: NodeId) -> Span {
    let node = tree.node(id);
    match &node.kind {
        NodeKind::Mapping { entries, .. } => {
            entries.first().map_or(node.span, |entry| tree.node(entry.key).span)
        }
        _ => node.span,
    }
}

fn definition(reader: &mut Reader<'_>, root: NodeId) -> Option<Definition> {
    let tree = reader.tree;
    let place = top_place(tree, root);
    let known = ["apiVersion", "kind", "metadata", "spec"];
    let before = reader.problems.len();
    let fields = reader.mapping(root, place, "", &known)?;
    let unknown = reader.problems.split_off(before);
    if !header(reader, &fields, KIND) {
        return None;
    }
    reader.problems.extend(unknown);
    let known = ["name", "owner", "tenant", "labels", "annotations", "approvals"];
    let inner = reader.child(&fields, "metadata", &known);
    let inner = reader.required(inner, &fields, "metadata", "metadata: { name: … }");
    let metadata = inner.get().map(|fields| metadata(reader, fields));
    let known = ["securityLevel", "comment", "expires", "lifetime", "roles", "scope"];
    let inner = reader.child(&fields, "spec", &known);
    let inner = reader.required(inner, &fields, "spec", "spec: { securityLevel: advanced, … }");
    let spec = inner.get().map(|fields| spec(reader, fields));
    Some(Definition { span: fields.span, place, metadata, spec })
}

fn metadata<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Metadata {
    let name = reader.text(fields, "name");
    let mut name = reader.required(name, fields, "name", "name: svc-export-prod");
    if let Field::Present { value, .. } = &name
        && value.value.trim().is_empty()
    {
        let span = value.span;
        reader.report(ProblemKind::MissingField, span, "`metadata.name` is blank");
        name = Field::Bad(span);
    }
    let approvals = reader.list(fields, "approvals", |reader, id, path| {
        let fields = reader.mapping(id, reader.span(id), path, &["by", "ticket"])?;
        let by = reader.text(&fields, "by");
        let by = reader.required(by, &fields, "by", "by: ciso@example.com");
        Some(Approval { span: fields.span, by, ticket: reader.filled_text(&fields, "ticket") })
    });
    Metadata {
        place: fields.place,
        name,
        owner: reader.text(fields, "owner"),
        tenant: reader.filled_text(fields, "tenant"),
        labels: reader.text_pairs(fields, "labels"),
        annotations: reader.text_pairs(fields, "annotations"),
        approvals: into_list(reader.filled(approvals, fields, "approvals")),
    }
}

fn spec<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Spec {
    let levels = [Level::Standard, Level::Advanced].map(|level| (level.as_str(), level));
    let expires = time(reader, fields, "expires", |text| match text {
        "never" => Ok(Expiry::Never),
        text => expiry::moment(text).map(Expiry::At).map_err(|error| match error.meant {
            None if text.eq_ignore_ascii_case("never") => {
                expiry::ExpiryError { meant: Some("never".into()), ..error }
            }
            _ => error,
        }),
    });
    let lifetime =
        time(reader, fields, "lifetime", |text| expiry::lifetime(text).map(Expiry::After));
    one_end(reader, fields);
    let inner = reader.child(fields, "scope", scope::AREAS);
    Spec {
        place: fields.place,
        level: reader.choice(fields, "securityLevel", &levels),
        comment: reader.text(fields, "comment"),
        expires,
        lifetime,
        roles: reader.texts(fields, "roles"),
        scope: crate::reader::map(inner, |fields| scope::read(reader, &fields)),
    }
}

/// A time that `parse` understands, else a mistake of its own kind.
fn time<'t>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    name: &str,
    parse: impl Fn(&str) -> Result<Expiry, expiry::ExpiryError>,
) -> Field<Expiry> {
    reader.field(fields, name, |reader, entry, path| {
        let text = reader.text_at(entry.value, path)?;
        parse(text)
            .map_err(|error| {
                let message = format!("{} in `{path}`: {}", quote_refused(text), error.message);
                let span = reader.span(entry.value);
                let mut problem =
                    Problem::new(ProblemKind::BadExpiry, span, message).help(error.help);
                problem.rewrite = error.meant.map(Into::into);
                reader.problems.push(problem);
            })
            .ok()
    })
}

/// A time that cannot be read stands beside the other one all the same.
fn one_end(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let key = |name| fields.key_of(reader.tree, name);
    let (Some(first), Some(second)) = (key("expires"), key("lifetime")) else { return };
    let message = "`expires` and `lifetime` both stand here; a key ends once";
    let problem = Problem::new(ProblemKind::WrongType, second, message)
        .help("keep `expires` for a fixed end, or `lifetime` for a time from its generation")
        .related(first, "the other one");
    reader.problems.push(problem);
}

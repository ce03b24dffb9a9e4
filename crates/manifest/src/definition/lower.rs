//! Reads a document as a definition and collects all of its mistakes.

use super::{
    Approval, Definition, ExpirySpec, Lowered, Metadata, ScopeSpec, Spec, TimeError, scope,
};
use super::{lifetime, moment};
use crate::format::{KEY, SCOPE, SCOPE_FILE};
use crate::reader::{Fields, Reader};
use crate::yaml::{Document, NodeKind, Tree};
use crate::{Field, Problem, ProblemKind};

/// Reads one document as a key definition.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let definition = definition(&mut reader, document);
    Lowered { definition, problems: reader.problems }
}

/// Reads one document as a scope only: the contents of a definition's `spec.scope`, with or without
/// the key `scope` above it.
#[must_use]
pub fn read_scope(tree: &Tree, document: Document) -> (Option<ScopeSpec>, Vec<Problem>) {
    let mut reader = Reader::new(tree);
    let NodeKind::Mapping { entries, .. } = &tree.node(document.root).kind else {
        reader.wrong_type(document.root, "", "the fields of a scope");
        return (None, reader.problems);
    };
    let is_under_scope = entries.iter().any(|entry| tree.text_of(entry.key) == Some("scope"));
    let scope = if is_under_scope {
        let fields = reader.document(document, &SCOPE_FILE);
        fields.and_then(|fields| reader.child_as(&fields, "scope", scope::read).get().cloned())
    } else {
        let place = reader.top_place(document);
        let fields = reader.mapping(document.root, place, "scope", &SCOPE);
        fields.map(|fields| scope::read(&mut reader, &fields))
    };
    (scope, reader.problems)
}

fn definition(reader: &mut Reader<'_>, document: Document) -> Option<Definition> {
    let fields = reader.document(document, &KEY)?;
    let metadata = reader.child(&fields, "metadata");
    let metadata = metadata.get().map(|fields| self::metadata(reader, fields));
    let spec = reader.child(&fields, "spec");
    let spec = spec.get().map(|fields| self::spec(reader, fields));
    Some(Definition { span: fields.span, place: fields.place, metadata, spec })
}

fn metadata<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Metadata {
    let mut name = reader.text(fields, "name");
    if let Field::Present { value, .. } = &name
        && value.value.trim().is_empty()
    {
        let span = value.span;
        reader.report(ProblemKind::MissingField, span, "`metadata.name` is blank");
        name = Field::Bad(span);
    }
    let approval = |reader: &mut Reader<'t>, fields: &Fields<'t>| {
        let by = reader.text(fields, "by");
        let ticket = reader.text(fields, "ticket");
        Approval { span: fields.span, by, ticket }
    };
    Metadata {
        place: fields.place,
        name,
        owner: reader.text(fields, "owner"),
        tenant: reader.text(fields, "tenant"),
        labels: reader.text_pairs(fields, "labels"),
        annotations: reader.text_pairs(fields, "annotations"),
        approvals: reader.mappings(fields, "approvals", approval).into_list(),
    }
}

fn spec<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Spec {
    let expires = reader.time(fields, "expires", ProblemKind::BadExpiry, expiry);
    let lifetime = reader.time(fields, "lifetime", ProblemKind::BadExpiry, |text| {
        lifetime(text).map(ExpirySpec::After)
    });
    check_single_expiry(reader, fields);
    Spec {
        place: fields.place,
        level: reader.choice(fields, "securityLevel"),
        comment: reader.text(fields, "comment"),
        expires,
        lifetime,
        roles: reader.texts(fields, "roles"),
        scope: reader.child_as(fields, "scope", scope::read),
    }
}

fn expiry(text: &str) -> Result<ExpirySpec, TimeError> {
    if text == "never" {
        return Ok(ExpirySpec::Never);
    }
    moment(text).map(ExpirySpec::At).map_err(|error| match error.meant {
        None if text.eq_ignore_ascii_case("never") => {
            TimeError { meant: Some("never".into()), ..error }
        }
        _ => error,
    })
}

/// Reports a definition with both `expires` and `lifetime`, even if one of them cannot be read.
fn check_single_expiry(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let key = |name| fields.key_of(reader.tree, name);
    let (Some(first), Some(second)) = (key("expires"), key("lifetime")) else { return };
    let message = "`expires` and `lifetime` are both set; a key expires once";
    let problem = Problem::new(ProblemKind::WrongType, second, message)
        .help(
            "keep `expires` for a fixed date, or `lifetime` for a duration that starts when the \
            key is generated",
        )
        .related(first, "the other one");
    reader.problems.push(problem);
}

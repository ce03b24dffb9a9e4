//! A document becomes a policy file; all mistakes on the way are collected.

use super::{Catalog, Lowered, PolicyFile, catalog, rules, waivers};
use crate::definition::{API_VERSION, lifetime};
use crate::reader::{Fields, Reader, into_list};
use crate::yaml::{Document, NodeId, NodeKind, Tree};
use crate::{Field, ProblemKind, quote_refused};

/// The kind of a policy.
pub const KIND: &str = "Policy";

/// Reads one document as a policy.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let policy = policy(&mut reader, document.root);
    Lowered { policy, problems: reader.problems }
}

/// True when a document says that it is a policy of ours.
#[must_use]
pub fn is_policy(tree: &Tree, document: Document) -> bool {
    let NodeKind::Mapping { entries, .. } = &tree.node(document.root).kind else { return false };
    let says = |name: &str, value: &str| {
        entries.iter().any(|entry| {
            tree.text_of(entry.key) == Some(name) && tree.text_of(entry.value) == Some(value)
        })
    };
    says("kind", KIND) && says("apiVersion", API_VERSION)
}

/// One of a few words; nothing behind the key is a mistake.
pub(super) fn refill<'t, T: Copy>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    name: &str,
    table: &[(&str, T)],
) -> Field<T> {
    let field = reader.choice(fields, name, table);
    reader.filled(field, fields, name)
}

fn policy(reader: &mut Reader<'_>, root: NodeId) -> Option<PolicyFile> {
    let place = crate::definition::top_place(reader.tree, root);
    let known = [
        "apiVersion",
        "kind",
        "metadata",
        "extends",
        "keys",
        "tenants",
        "rotateBefore",
        "rules",
        "catalog",
        "customRules",
        "waivers",
        "tests",
    ];
    let before = reader.problems.len();
    let fields = reader.mapping(root, place, "", &known)?;
    let unknown = reader.problems.split_off(before);
    if !crate::definition::header(reader, &fields, KIND) {
        return None;
    }
    reader.problems.extend(unknown);
    let inner = reader.child(&fields, "metadata", &["name"]);
    let inner = reader.required(inner, &fields, "metadata", "metadata: { name: acme }");
    let name = inner.get().map_or(Field::Absent, |fields| {
        let name = reader.text(fields, "name");
        reader.required(name, fields, "name", "name: acme")
    });
    let keys = reader.texts(&fields, "keys");
    let keys = reader.filled(keys, &fields, "keys");
    let custom_rules = reader.list(&fields, "customRules", waivers::custom);
    let waived = reader.list(&fields, "waivers", waivers::waiver);
    Some(PolicyFile {
        place,
        name,
        extends: extends(reader, &fields),
        keys: keys.spanned().map(|keys| keys.value.clone()),
        tenants: reader
            .entries(&fields, "tenants", |reader, _, id, path| catalog::tenant(reader, id, path)),
        rotate_before: duration(reader, &fields, "rotateBefore"),
        rules: rules_of(reader, &fields),
        catalog: catalog_of(reader, &fields),
        custom_rules: into_list(reader.filled(custom_rules, &fields, "customRules")),
        waivers: into_list(reader.filled(waived, &fields, "waivers")),
        tests: reader.plain_texts(&fields, "tests"),
    })
}

/// A duration as lifetimes are written.
fn duration<'t>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    name: &str,
) -> Field<jiff::SignedDuration> {
    let field = reader.field(fields, name, |reader, entry, path| {
        let text = reader.text_at(entry.value, path)?;
        lifetime(text)
            .map_err(|error| {
                let message = format!("{} in `{path}`: {}", quote_refused(text), error.message);
                let span = reader.span(entry.value);
                reader.report_help(ProblemKind::BadValue, span, message, error.help);
            })
            .ok()
    });
    reader.filled(field, fields, name)
}

fn extends<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<crate::Spanned<String>> {
    let parents = reader.plain_texts(fields, "extends");
    for parent in &parents {
        if parent.value.contains("://") {
            let message = "a policy is extended from a file, never from the network";
            let help = "keep a copy in the repository and name its path";
            reader.report_help(ProblemKind::BadValue, parent.span, message, help);
        }
    }
    parents.into_iter().filter(|parent| !parent.value.contains("://")).collect()
}

fn rules_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<rules::RuleEntry> {
    reader.entries(fields, "rules", rules::entry).into_iter().map(|(_, entry)| entry).collect()
}

fn catalog_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Catalog {
    let inner =
        reader.child(fields, "catalog", &["roles", "teams", "emailDomains", "conflicts", "open"]);
    let inner = reader.filled(inner, fields, "catalog");
    inner.get().map(|fields| catalog::catalog(reader, fields)).unwrap_or_default()
}

//! Reads a document as a policy file and collects all of its mistakes.

use super::{Catalog, Lowered, PolicyFile, catalog, rules, waivers};
use crate::definition::lifetime;
use crate::format::{API_VERSION, POLICY, POLICY_KIND};
use crate::reader::{Fields, Reader};
use crate::yaml::{Document, NodeKind, Tree};
use crate::{Field, ProblemKind, Spanned};

/// Reads one document as a policy.
#[must_use]
pub fn read(tree: &Tree, document: Document) -> Lowered {
    let mut reader = Reader::new(tree);
    let policy = policy(&mut reader, document);
    Lowered { policy, problems: reader.problems }
}

/// True when a document's `apiVersion` and `kind` are those of a policy.
#[must_use]
pub fn is_policy(tree: &Tree, document: Document) -> bool {
    let NodeKind::Mapping { entries, .. } = &tree.node(document.root).kind else { return false };
    let says = |name: &str, value: &str| {
        entries.iter().any(|entry| {
            tree.text_of(entry.key) == Some(name) && tree.text_of(entry.value) == Some(value)
        })
    };
    says("kind", POLICY_KIND) && says("apiVersion", API_VERSION)
}

fn policy(reader: &mut Reader<'_>, document: Document) -> Option<PolicyFile> {
    let fields = reader.document(document, &POLICY)?;
    let metadata = reader.child(&fields, "metadata");
    let name = metadata.get().map_or(Field::Absent, |fields| reader.text(fields, "name"));
    let keys = reader.texts(&fields, "keys");
    Some(PolicyFile {
        place: fields.place,
        name,
        extends: extends(reader, &fields),
        keys: keys.spanned().map(|keys| keys.value.clone()),
        tenants: reader.named_mappings(&fields, "tenants", catalog::tenant),
        rotate_before: reader.time(&fields, "rotateBefore", ProblemKind::BadValue, lifetime),
        notify_before: reader.list(&fields, "notifyBefore", |reader, id, path| {
            reader.time_at(id, path, ProblemKind::BadValue, lifetime)
        }),
        rules: rules_of(reader, &fields),
        catalog: catalog_of(reader, &fields),
        custom_rules: reader.mappings(&fields, "customRules", waivers::custom).into_list(),
        waivers: reader.mappings(&fields, "waivers", waivers::waiver).into_list(),
        tests: reader.texts(&fields, "tests").into_list(),
    })
}

fn extends<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<Spanned<String>> {
    let parents = reader.texts(fields, "extends").into_list();
    let (remote, local): (Vec<_>, Vec<_>) =
        parents.into_iter().partition(|parent| parent.value.contains("://"));
    for parent in remote {
        let message = "a policy is extended from a file, never from the network";
        let help = "keep a copy in the repository and name its path";
        reader.report_help(ProblemKind::BadValue, parent.span, message, help);
    }
    local
}

fn rules_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<rules::RuleEntry> {
    reader.entries(fields, "rules", rules::entry).into_iter().map(|(_, entry)| entry).collect()
}

fn catalog_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Catalog {
    let inner = reader.child(fields, "catalog");
    inner.get().map(|fields| catalog::catalog(reader, fields)).unwrap_or_default()
}

//! Reads a document as a policy file and collects all of its mistakes.

use super::{Catalog, Lowered, Pinned, PolicyFile, PolicyParent, catalog, rules, waivers};
use crate::definition::lifetime;
use crate::format::{API_VERSION, EXTENDED, POLICY, POLICY_KIND};
use crate::reader::{Fields, Reader};
use crate::yaml::{Document, NodeId, NodeKind, Tree};
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

fn extends<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<Spanned<PolicyParent>> {
    let parents = reader.list(fields, "extends", parent);
    reader.rewrite_as_list(fields, "extends");
    parents.into_list()
}

/// A path, a built-in policy, or a remote policy at a fixed revision.
fn parent(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Spanned<PolicyParent>> {
    let span = reader.span(id);
    let pinned = |reader: &mut Reader<'_>, pinned: Result<Pinned, &'static str>| match pinned {
        Ok(pinned) => Some(Spanned::new(PolicyParent::Pinned(pinned), span)),
        Err(message) => {
            reader.report_help(ProblemKind::BadValue, span, message, PINNED_HELP);
            None
        }
    };
    if !matches!(reader.tree.node(id).kind, NodeKind::Mapping { .. }) {
        let text = reader.text_at(id, path)?;
        return match text.split_once("://") {
            None => Some(Spanned::new(PolicyParent::Local(text.to_owned()), span)),
            Some(("oci", _)) => pinned(reader, Pinned::oci(text)),
            Some(_) => pinned(reader, Err("a remote policy needs a fixed revision")),
        };
    }
    let fields = reader.mapping(id, span, path, &EXTENDED)?;
    let [git, rev, file] = ["git", "rev", "path"].map(|name| reader.text(&fields, name));
    let git = git.get()?.clone();
    let rev = rev.get()?.clone();
    let file = file.get()?.clone();
    pinned(reader, Pinned::git(&git, &rev, &file))
}

const PINNED_HELP: &str = "write `{ git: https://…, rev: COMMIT, path: … }` or \
                           `oci://REGISTRY/REPOSITORY@sha256:DIGEST`, and run `cortexkey policy update`";

fn rules_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Vec<rules::RuleEntry> {
    reader.entries(fields, "rules", rules::entry).into_iter().map(|(_, entry)| entry).collect()
}

fn catalog_of<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Catalog {
    let inner = reader.child(fields, "catalog");
    inner.get().map(|fields| catalog::catalog(reader, fields)).unwrap_or_default()
}

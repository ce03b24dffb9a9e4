//! Family C: what only shows when several files are seen together.

use std::collections::BTreeMap;

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::Definition;

use super::CorpusContext;
use crate::corpus::CorpusFile;

pub(super) mod c001_duplicate_name;
pub(super) mod c002_duplicate_grant;
pub(super) mod c003_role_unused;
pub(super) mod c004_owner_quota;
pub(super) mod c006_widened;
pub(super) mod c007_dropped;
pub(super) mod c008_id_reuse;

/// A key that has a name.
#[derive(Clone, Copy)]
struct Named<'a> {
    definition: &'a Definition,
    /// Index of its file among the report's sources.
    source: usize,
    /// Where its name stands.
    span: Span,
    name: &'a str,
    /// Said, or the only one.
    tenant: Option<&'a str>,
    /// Path of its file from the folder of the policy in force.
    path: &'a str,
    /// Whether its file is reported on.
    reported: bool,
}

impl Named<'_> {
    /// Of a pair of which only one is reported on, that one carries the finding.
    fn beside(self, other: &Self) -> (Self, Self) {
        if self.reported { (self, *other) } else { (*other, self) }
    }
}

/// The names of keys in one text, whatever their order.
fn names(keys: &[Named<'_>]) -> String {
    let mut names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    names.sort_unstable();
    names.join("\n")
}

fn named<'a>(cx: &CorpusContext<'a>) -> impl Iterator<Item = Named<'a>> + use<'a> {
    keys_of(cx, &cx.corpus.files)
}

/// The keys of each owner that is named.
fn by_owner<'a>(cx: &CorpusContext<'a>) -> BTreeMap<&'a str, Vec<Named<'a>>> {
    let mut owners: BTreeMap<&str, Vec<Named<'_>>> = BTreeMap::new();
    for key in named(cx) {
        if let Some(owner) = key.definition.metadata.as_ref().and_then(|m| m.owner.get()) {
            owners.entry(owner.trim()).or_default().push(key);
        }
    }
    owners
}

fn keys_of<'a>(
    cx: &CorpusContext<'a>,
    files: &'a [CorpusFile],
) -> impl Iterator<Item = Named<'a>> + use<'a> {
    let (first, only) = (cx.first_source, cx.policy.only_tenant());
    files.iter().enumerate().flat_map(move |(at, file)| {
        let definitions = file.documents.iter().filter_map(|doc| doc.definition.as_ref());
        definitions.filter_map(move |definition| {
            let name = definition.metadata.as_ref()?.name.spanned()?;
            Some(Named {
                definition,
                source: first + at,
                span: name.span,
                name: &name.value,
                tenant: definition.tenant().or(only),
                path: file.own_path(),
                reported: file.reported,
            })
        })
    })
}

//! The keys of a corpus, by name and by owner.

use std::collections::BTreeMap;

use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::{Span, is_invisible};
use unicode_normalization::UnicodeNormalization as _;

use crate::model::{CorpusFile, FindingBuilder, Location, SourceId};
use crate::rule::CorpusContext;

/// Keys that rules across files may compare. A rule that compares keys of different groups needs a group
/// of its own here, or editors show its findings late.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    /// The name, folded; in whichever tenant.
    Name(String),
    /// The owner.
    Owner(String),
}

/// The groups of a key.
pub(crate) fn groups(definition: &Definition) -> impl Iterator<Item = Group> + use<> {
    let metadata = definition.metadata.as_ref();
    let name = metadata.and_then(|it| it.name.get()).map(|name| Group::Name(fold(name)));
    let owner = metadata.and_then(|it| it.owner.get());
    name.into_iter().chain(owner.map(|owner| Group::Owner(owner.trim().to_owned())))
}

/// The form in which similar names are equal.
pub(super) fn fold(name: &str) -> String {
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return name.trim().to_ascii_lowercase();
    }
    let visible: String = name.nfkc().filter(|c| !is_invisible(*c)).collect();
    visible.trim().to_lowercase()
}

/// A key that has a name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) definition: &'a Definition,
    pub(super) file: &'a CorpusFile,
    /// The position of its name.
    pub(super) span: Span,
    pub(super) name: &'a str,
    /// Its own tenant, or the policy's only one.
    pub(super) tenant: Option<&'a str>,
}

impl Named<'_> {
    /// The position of its name, and its file.
    pub(super) fn location(&self) -> Location {
        Location { source: SourceId::File(self.file.id), span: self.span }
    }

    /// A finding about the key, at its name.
    pub(super) fn finding(&self, message: impl Into<String>) -> FindingBuilder {
        FindingBuilder::new(self.location(), message).key(Some(self.name))
    }

    /// The key with the finding, and the other: the first must be in a file that is reported on.
    pub(super) fn beside(self, other: &Self) -> (Self, Self) {
        if self.file.reported { (self, *other) } else { (*other, self) }
    }
}

/// The sorted names of keys, as the detail of a finding.
pub(super) fn names(keys: &[Named<'_>]) -> String {
    let mut names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    names.sort_unstable();
    names.join("\n")
}

pub(super) fn named<'a>(cx: &CorpusContext<'a>) -> impl Iterator<Item = Named<'a>> + use<'a> {
    keys_of(cx, &cx.corpus.files)
}

/// The keys of each owner.
pub(super) fn by_owner<'a>(cx: &CorpusContext<'a>) -> BTreeMap<&'a str, Vec<Named<'a>>> {
    let mut owners: BTreeMap<&str, Vec<Named<'_>>> = BTreeMap::new();
    for key in named(cx) {
        if let Some(owner) = key.definition.metadata.as_ref().and_then(|m| m.owner.get()) {
            owners.entry(owner.trim()).or_default().push(key);
        }
    }
    owners
}

pub(super) fn keys_of<'a>(
    cx: &CorpusContext<'a>,
    files: &'a [CorpusFile],
) -> impl Iterator<Item = Named<'a>> + use<'a> {
    let only = cx.policy.only_tenant();
    files.iter().flat_map(move |file| {
        let definitions = file.documents.iter().filter_map(|doc| doc.definition.as_ref());
        definitions.filter_map(move |definition| {
            let name = definition.metadata.as_ref()?.name.spanned()?;
            Some(Named {
                definition,
                file,
                span: name.span,
                name: &name.value,
                tenant: definition.tenant().or(only),
            })
        })
    })
}

//! What a rule sees: a file, a key, the whole corpus, or the policy.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use cortexkey_manifest::Span;
use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{Role, Source as PolicySource};
use cortexkey_manifest::yaml::Tree;
use jiff::Timestamp;

use super::Rule;
use super::tokens::{FoundToken, find_tokens};
use crate::model::{Corpus, FindingBuilder, KeyDocument, Location, SourceId, document_at};
use crate::policy::{Policy, Settings};

/// One file, for rules that look at its tree.
pub(crate) struct FileContext<'a> {
    /// Its text and tree.
    pub(crate) tree: &'a Arc<Tree>,
    /// Its documents; empty for a file of a policy.
    pub(crate) documents: &'a [KeyDocument],
    /// The file.
    pub(crate) source: SourceId,
    /// Its path from the policy's folder.
    pub(crate) path: &'a str,
    /// Possible secrets in it, once a rule has searched for them.
    pub(crate) tokens: OnceCell<Vec<FoundToken>>,
}

impl FileContext<'_> {
    /// A finding about the key whose document holds the span.
    pub(crate) fn finding(&self, span: Span, message: impl Into<String>) -> FindingBuilder {
        let location = Location { source: self.source, span };
        FindingBuilder::new(location, message).key(self.key_at(span))
    }

    /// Possible secrets by their form, in the text with its comments and in the values after
    /// escapes, quotes and line folding.
    pub(crate) fn tokens(&self) -> &[FoundToken] {
        self.tokens.get_or_init(|| find_tokens(self.tree))
    }

    /// Name of the key whose document contains a span.
    pub(crate) fn key_at(&self, span: Span) -> Option<&str> {
        document_at(self.documents, span)?.definition.as_ref()?.name()
    }
}

/// One key, for rules that look at its definition.
pub(crate) struct KeyContext<'a> {
    /// The key.
    pub(crate) definition: &'a Definition,
    /// The tree it was read from.
    pub(crate) tree: &'a Arc<Tree>,
    /// Its file.
    pub(crate) source: SourceId,
    /// Path of its file as output shows it.
    pub(crate) path: &'a str,
    /// True when its file holds no other document.
    pub(crate) alone: bool,
    /// The policy.
    pub(crate) policy: &'a Policy,
    /// The catalogue's roles, the nearest layer's first.
    pub(crate) catalogue: &'a [&'a Role],
    /// The same by name and by id.
    pub(crate) listed: &'a Listed<'a>,
    /// Its tenant: its own, or the policy's only one.
    pub(crate) tenant: Option<&'a str>,
    /// The time.
    pub(crate) now: Timestamp,
    /// The roles that it holds, once a rule has looked them up.
    pub(crate) held: OnceCell<Vec<(usize, ResolvedRole)>>,
    /// Another rule's settings for this key, for fixes that must not violate another rule.
    pub(crate) settings_of: &'a dyn Fn(&'static Rule) -> Settings,
}

impl KeyContext<'_> {
    /// A finding about this key.
    pub(crate) fn finding(&self, span: Span, message: impl Into<String>) -> FindingBuilder {
        let location = Location { source: self.source, span };
        FindingBuilder::new(location, message).key(self.definition.name())
    }
}

/// The catalogue's roles by name and by id, since a file may name very many.
#[derive(Debug, Default)]
pub(crate) struct Listed<'a> {
    by_name: HashMap<&'a str, &'a Role>,
    by_id: HashMap<&'a str, &'a Role>,
}

impl<'a> Listed<'a> {
    /// The first role of a name counts.
    pub(crate) fn new(roles: impl Iterator<Item = &'a Role>) -> Self {
        let mut listed = Self::default();
        for role in roles {
            listed.by_name.entry(&role.name.value).or_insert(role);
            if let Some(id) = role.id.get() {
                listed.by_id.entry(id).or_insert(role);
            }
        }
        listed
    }

    /// The role of a name.
    pub(crate) fn named(&self, name: &str) -> Option<&'a Role> {
        self.by_name.get(name).copied()
    }

    /// The role of an id.
    pub(crate) fn of_id(&self, id: &str) -> Option<&'a Role> {
        self.by_id.get(id).copied()
    }
}

/// All files.
pub(crate) struct CorpusContext<'a> {
    /// The corpus.
    pub(crate) corpus: &'a Corpus,
    /// The policy.
    pub(crate) policy: &'a Policy,
    /// The time.
    pub(crate) now: Timestamp,
}

impl CorpusContext<'_> {
    /// A location in the lock file.
    pub(crate) fn in_lock(&self, span: Span) -> Location {
        Location { source: SourceId::Lock { policy: self.policy.number }, span }
    }
}

/// The policy itself.
pub(crate) struct PolicyContext<'a> {
    /// The policy.
    pub(crate) policy: &'a Policy,
    /// The time.
    pub(crate) now: Timestamp,
    /// All files, to see which keys exist.
    pub(crate) corpus: &'a Corpus,
}

impl PolicyContext<'_> {
    /// A finding in one of the policy's files.
    pub(crate) fn finding(
        &self,
        layer: usize,
        span: Span,
        message: impl Into<String>,
    ) -> FindingBuilder {
        FindingBuilder::new(self.policy.location(PolicySource { layer, span }), message)
    }
}

//! What a rule sees: a file, a key, the whole corpus, or the policy.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

use cortexkey_core::access::{PREDEFINED_ROLES, PredefinedRole};
use cortexkey_manifest::Span;
use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{CatalogRole, SettingSource as PolicySource};
use cortexkey_manifest::yaml::Tree;
use jiff::Timestamp;

use super::Rule;
use super::tokens::{FoundToken, find_tokens};
use crate::model::{Corpus, FindingBuilder, KeyDocument, Location, SourceId, document_at, folded};
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
    /// The catalog's roles, the nearest layer's first.
    pub(crate) catalog: &'a [&'a CatalogRole],
    /// The roles in the catalog by name and by id.
    pub(crate) listed: &'a RoleIndex<'a>,
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

/// The catalog's roles by name and by id, since a file may name very many.
#[derive(Debug, Default)]
pub(crate) struct RoleIndex<'a> {
    by_name: HashMap<&'a str, &'a CatalogRole>,
    by_id: HashMap<&'a str, &'a CatalogRole>,
    /// The names of the catalog's and the predefined roles, by their folded form.
    by_fold: HashMap<String, &'a str>,
    /// The numbers of the roles that include others or are included.
    numbers: HashMap<&'a str, usize>,
    /// For each number, the roles that it includes directly, and those that it includes in total,
    /// once they were needed.
    implies: Vec<(Vec<usize>, OnceLock<Included>)>,
}

/// A set of roles, by their numbers.
#[derive(Debug)]
pub(crate) struct Included(Vec<u64>);

impl Included {
    /// True if the set has a role.
    pub(crate) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Adds a role; false if the set had it.
    fn insert(&mut self, number: usize) -> bool {
        let is_new = !self.has(number);
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
        is_new
    }
}

impl<'a> RoleIndex<'a> {
    /// The first role of a name counts.
    pub(crate) fn new(roles: impl Iterator<Item = &'a CatalogRole>) -> Self {
        let mut listed = Self::default();
        let mut implying: Vec<&CatalogRole> = Vec::new();
        for role in roles {
            let name = role.name.value.as_str();
            if let Entry::Vacant(entry) = listed.by_name.entry(name) {
                entry.insert(role);
                implying.extend((!role.implies.is_empty()).then_some(role));
            }
            listed.by_fold.entry(folded(name)).or_insert(name);
            if let Some(id) = role.id.get() {
                listed.by_id.entry(id).or_insert(role);
            }
        }
        for role in PREDEFINED_ROLES {
            listed.by_fold.entry(folded(role.name)).or_insert(role.name);
        }
        for role in implying {
            let own = listed.add_number(&role.name.value);
            for inner in &role.implies {
                let inner = listed.name_of(&inner.value);
                let inner = listed.add_number(inner);
                listed.implies[own].0.push(inner);
            }
        }
        listed
    }

    fn add_number(&mut self, name: &'a str) -> usize {
        let next = self.implies.len();
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.implies.push((Vec::new(), OnceLock::new()));
        }
        number
    }

    /// The role of a name.
    pub(crate) fn named(&self, name: &str) -> Option<&'a CatalogRole> {
        self.by_name.get(name).copied()
    }

    /// The role of an id.
    pub(crate) fn of_id(&self, id: &str) -> Option<&'a CatalogRole> {
        self.by_id.get(id).copied()
    }

    /// The name of the role that a definition means: by its name, its id, or its name in another
    /// spelling. Rules about a role check this name, so that no spelling avoids them; R001 and R011
    /// report the spelling.
    pub(crate) fn name_of<'n>(&self, written: &'n str) -> &'n str
    where
        'a: 'n,
    {
        if self.by_name.contains_key(written) || PredefinedRole::by_name(written).is_some() {
            return written;
        }
        if let Some(role) = self.of_id(written) {
            return &role.name.value;
        }
        self.by_fold.get(&folded(written)).copied().unwrap_or(written)
    }

    /// The role in the catalog that a name or id means.
    pub(crate) fn meant(&self, written: &str) -> Option<&'a CatalogRole> {
        self.named(self.name_of(written))
    }

    /// The number of a role that includes others or is included.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The roles that a role includes according to the catalog, directly or indirectly.
    pub(crate) fn included(&self, outer: &str) -> Option<&Included> {
        let (direct, total) = self.implies.get(self.number(outer)?)?;
        (!direct.is_empty()).then(|| total.get_or_init(|| self.all_included(direct)))
    }

    fn all_included(&self, direct: &[usize]) -> Included {
        let mut all = Included(vec![0; self.implies.len().div_ceil(64)]);
        let mut open = direct.to_vec();
        while let Some(number) = open.pop() {
            if all.insert(number)
                && let Some((direct, _)) = self.implies.get(number)
            {
                open.extend(direct.iter().filter(|number| !all.has(**number)));
            }
        }
        all
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

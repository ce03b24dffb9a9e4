//! The keys of each owner, for rules of the policy that look at them: [`Owners`].

use std::collections::HashMap;

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::yaml::Tree;

use crate::model::Corpus;
use crate::policy::Policy;
use crate::policy::custom::OwnerKeys;
use crate::rule::RoleIndex;

/// The keys of each tenant and owner.
pub(super) struct Owners(HashMap<(Option<String>, String), OwnerKeys>);

impl Owners {
    pub(super) fn new(corpus: &Corpus, policy: &Policy) -> Self {
        type Documents<'a> = Vec<(&'a Tree, Span, Option<&'a str>)>;
        let only = policy.only_tenant();
        let mut documents: HashMap<(Option<String>, String), Documents<'_>> = HashMap::new();
        for file in &corpus.files {
            let all = file.documents.iter().filter_map(|document| document.definition.as_ref());
            for definition in all {
                let Some(place) = place(definition, only) else { continue };
                documents.entry(place).or_default().push((&*file.tree, definition.span, only));
            }
        }
        let listed = RoleIndex::new(policy.roles());
        let role_name = |written: &str| listed.name_of(written).to_owned();
        let keys = |keys: Documents<'_>| OwnerKeys::of(keys.into_iter(), &role_name);
        Self(documents.into_iter().map(|(place, all)| (place, keys(all))).collect())
    }

    /// The keys of a key's owner; `None` for a key without an owner.
    pub(super) fn keys(&self, definition: &Definition, only: Option<&str>) -> OwnerKeys {
        let keys = place(definition, only).and_then(|place| self.0.get(&place));
        keys.cloned().unwrap_or_else(|| OwnerKeys::of(core::iter::empty(), &str::to_owned))
    }
}

/// The tenant and owner of a key.
fn place(definition: &Definition, only: Option<&str>) -> Option<(Option<String>, String)> {
    let owner = definition.metadata.as_ref()?.owner.get()?.clone();
    Some((definition.tenant().or(only).map(str::to_owned), owner))
}

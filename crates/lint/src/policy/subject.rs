//! What a policy's `match` compares a key with.

use std::collections::HashMap;

use cortexkey_manifest::Spanned;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::Match;

use super::match_paths::MatchPaths;
use crate::model::same_role;

/// What a `match` compares: a key, its tenant and its path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The key.
    pub(crate) definition: &'a Definition,
    /// Its tenant: its own, or the policy's only one.
    pub(crate) tenant: Option<&'a str>,
    /// Path of its file from the folder of the policy in force.
    pub(crate) path: &'a str,
    /// The patterns of the policy's `match` entries.
    pub(crate) match_paths: &'a MatchPaths,
    /// The names of the catalog's roles by their ids.
    pub(crate) role_ids: &'a HashMap<String, String>,
}

impl Subject<'_> {
    /// True when all fields of a layer's `match` match; for a list, any item.
    pub(crate) fn matches(&self, wanted: &Match, layer: usize) -> bool {
        let metadata = self.definition.metadata.as_ref();
        let spec = self.definition.spec.as_ref();
        let owner = metadata.and_then(|m| m.owner.get());
        let level = spec.and_then(|s| s.level.get()).map(|level| level.as_str());
        let labels = metadata.map(|m| m.labels.as_slice()).unwrap_or_default();
        any(&wanted.name, self.definition.name())
            && any(&wanted.owner, owner.map(String::as_str))
            && any(&wanted.tenant, self.tenant)
            && any(&wanted.security_level, level)
            && (wanted.path.is_empty() || {
                let patterns = wanted.path.iter().map(|pattern| pattern.value.as_str());
                self.match_paths.any_matches(layer, patterns, self.path)
            })
            && wanted.labels.iter().all(|(label, values)| {
                let found = labels.iter().find(|(name, _)| name.value == label.value);
                any(values, found.map(|(_, value)| value.value.as_str()))
            })
            && (wanted.roles.is_empty()
                || self.definition.roles().iter().any(|role| {
                    let role = self.role_ids.get(&role.value).unwrap_or(&role.value);
                    wanted.roles.iter().any(|name| same_role(&name.value, role))
                }))
    }
}

/// True when the value is one of the wanted ones, or none is given.
fn any(wanted: &[Spanned<String>], value: Option<&str>) -> bool {
    wanted.is_empty() || wanted.iter().any(|item| Some(item.value.as_str()) == value)
}

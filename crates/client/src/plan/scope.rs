//! [`DefinedScope`]: the scope of a definition, with the tenant's ids for the names of asset
//! groups.
//!
//! A name of no asset group, or of several, is an error: a scope with a wrong group would expose
//! what was not intended.

use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_api::scope_mapping::{MappingError, to_write};
use cortexkey_core::access::{Area, AxisMode, Scope, Unreferenced};
use cortexkey_manifest::access::{self, IncompleteField};
use cortexkey_manifest::definition;
use thiserror::Error;

/// Why a scope has no form that the product accepts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DefinedScopeError {
    /// Whether the key sees what references no known object is not set.
    #[error(
        "`unreferenced` is unknown\nhelp: set true or false, as the check box in the console shows"
    )]
    Unreferenced,
    /// A name matches no asset group, or several.
    #[error(transparent)]
    Group(#[from] MappingError),
    /// The asset group of this name has another id.
    #[error("the tenant's asset group {name:?} does not have the id {id}")]
    OtherId {
        /// The name.
        name: String,
        /// The id that is set beside it.
        id: u64,
    },
}

/// A scope as definitions write it.
#[derive(Clone, Debug)]
pub struct DefinedScope {
    scope: Scope<String>,
    group_ids: GroupIds,
}

/// Asset groups that are given with their ids.
pub(super) type GroupIds = Vec<(String, u64)>;

impl DefinedScope {
    /// Takes the scope of a definition.
    pub fn from_definition(definition: &definition::ScopeSpec) -> Result<Self, IncompleteField> {
        let scope = access::scope(definition)?;
        // The product ignores such names, and the axis allows more than they suggest. In a
        // definition that is a warning, because an import writes what a tenant has.
        if let Some(written) = definition.endpoints.get() {
            for (field, names, axis) in [
                ("groups", &written.groups, &scope.endpoints.groups),
                ("tags", &written.tags, &scope.endpoints.tags),
            ] {
                let are_named = names.get().is_some_and(|names| !names.is_empty());
                if axis.mode() != AxisMode::Scope && are_named {
                    let message = format!(
                        "`scope.endpoints.{field}` has names, but its `{field}Mode` is not \
                         `scope`"
                    );
                    return Err(IncompleteField { span: written.place, message });
                }
            }
        }
        Ok(Self { scope, group_ids: group_ids(definition) })
    }

    /// Takes a scope whose names stand for one asset group each.
    pub fn new(scope: Scope<String>) -> Self {
        Self { scope, group_ids: GroupIds::new() }
    }

    /// Whether it names asset groups, so that [`to_write`](Self::to_write) needs the tenant's.
    pub fn selects_groups(&self) -> bool {
        selects_groups(&self.scope)
    }

    /// The product's form, with these asset groups of the tenant.
    pub fn to_write(&self, groups: &[AssetGroupRecord]) -> Result<ScopeWrite, DefinedScopeError> {
        write(&self.scope, &self.group_ids, groups)
    }
}

pub(super) fn selects_groups(scope: &Scope<String>) -> bool {
    matches!(scope.assets, Area::Select(_))
}

pub(super) fn group_ids(scope: &definition::ScopeSpec) -> GroupIds {
    let groups = scope.assets.get().and_then(|assets| assets.groups.get());
    let groups = groups.map(Vec::as_slice).unwrap_or_default();
    groups.iter().filter_map(|group| Some((group.name.value.clone(), *group.id.get()?))).collect()
}

/// The product's form.
pub(super) fn write(
    scope: &Scope<String>,
    group_ids: &[(String, u64)],
    asset_groups: &[AssetGroupRecord],
) -> Result<ScopeWrite, DefinedScopeError> {
    if scope.cases_and_issues.unreferenced == Unreferenced::Unknown {
        return Err(DefinedScopeError::Unreferenced);
    }
    let mut wrong_id = None;
    // Groups with the same name are distinguished by their ids, so each id is used once.
    let mut given = group_ids.to_vec();
    let ids = |name: &str| {
        let groups = || asset_groups.iter().filter(|group| group.name == name);
        let Some(at) = given.iter().position(|(known, _)| known == name) else {
            return groups().map(|group| group.id).collect();
        };
        let (_, id) = given.remove(at);
        if groups().all(|group| group.id != id) {
            wrong_id = Some((name.to_owned(), id));
        }
        vec![id]
    };
    let write = to_write(scope, ids)?;
    if let Some((name, id)) = wrong_id {
        return Err(DefinedScopeError::OtherId { name, id });
    }
    Ok(write)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_manifest::definition::read_scope;
    use cortexkey_manifest::yaml::{YamlLimits, parse};

    use super::*;

    /// The ids of groups in a tenant with two groups of the same name.
    fn ids(groups: &str) -> Result<Vec<u64>, DefinedScopeError> {
        let text = format!(
            "assets: {{ mode: select, groups: [{groups}] }}\ncasesAndIssues: {{ mode: none }}\n\
             endpoints: {{ mode: none }}\n"
        );
        let tree = parse(&text, &YamlLimits::default()).tree;
        let (scope, problems) = read_scope(&tree, tree.documents()[0]);
        assert!(problems.is_empty(), "{problems:?}");
        let scope = DefinedScope::from_definition(&scope.unwrap()).unwrap();
        assert!(scope.selects_groups());
        let group = |(id, name): (u64, &str)| {
            serde_json::from_value(
                serde_json::json!({ "XDM.ASSET_GROUP.ID": id, "XDM.ASSET_GROUP.NAME": name }),
            )
            .unwrap()
        };
        let groups: Vec<AssetGroupRecord> =
            [(1, "twin"), (2, "twin"), (3, "one")].map(group).into();
        scope.to_write(&groups).map(|write| write.assets.asset_group_ids)
    }

    #[test]
    fn each_name_means_one_group() {
        assert_eq!(ids("one, { name: twin, id: 2 }"), Ok(vec![3, 2]));
        assert_eq!(ids("{ name: twin, id: 2 }, { name: twin, id: 1 }"), Ok(vec![2, 1]));
        let refused = [
            "One",
            "\"3\"",
            "twin",
            "{ name: twin, id: 1 }, twin",
            "{ name: twin, id: 3 }",
            "{ name: one, id: 4 }",
        ];
        let said = refused.map(|groups| format!("{groups}: {}", ids(groups).unwrap_err()));
        insta::assert_snapshot!(said.join("\n"));
    }
}

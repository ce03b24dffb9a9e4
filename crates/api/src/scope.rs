//! Scopes (SBAC): what a key may see, as `platform/iam/v1/scope/api-key/{id}` takes and gives it.
//!
//! A GET returns another shape ([`ScopeRead`]) than a PUT takes ([`ScopeWrite`]), and a PUT replaces
//! everything. [`scope_mapping`](crate::scope_mapping) translates between both and the core's scopes.

pub use cortexkey_core::access::{AreaMode, AxisMode};
use serde::{Deserialize, Deserializer, Serialize};

/// The scope that a PUT puts in place of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeWrite {
    /// Which assets.
    pub assets: AssetsWrite,
    /// Which cases and issues.
    pub cases_issues: CasesIssuesWrite,
    /// Which endpoints.
    pub endpoints: EndpointsWrite,
    /// Which rows of datasets: required where the tenant has such scopes, refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets_rows: Option<DatasetsRows>,
}

/// Assets, by the ids of asset groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetsWrite {
    /// None, all or some.
    pub mode: AreaMode,
    /// The groups, where some are selected.
    #[serde(default, deserialize_with = "null_as_none")]
    pub asset_group_ids: Vec<u64>,
}

/// Which cases and issues, by the names of domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasesIssuesWrite {
    /// None, all or some.
    pub mode: AreaMode,
    /// The domains, where some are selected.
    #[serde(default, deserialize_with = "null_as_none")]
    pub names: Vec<String>,
    /// Whether those that reference no known asset or endpoint are let in.
    #[serde(default)]
    pub include_cases_issues_empty_entities: bool,
}

/// Which endpoints, by two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointsWrite {
    /// By endpoint group.
    pub endpoint_groups: AxisWrite,
    /// By endpoint tag.
    pub endpoint_tags: AxisWrite,
}

/// One axis of the endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisWrite {
    /// How it restricts.
    pub mode: AxisMode,
    /// The names, where some are selected.
    #[serde(default, deserialize_with = "null_as_none")]
    pub names: Vec<String>,
}

/// Which rows of datasets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetsRows {
    /// What holds for datasets without a filter: `no_scope` or `see_all`.
    pub default_filter_mode: AreaMode,
    /// Filters, by dataset.
    #[serde(default, deserialize_with = "null_as_none")]
    pub filters: Vec<DatasetFilter>,
}

/// A filter on the rows of one dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetFilter {
    /// The dataset.
    pub dataset: String,
    /// Field, operator and value.
    pub filter: String,
}

/// The scope that a GET returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRead {
    /// Which assets.
    pub assets: AssetsRead,
    /// Which cases and issues. Whether those that reference nothing known are let in is not returned.
    pub cases_issues: Tagged<AreaMode>,
    /// Which endpoints.
    pub endpoints: EndpointsRead,
    /// Which rows of datasets, where the tenant has such scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets_rows: Option<DatasetsRows>,
}

/// Which assets, by asset groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetsRead {
    /// None, all or some.
    pub mode: AreaMode,
    /// The groups that are selected.
    #[serde(default, deserialize_with = "null_as_none")]
    pub asset_groups: Vec<AssetGroup>,
}

/// An asset group that is selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetGroup {
    /// Its id.
    pub asset_group_id: u64,
    /// Its name.
    pub asset_group_name: String,
}

/// Which endpoints, by two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsRead {
    /// By endpoint group.
    pub endpoint_groups: Tagged<AxisMode>,
    /// By endpoint tag.
    pub endpoint_tags: Tagged<AxisMode>,
}

/// A mode, and what is selected as the product's tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged<M> {
    /// How it restricts.
    pub mode: M,
    /// What is selected. An axis that does not restrict may have one tag without an id, `Any`.
    #[serde(default = "Vec::new", deserialize_with = "null_as_none")]
    pub tags: Vec<Tag>,
}

/// Something that is selected by name: a domain, an endpoint group, an endpoint tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its id; the product's documents do not say whether it is text or a number.
    #[serde(default)]
    pub tag_id: serde_json::Value,
    /// Its name.
    pub tag_name: String,
}

/// The vendor's client in Go writes `null` for a list without members, and tenants may.
fn null_as_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    json: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_write_shape() {
        let json = json!({
            "assets": { "mode": "scope", "asset_group_ids": [16] },
            "cases_issues": {
                "mode": "see_all", "names": [], "include_cases_issues_empty_entities": true,
            },
            "endpoints": {
                "endpoint_groups": { "mode": "scope", "names": ["servers-eu"] },
                "endpoint_tags": { "mode": "any", "names": [] },
            },
        });
        let scope: ScopeWrite = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(scope.endpoints.endpoint_tags.mode, AxisMode::Any);
        assert_eq!(serde_json::to_value(scope).unwrap(), json);
        // The read shape is no write shape: its selections would silently be empty.
        let mut read = json;
        read["assets"]["asset_groups"] = json!([]);
        assert!(serde_json::from_value::<ScopeWrite>(read).is_err());
    }

    #[test]
    fn null_is_a_list_without_members() {
        let axis: AxisWrite = serde_json::from_str(r#"{"mode":"any","names":null}"#).unwrap();
        assert_eq!(axis.names, [""; 0]);
    }

    #[test]
    fn the_read_shape() {
        let read: ScopeRead = serde_json::from_value(json!({
            "assets": {
                "mode": "scope",
                "asset_groups": [{ "asset_group_id": 16, "asset_group_name": "prod-eu" }],
            },
            "cases_issues": { "mode": "scope", "tags": [{ "tag_id": "x", "tag_name": "IT" }] },
            "endpoints": {
                "endpoint_groups": { "mode": "see_all" },
                "endpoint_tags": { "mode": "see_all", "tags": [] },
            },
            "new_area": {},
        }))
        .unwrap();
        assert_eq!(read.assets.asset_groups[0].asset_group_name, "prod-eu");
        assert_eq!(read.cases_issues.tags[0].tag_name, "IT");
    }
}

//! Scopes (SBAC): what a key may see, as in `platform/iam/v1/scope/api-key/{id}`.
//!
//! A GET returns another shape ([`ScopeRead`]) than a PUT expects ([`ScopeWrite`]), and a PUT
//! replaces everything. [`scope_mapping`](crate::scope_mapping) converts between both and the
//! core's scopes.

pub use cortexkey_core::access::{AreaMode, AxisMode};
use serde::{Deserialize, Deserializer, Serialize};

/// The scope in a PUT, which replaces the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeWrite {
    /// The assets.
    pub assets: AssetsWrite,
    /// The cases and issues.
    pub cases_issues: CasesIssuesWrite,
    /// The endpoints.
    pub endpoints: EndpointsWrite,
    /// The rows of datasets: required if the tenant has such scopes, otherwise refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets_rows: Option<DatasetsRows>,
}

/// Assets, by the ids of asset groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetsWrite {
    /// None, all or some.
    pub mode: AreaMode,
    /// The selected groups.
    #[serde(default, deserialize_with = "null_as_none")]
    pub asset_group_ids: Vec<u64>,
}

/// Cases and issues, by the names of domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasesIssuesWrite {
    /// None, all or some.
    pub mode: AreaMode,
    /// The selected domains.
    #[serde(default, deserialize_with = "null_as_none")]
    pub names: Vec<String>,
    /// Whether those that reference no known asset or endpoint are allowed.
    #[serde(default)]
    pub include_cases_issues_empty_entities: bool,
}

/// Endpoints, by two axes.
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
    /// The mode.
    pub mode: AxisMode,
    /// The selected names.
    #[serde(default, deserialize_with = "null_as_none")]
    pub names: Vec<String>,
}

/// Rows of datasets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetsRows {
    /// The mode for datasets without a filter: `no_scope` or `see_all`.
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

/// The scope in the response of a GET.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRead {
    /// The assets.
    pub assets: AssetsRead,
    /// The cases and issues. Whether those that reference no known object are allowed is not
    /// returned.
    pub cases_issues: Tagged<AreaMode>,
    /// The endpoints.
    pub endpoints: EndpointsRead,
    /// The rows of datasets, if the tenant has such scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets_rows: Option<DatasetsRows>,
}

/// Assets, by asset groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetsRead {
    /// None, all or some.
    pub mode: AreaMode,
    /// The selected groups.
    #[serde(default, deserialize_with = "null_as_none")]
    pub asset_groups: Vec<AssetGroup>,
}

/// A selected asset group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetGroup {
    /// Its id.
    pub asset_group_id: u64,
    /// Its name.
    pub asset_group_name: String,
}

/// Endpoints, by two axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsRead {
    /// By endpoint group.
    pub endpoint_groups: Tagged<AxisMode>,
    /// By endpoint tag.
    pub endpoint_tags: Tagged<AxisMode>,
}

/// A mode, and the selected names as the product's tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged<M> {
    /// The mode.
    pub mode: M,
    /// The selection. An axis that does not restrict may have one tag without an id, `Any`.
    #[serde(default = "Vec::new", deserialize_with = "null_as_none")]
    pub tags: Vec<Tag>,
}

/// A selected name: a domain, an endpoint group, or an endpoint tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its id; the product's documents do not say whether it is a string or a number.
    #[serde(default)]
    pub tag_id: serde_json::Value,
    /// Its name.
    pub tag_name: String,
}

/// The vendor's Go client writes `null` for an empty list, and tenants may, too.
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
        // The read shape is not accepted for writing: its selections would silently be empty.
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

//! [`Inventory`]: the objects of an organisation that scopes can name, in one JSON file.
//!
//! Groups, endpoints, assets, users and user groups are the records of the product's own lists, so
//! that a tenant's responses can be used unchanged. Issues, cases and findings have our own short
//! form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::asset_group::{AssetGroupRecord, ListCounts};
use crate::role::DatasetGroup;
use crate::user::{UserGroupRecord, UserRecord};

/// The largest file that is written and read, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Everything that a scope can name, and the objects that it applies to.
///
/// ```
/// use cortexkey_api::inventory::Inventory;
///
/// let json = r#"{ "domains": ["Security", "Finance"], "endpointTags": ["vip"] }"#;
/// let inventory: Inventory = serde_json::from_str(json)?;
/// assert_eq!(inventory.endpoint_tags, ["vip"]);
/// assert!(serde_json::from_str::<Inventory>(r#"{ "domain": [] }"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Inventory {
    /// Asset groups, as `asset-groups` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asset_groups: Vec<AssetGroupRecord>,
    /// Domains of cases and issues; the product's built-in ones if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Endpoint groups, besides those that endpoints name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoint_groups: Vec<String>,
    /// Endpoint tags, besides those that endpoints have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoint_tags: Vec<String>,
    /// Endpoints, as `endpoints/get_endpoint` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Map<String, Value>>,
    /// Assets, as `assets` lists them. `xdm.asset.agent_id` names the endpoint of an asset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Map<String, Value>>,
    /// Issues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// Cases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// Findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Users, as `user` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserRecord>,
    /// User groups, as `user-group` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_groups: Vec<UserGroupRecord>,
    /// Datasets by category, as `role/permission-config` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dataset_groups: Vec<DatasetGroup>,
    /// Sections that an import could not read completely. Loading ignores them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
}

/// A section of an [`Inventory`] that lacks records, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Incomplete {
    /// The section's member in the file, such as `endpoints`.
    pub section: String,
    /// What is missing, and how to make it readable.
    pub reason: String,
}

/// A page of `endpoints/get_endpoint`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct EndpointList {
    /// The endpoints of the page.
    pub endpoints: Vec<Map<String, Value>>,
    /// The number of endpoints.
    #[serde(default)]
    pub total_count: Option<u64>,
}

/// A page of `assets`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct AssetList {
    /// The assets of the page.
    pub data: Vec<Map<String, Value>>,
    /// The number of assets.
    #[serde(default)]
    pub metadata: ListCounts,
}

/// An issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Issue {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The domain.
    pub domain: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The ids of the assets that it references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// The names of deleted assets that it references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_assets: Vec<String>,
    /// The names of referenced objects that no inventory has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The domain.
    pub domain: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The ids of its issues.
    pub issues: Vec<u64>,
}

/// A finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finding {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The id of its asset.
    pub asset: String,
    /// The id of the issue that it caused, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<u64>,
}

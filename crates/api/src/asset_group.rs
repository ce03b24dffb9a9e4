//! Asset groups: listed at `public_api/v1/asset-groups`.
//!
//! Calls that create, change or delete asset groups are not modelled.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::{XdmFilter, XdmSort};

/// The parameters of a list of asset groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListRequest {
    /// Which groups; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<XdmFilter>,
    /// The sort order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<XdmSort>,
    /// The first group, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<u64>,
    /// The group after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_to: Option<u64>,
}

/// The reply of a list of asset groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListReply {
    /// The groups of the page.
    pub data: Vec<AssetGroupRecord>,
    /// The number of groups.
    #[serde(default)]
    pub metadata: ListCounts,
}

/// How many asset groups there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// How many match the filters.
    #[serde(default)]
    pub filter_count: u64,
}

/// An asset group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetGroupRecord {
    /// The id, which scopes contain.
    #[serde(rename = "XDM.ASSET_GROUP.ID")]
    pub id: u64,
    /// The name.
    #[serde(rename = "XDM.ASSET_GROUP.NAME")]
    pub name: String,
    /// `Dynamic` or `Static`.
    #[serde(rename = "XDM.ASSET_GROUP.TYPE", default)]
    pub kind: String,
    /// The description.
    #[serde(rename = "XDM.ASSET_GROUP.DESCRIPTION", default)]
    pub description: Option<String>,
    /// The predicate as shown in the console.
    #[serde(rename = "XDM.ASSET_GROUP.FILTER", default)]
    pub filter: Vec<Value>,
    /// When it was created, in milliseconds since 1970.
    #[serde(rename = "XDM.ASSET_GROUP.CREATION_TIME", default)]
    pub creation_time: Option<u64>,
    /// The creator's e-mail address.
    #[serde(rename = "XDM.ASSET_GROUP.CREATED_BY", default)]
    pub created_by: Option<String>,
    /// The creator's name.
    #[serde(rename = "XDM.ASSET_GROUP.CREATED_BY_PRETTY", default)]
    pub created_by_pretty: Option<String>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(rename = "XDM.ASSET_GROUP.LAST_UPDATE_TIME", default)]
    pub last_update_time: Option<u64>,
    /// The e-mail address of the last editor.
    #[serde(rename = "XDM.ASSET_GROUP.MODIFIED_BY", default)]
    pub modified_by: Option<String>,
    /// The name of the last editor.
    #[serde(rename = "XDM.ASSET_GROUP.MODIFIED_BY_PRETTY", default)]
    pub modified_by_pretty: Option<String>,
    /// The predicate that selects its assets.
    #[serde(rename = "XDM.ASSET_GROUP.MEMBERSHIP_PREDICATE", default)]
    pub membership_predicate: Option<XdmFilter>,
    /// Whether a scope references it.
    #[serde(rename = "IS_USED_BY_SBAC", default)]
    pub is_used_by_sbac: bool,
}

/// The attributes that a scope's asset group may be built from, by their names in asset filters.
/// The product's page lists twelve; six of these names are public.
pub const SCOPING_ATTRIBUTES: [&str; 12] = [
    "xdm.asset.type.class",
    "xdm.asset.type.category",
    "xdm.asset.provider",
    "xdm.asset.cloud.region",
    "xdm.asset.realm",
    "xdm.asset.tags",
    "xdm.asset.organization",
    "xdm.asset.account_name",
    "xdm.asset.business_application_names",
    "xdm.asset.kubernetes.cluster",
    "xdm.asset.kubernetes.namespace",
    "xdm.asset.code.repository",
];

impl AssetGroupRecord {
    /// Whether scopes can use the group: it is built only from the twelve scoping attributes. None
    /// if the tenant does not show what it is built from.
    pub fn is_scopable(&self) -> Option<bool> {
        if self.kind != "Dynamic" {
            // A static group uses no attribute.
            return Some(false);
        }
        let mut fields = Vec::new();
        fields_of(self.membership_predicate.as_ref()?, &mut fields);
        let is_scoping =
            |field: &&str| SCOPING_ATTRIBUTES.iter().any(|known| known.eq_ignore_ascii_case(field));
        Some(fields.iter().all(is_scoping))
    }
}

fn fields_of<'a>(filter: &'a XdmFilter, fields: &mut Vec<&'a str>) {
    match filter {
        XdmFilter::And { all: filters } | XdmFilter::Or { any: filters } => {
            for filter in filters {
                fields_of(filter, fields);
            }
        }
        XdmFilter::Condition(condition) => fields.push(&condition.search_field),
        XdmFilter::Everything {} => {}
    }
}

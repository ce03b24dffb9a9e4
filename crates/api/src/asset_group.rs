//! Asset groups: listed at `public_api/v1/asset-groups`.
//!
//! Calls that create, change or delete asset groups are not modelled.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::{XdmFilter, XdmSort};

/// What a list of asset groups is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListRequest {
    /// Which groups; all of them unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<XdmFilter>,
    /// The order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<XdmSort>,
    /// The first group, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<u64>,
    /// The group to stop before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_to: Option<u64>,
}

/// What a list of asset groups answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListReply {
    /// The groups of the page.
    pub data: Vec<AssetGroupRecord>,
    /// How many there are.
    #[serde(default)]
    pub metadata: ListCounts,
}

/// How many asset groups there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// How many fit the filters.
    #[serde(default)]
    pub filter_count: u64,
}

/// An asset group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetGroupRecord {
    /// The id, which a scope is written with.
    #[serde(rename = "XDM.ASSET_GROUP.ID")]
    pub id: u64,
    /// The name.
    #[serde(rename = "XDM.ASSET_GROUP.NAME")]
    pub name: String,
    /// `Dynamic` or `Static`.
    #[serde(rename = "XDM.ASSET_GROUP.TYPE", default)]
    pub kind: String,
    /// What it is for.
    #[serde(rename = "XDM.ASSET_GROUP.DESCRIPTION", default)]
    pub description: Option<String>,
    /// How the console shows the predicate.
    #[serde(rename = "XDM.ASSET_GROUP.FILTER", default)]
    pub filter: Vec<Value>,
    /// When it was made, in milliseconds since 1970.
    #[serde(rename = "XDM.ASSET_GROUP.CREATION_TIME", default)]
    pub creation_time: Option<u64>,
    /// Who made it, an e-mail address.
    #[serde(rename = "XDM.ASSET_GROUP.CREATED_BY", default)]
    pub created_by: Option<String>,
    /// Who made it, by name.
    #[serde(rename = "XDM.ASSET_GROUP.CREATED_BY_PRETTY", default)]
    pub created_by_pretty: Option<String>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(rename = "XDM.ASSET_GROUP.LAST_UPDATE_TIME", default)]
    pub last_update_time: Option<u64>,
    /// Who changed it, an e-mail address.
    #[serde(rename = "XDM.ASSET_GROUP.MODIFIED_BY", default)]
    pub modified_by: Option<String>,
    /// Who changed it, by name.
    #[serde(rename = "XDM.ASSET_GROUP.MODIFIED_BY_PRETTY", default)]
    pub modified_by_pretty: Option<String>,
    /// Which assets are in it.
    #[serde(rename = "XDM.ASSET_GROUP.MEMBERSHIP_PREDICATE", default)]
    pub membership_predicate: Option<XdmFilter>,
    /// Whether a scope names it.
    #[serde(rename = "IS_USED_BY_SBAC", default)]
    pub is_used_by_sbac: bool,
}

/// The attributes that the asset group of a scope may be built from, by the names that filters on
/// assets take. The product's page lists twelve; six of these names are public.
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
    /// Whether scopes can use the group: it is built from the twelve scoping attributes alone. None
    /// where the tenant does not show what it is built from.
    pub fn is_scopable(&self) -> Option<bool> {
        if self.kind != "Dynamic" {
            // A group by hand is built from no attribute.
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

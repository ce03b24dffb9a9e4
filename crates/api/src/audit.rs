//! The management audit log: read at `public_api/v1/audits/management_logs`.
//!
//! Only the filters that the product documents exist.

use serde::{Deserialize, Serialize};

use crate::filter::{Condition, Sort};

/// The parameters of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListRequest {
    /// All of them must match: on `email`, `type`, `sub_type`, `result`, `timestamp`, `audit_id`.
    #[serde(default)]
    pub filters: Vec<Condition>,
    /// The first entry, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<u64>,
    /// The entry after the last one, at most 100 after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_to: Option<u64>,
    /// The sort order; the latest first by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
}

/// The reply of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListReply {
    /// How many entries match the filters.
    pub total_count: u64,
    /// How many are on this page.
    pub result_count: u64,
    /// The entries of the page.
    pub data: Vec<AuditRecord>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct AuditRecord {
    /// Its id.
    pub audit_id: u64,
    /// The actor's name.
    #[serde(default)]
    pub audit_owner_name: Option<String>,
    /// The actor's e-mail address.
    #[serde(default)]
    pub audit_owner_email: Option<String>,
    /// The changed objects, as JSON in a string.
    #[serde(default)]
    pub audit_asset_json: Option<String>,
    /// The changed objects, by name.
    #[serde(default)]
    pub audit_asset_names: Option<String>,
    /// The host name, if a host is involved.
    #[serde(default)]
    pub audit_hostname: Option<String>,
    /// `SUCCESS`, `FAIL` or `PARTIAL`.
    #[serde(default)]
    pub audit_result: Option<String>,
    /// Why it failed.
    #[serde(default)]
    pub audit_reason: Option<String>,
    /// What was done, in a sentence.
    #[serde(default)]
    pub audit_description: Option<String>,
    /// The type of object, such as `API Key`.
    #[serde(default)]
    pub audit_entity: Option<String>,
    /// The type of change, such as `Scope Edit`.
    #[serde(default)]
    pub audit_entity_subtype: Option<String>,
    /// The time, in milliseconds since 1970.
    pub audit_insert_time: u64,
}

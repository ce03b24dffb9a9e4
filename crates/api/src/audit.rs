//! The management audit log: read at `public_api/v1/audits/management_logs`.
//!
//! Only the filters that the product documents exist.

use serde::{Deserialize, Serialize};

use crate::filter::{Condition, Sort};

/// What the log is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListRequest {
    /// All of them must fit: on `email`, `type`, `sub_type`, `result`, `timestamp`, `audit_id`.
    #[serde(default)]
    pub filters: Vec<Condition>,
    /// The first entry, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<u64>,
    /// The entry to stop before; 100 after the first at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_to: Option<u64>,
    /// The order; the latest first by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
}

/// What the log answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListReply {
    /// How many entries fit the filters.
    pub total_count: u64,
    /// How many are in this page.
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
    /// Who did it, by name.
    #[serde(default)]
    pub audit_owner_name: Option<String>,
    /// Who did it, an e-mail address.
    #[serde(default)]
    pub audit_owner_email: Option<String>,
    /// What was done it to, as JSON in text.
    #[serde(default)]
    pub audit_asset_json: Option<String>,
    /// What was done it to, by name.
    #[serde(default)]
    pub audit_asset_names: Option<String>,
    /// The host name, where one is concerned.
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
    /// What kind of thing was done, such as `API Key`.
    #[serde(default)]
    pub audit_entity: Option<String>,
    /// What exactly, such as `Scope Edit`.
    #[serde(default)]
    pub audit_entity_subtype: Option<String>,
    /// When, in milliseconds since 1970.
    pub audit_insert_time: u64,
}

//! The management audit log: what was changed, and by which key.

use std::cell::Cell;
use std::collections::BTreeMap;

use cortexkey_api::api_keys::SortOrder;
use cortexkey_api::audit::{AuditRecord, ListReply, ListRequest};
use cortexkey_api::filter::{Condition, Sort};
use serde_json::json;

use super::api_keys::key_of_name;
use super::pages::{Page, pages};
use crate::{CallError, Client};

/// A part of the audit log.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AuditLog {
    /// The entries, the latest first.
    pub entries: Vec<AuditRecord>,
    /// The start of the range in which all entries were read, in milliseconds since 1970.
    pub from_ms: u64,
    /// The end of the range, in milliseconds since 1970.
    pub to_ms: u64,
    /// Whether older entries in the requested range were not read.
    pub is_cut: bool,
}

impl Client {
    /// Reads the entries of a range of time, page after page, the latest first; at most about `max`.
    pub fn audit_log(&self, from_ms: u64, to_ms: u64, max: usize) -> Result<AuditLog, CallError> {
        let total = Cell::new(0);
        let range = [("gte", from_ms), ("lte", to_ms)].map(|(operator, ms)| Condition {
            field: "timestamp".to_owned(),
            operator: operator.to_owned(),
            value: json!(ms),
        });
        let read = pages(
            max,
            |from, to| {
                let request = ListRequest {
                    filters: range.to_vec(),
                    search_from: Some(from),
                    search_to: Some(to),
                    sort: Some(Sort { field: "timestamp".to_owned(), keyword: SortOrder::Desc }),
                };
                let reply: ListReply =
                    self.query("/public_api/v1/audits/management_logs", &request)?;
                total.set(total.get().max(reply.total_count));
                Ok(Page {
                    items: reply.data,
                    unreadable: Vec::<()>::new(),
                    count: Some(reply.total_count),
                })
            },
            |entry| entry.audit_id,
        )?;
        let mut entries = read.items;
        entries.sort_by_key(|entry| core::cmp::Reverse((entry.audit_insert_time, entry.audit_id)));
        let is_cut = total.get() > entries.len() as u64;
        let oldest = entries.last().map_or(to_ms, |entry| entry.audit_insert_time);
        let from_ms = if is_cut { oldest } else { from_ms };
        Ok(AuditLog { entries, from_ms, to_ms, is_cut })
    }
}

impl AuditLog {
    /// The entries of what keys did, the latest first, by the id of the key.
    pub fn by_key(&self) -> BTreeMap<u64, Vec<&AuditRecord>> {
        let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in &self.entries {
            if let Some(id) = entry.audit_owner_name.as_deref().and_then(key_of_name) {
                by_key.entry(id).or_default().push(entry);
            }
        }
        by_key
    }

    /// The entries of what a key did, and of what was done to it, the latest first.
    pub fn of_key(&self, id: u64) -> impl Iterator<Item = &AuditRecord> {
        let is_by = move |entry: &AuditRecord| {
            entry.audit_owner_name.as_deref().and_then(key_of_name) == Some(id)
        };
        self.entries.iter().filter(move |entry| is_by(entry) || is_about(entry, id))
    }
}

/// Whether an entry is about a key: its names contain the id as a separate word.
fn is_about(entry: &AuditRecord, id: u64) -> bool {
    let is_key = entry.audit_entity.as_deref().is_some_and(|entity| entity.contains("API Key"));
    let id = id.to_string();
    let names = [&entry.audit_asset_names, &entry.audit_description];
    is_key
        && names
            .into_iter()
            .flatten()
            .any(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == id))
}

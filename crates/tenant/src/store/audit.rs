//! [`AuditLog`]: changes and refused attempts.

use std::collections::VecDeque;
use std::sync::Arc;

use cortexkey_api::audit::AuditRecord;
use cortexkey_core::auth::KeyId;

const ENTRIES_MAX: usize = 10_000;

/// The entries, the latest last.
#[derive(Default)]
pub(crate) struct AuditLog {
    entries: VecDeque<Arc<AuditRecord>>,
    last_id: u64,
}

/// A change, or a refused attempt.
pub(crate) struct AuditEvent {
    /// The type in the product's log.
    pub(crate) entity: &'static str,
    /// The subtype.
    pub(crate) subtype: &'static str,
    /// The name of the changed object.
    pub(crate) subject: String,
    /// A description in one sentence.
    pub(crate) description: String,
    /// Whether it was allowed.
    pub(crate) done: bool,
}

impl AuditLog {
    /// The stored entries, by id.
    pub(super) fn restore(entries: Vec<AuditRecord>) -> Self {
        let last_id = entries.last().map_or(0, |entry| entry.audit_id);
        Self { entries: entries.into_iter().map(Arc::new).collect(), last_id }
    }

    /// Adds an entry; returns it, and the id of the one that it displaced.
    pub(super) fn add(
        &mut self,
        (name, email): (String, String),
        at_ms: u64,
        event: AuditEvent,
    ) -> (&AuditRecord, Option<u64>) {
        self.last_id += 1;
        let gone = match self.entries.len() {
            ENTRIES_MAX.. => self.entries.pop_front().map(|entry| entry.audit_id),
            _ => None,
        };
        self.entries.push_back(Arc::new(AuditRecord {
            audit_id: self.last_id,
            audit_owner_name: Some(name),
            audit_owner_email: Some(email),
            audit_asset_json: Some("{}".to_owned()),
            audit_asset_names: Some(event.subject),
            audit_hostname: Some(String::new()),
            audit_result: Some(if event.done { "SUCCESS" } else { "FAIL" }.to_owned()),
            audit_reason: Some(String::new()),
            audit_description: Some(event.description),
            audit_entity: Some(event.entity.to_owned()),
            audit_entity_subtype: Some(event.subtype.to_owned()),
            audit_insert_time: at_ms,
        }));
        let last = self.entries.len() - 1;
        (&self.entries[last], gone)
    }

    /// The entries, the oldest first, for reading without the store's lock.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<AuditRecord>> {
        self.entries.iter()
    }
}

/// A key as a creator or editor: a name, and a substitute for an e-mail address.
pub(crate) fn creator(key_id: KeyId) -> (String, String) {
    (format!("Public API - {key_id}"), "N/A".to_owned())
}

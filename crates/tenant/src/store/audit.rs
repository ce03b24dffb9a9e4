//! [`AuditLog`]: who changed what, and who was not let.
//!
//! It refuses to hold a key, and more than ten thousand entries: the oldest goes first.

use std::collections::VecDeque;

use cortexkey_api::audit::AuditRecord;
use cortexkey_core::auth::KeyId;

const ENTRIES_MAX: usize = 10_000;

/// The entries, the latest last.
#[derive(Default)]
pub(crate) struct AuditLog {
    entries: VecDeque<AuditRecord>,
    last_id: u64,
}

/// Something that was done, or tried.
pub(crate) struct Deed {
    /// The type in the product's log.
    pub(crate) entity: &'static str,
    /// The type below it.
    pub(crate) subtype: &'static str,
    /// What it was done to, by name.
    pub(crate) subject: String,
    /// What was done, in a sentence.
    pub(crate) description: String,
    /// Whether it was let.
    pub(crate) done: bool,
}

impl AuditLog {
    /// Adds an entry; what is returned is what to keep.
    pub(crate) fn add(&mut self, by: KeyId, at_ms: u64, deed: Deed) -> &AuditRecord {
        self.last_id += 1;
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.pop_front();
        }
        let (name, email) = creator(by);
        self.entries.push_back(AuditRecord {
            audit_id: self.last_id,
            audit_owner_name: Some(name),
            audit_owner_email: Some(email),
            audit_asset_json: None,
            audit_asset_names: Some(deed.subject),
            audit_hostname: None,
            audit_result: Some(if deed.done { "SUCCESS" } else { "FAIL" }.to_owned()),
            audit_reason: None,
            audit_description: Some(deed.description),
            audit_entity: Some(deed.entity.to_owned()),
            audit_entity_subtype: Some(deed.subtype.to_owned()),
            audit_insert_time: at_ms,
        });
        let last = self.entries.len() - 1;
        &self.entries[last]
    }

    /// The entries, the oldest first.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &AuditRecord> {
        self.entries.iter()
    }
}

/// Who made or changed something with a key: a name and an e-mail address.
pub(crate) fn creator(key_id: KeyId) -> (String, String) {
    (format!("API key {key_id}"), format!("api-key-{key_id}@localhost"))
}

//! Generates exactly one key for each line of a list, and delivers it to a sink.
//!
//! A record next to the list maps each line to its key. Like the lock file for definitions, it
//! announces each step that cannot be undone, so that the next run can finish an interrupted one.
//! If the record is lost, no second key is generated: the tenant's keys are searched for the line's
//! comment, which is unique in the list.

mod list;

use core::fmt;
use std::path::Path;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_manifest::lock::Lock;

use crate::lifecycle::{KeyDelivery, LockFile, LockFileError, RenewError, Renewal, tenant_of};
use crate::plan::{DefinedScopeError, locked_host};
use crate::resources::{KeyList, NewKey};
use crate::sink::Sink;
use crate::transport::Client;

pub use list::{Defaults, KeyEnd, Line, ListError, read_csv, read_users};

/// The action for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineState {
    /// A key is generated.
    Generate,
    /// A run was interrupted at its key. What it left is deleted, and a key is generated.
    Finish,
    /// Its key is in place.
    InPlace {
        /// The key.
        id: u64,
        /// The fields in which the key differs from the line. Keys are not edited.
        differs: Vec<&'static str>,
    },
    /// Its key is gone from the tenant.
    Gone {
        /// The key.
        id: u64,
    },
    /// A key of the tenant has the line's comment, but is not in the record.
    Taken {
        /// The key.
        id: u64,
    },
    /// The tenant does not list all of its keys, so it is unknown whether the line has one.
    Unclear,
}

/// A line and its action.
#[derive(Clone, Debug)]
pub struct PlannedLine<'a> {
    /// The line.
    pub line: &'a Line,
    /// The action.
    pub state: LineState,
}

/// A record that this run holds, and the renewal that generates its keys.
pub struct Provision<'a> {
    renewal: Renewal<'a>,
    record: LockFile,
    tenant: String,
    host: String,
}

impl LineState {
    /// The stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Finish => "finish",
            Self::InPlace { .. } => "in-place",
            Self::Gone { .. } => "gone",
            Self::Taken { .. } => "taken",
            Self::Unclear => "unclear",
        }
    }

    /// Whether a key is generated.
    pub const fn generates(&self) -> bool {
        matches!(self, Self::Generate | Self::Finish)
    }

    /// Whether the line needs attention: no key is generated, and none is in place.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Taken { .. } | Self::Unclear)
    }

    /// Whether the line's key is in place, but differs from the line.
    pub fn differs(&self) -> bool {
        matches!(self, Self::InPlace { differs, .. } if !differs.is_empty())
    }

    /// The line's key, if there is one.
    pub const fn id(&self) -> Option<u64> {
        match self {
            Self::InPlace { id, .. } | Self::Gone { id } | Self::Taken { id } => Some(*id),
            _ => None,
        }
    }

    /// The reason in words; empty if there is nothing to add.
    pub fn reason(&self) -> String {
        match self {
            Self::Generate => String::new(),
            Self::Finish => "a run was interrupted at its key".to_owned(),
            Self::InPlace { differs, .. } if differs.is_empty() => String::new(),
            Self::InPlace { id, differs } => {
                format!("key {id} has another {}", differs.join(" and "))
            }
            Self::Gone { id } => format!("key {id} is gone from the tenant"),
            Self::Taken { id } => {
                format!("key {id} has this comment, but is not in the record")
            }
            Self::Unclear => {
                "the tenant does not show all of its keys, so it may have one already".to_owned()
            }
        }
    }

    /// What to do about it, the same for each line in this state.
    pub const fn help(&self) -> Option<&'static str> {
        match self {
            Self::InPlace { differs, .. } if !differs.is_empty() => {
                Some("`cortexkey keys edit ID` changes a key to match its line")
            }
            Self::Gone { .. } => {
                Some("remove lines whose key is gone, or give --recreate for new keys")
            }
            Self::Taken { .. } => {
                Some("delete a key whose comment is taken, or change the line's comment")
            }
            Self::Unclear => Some("`cortexkey keys list` names the records that cannot be read"),
            Self::Generate | Self::Finish | Self::InPlace { .. } => None,
        }
    }
}

impl fmt::Display for LineState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The action for each line. With `recreate`, a key that is gone is replaced by a new one.
pub fn plan<'a>(
    lines: &'a [Line],
    client: &Client,
    record: &Lock,
    keys: &KeyList,
    recreate: bool,
) -> Vec<PlannedLine<'a>> {
    let tenant = tenant_of(client);
    let planned = |line: &'a Line| {
        let state = match record.key(&tenant, &line.name) {
            Some(entry) if entry.pending.is_some() => LineState::Finish,
            Some(entry) => match entry.id {
                Some(id) => recorded(line, id.get(), keys, recreate),
                None => unrecorded(line, keys, &entry.ids().map(KeyId::get).collect::<Vec<_>>()),
            },
            None => unrecorded(line, keys, &[]),
        };
        PlannedLine { line, state }
    };
    lines.iter().map(planned).collect()
}

fn recorded(line: &Line, id: u64, keys: &KeyList, recreate: bool) -> LineState {
    match keys.keys.iter().find(|record| record.id == id) {
        Some(record) => LineState::InPlace { id, differs: differs(line, record) },
        None if !keys.lacks(id) => LineState::Unclear,
        None if recreate => LineState::Generate,
        None => LineState::Gone { id },
    }
}

/// `known` are keys of interrupted runs, which the next key replaces.
fn unrecorded(line: &Line, keys: &KeyList, known: &[u64]) -> LineState {
    let comment = line.comment.trim();
    let same = |record: &&ApiKeyRecord| {
        record.comment.as_deref().is_some_and(|text| text.trim() == comment)
            && !known.contains(&record.id)
    };
    match keys.keys.iter().find(same) {
        Some(record) => LineState::Taken { id: record.id },
        None if keys.missing > 0 || !keys.unreadable.is_empty() => LineState::Unclear,
        None => LineState::Generate,
    }
}

fn differs(line: &Line, record: &ApiKeyRecord) -> Vec<&'static str> {
    let sorted = |roles: &[String]| {
        let mut roles = roles.to_vec();
        roles.sort();
        roles.dedup();
        roles
    };
    let mut differs = Vec::new();
    if sorted(&line.roles) != sorted(&record.roles) {
        differs.push("role");
    }
    if line.level != Level::from(record.security_level) {
        differs.push("level");
    }
    if record.comment.as_deref().is_none_or(|text| text.trim() != line.comment.trim()) {
        differs.push("comment");
    }
    differs
}

impl Line {
    /// The key to generate. `groups` are the tenant's asset groups.
    pub fn new_key(
        &self,
        groups: &[AssetGroupRecord],
        now_ms: u64,
    ) -> Result<NewKey, DefinedScopeError> {
        let scope = self.scope.as_ref().map(|scope| scope.to_write(groups)).transpose()?;
        Ok(NewKey {
            name: Some(self.name.clone()),
            roles: self.roles.clone(),
            level: self.level,
            comment: Some(self.comment.clone()),
            owner: Some(self.owner.clone()),
            expiration_ms: Some(match self.end {
                KeyEnd::At(ms) => ms,
                KeyEnd::After(ms) => now_ms.saturating_add(ms),
            }),
            scope,
        })
    }

    /// Whether its scope names asset groups.
    pub fn selects_groups(&self) -> bool {
        self.scope.as_ref().is_some_and(crate::plan::DefinedScope::selects_groups)
    }
}

impl<'a> Provision<'a> {
    /// Holds the record.
    pub fn open(renewal: Renewal<'a>, record: &Path) -> Result<Self, LockFileError> {
        let tenant = tenant_of(renewal.client);
        let host = locked_host(renewal.client.address());
        Ok(Self { record: LockFile::hold(record)?, renewal, tenant, host })
    }

    /// The contents of the record.
    pub fn record(&self) -> &Lock {
        self.record.lock()
    }

    /// Finishes interrupted runs, even for lines that are gone. Returns what could not be finished,
    /// by the name of the line; a later run tries again.
    pub fn finish(&mut self, now_ms: u64) -> Vec<(String, RenewError)> {
        let of_tenant = self.record.lock().tenants.get(&self.tenant);
        let entries = of_tenant.iter().flat_map(|tenant| &tenant.keys);
        let open =
            entries.filter(|(_, entry)| entry.pending.is_some() || !entry.retiring.is_empty());
        let names: Vec<String> = open.map(|(name, _)| name.clone()).collect();
        let mut unfinished = Vec::new();
        for name in names {
            let mut entry = self.record.entry(&self.tenant, &name);
            let mut journal = self.record.journal(&self.tenant, &self.host, &name);
            let settled = self.renewal.settle(&mut entry, &mut journal);
            let retired =
                settled.and_then(|()| self.renewal.retire(&mut entry, now_ms, &mut journal));
            unfinished.extend(retired.err().map(|error| (name, error)));
        }
        unfinished
    }

    /// Generates the key of one line and delivers it. An interrupted run is finished first.
    pub fn generate(
        &mut self,
        name: &str,
        new: &NewKey,
        sink: &Sink,
        now_ms: u64,
    ) -> Result<KeyId, RenewError> {
        let mut entry = self.record.entry(&self.tenant, name);
        // A key that is gone from the tenant need not be retired.
        entry.id = None;
        let mut journal = self.record.journal(&self.tenant, &self.host, name);
        let delivery = KeyDelivery { sink, grace_ms: 0, now_ms };
        let id = self.renewal.run(&mut entry, new, &delivery, &mut journal)?;
        // Keys of interrupted runs that somebody may have received.
        self.renewal.retire(&mut entry, now_ms, &mut journal)?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_api::api_keys::SecurityLevel;
    use cortexkey_core::auth::{Key, Signer};
    use cortexkey_manifest::lock::{LockedKey, LockedTenant, PendingKey};

    use super::*;
    use crate::transport::ClientOptions;

    fn record(id: u64, comment: &str) -> ApiKeyRecord {
        ApiKeyRecord {
            id,
            creation_time: None,
            created_by: None,
            user_name: None,
            roles: vec!["Viewer".to_owned()],
            security_level: SecurityLevel::Advanced,
            comment: Some(comment.to_owned()),
            expiration: Some(9),
        }
    }

    #[test]
    fn no_line_gets_a_second_key() {
        let key = Key::new(b"k7k7k7k7k7k7k7k7k7k7k7k7k7k7k7k7").unwrap();
        let signer = Signer::new(KeyId::new(1).unwrap(), Level::Advanced, key);
        let address = "https://api-acme.xdr.us.paloaltonetworks.com".parse().unwrap();
        let client = Client::new(address, signer, ClientOptions::default());
        let defaults = Defaults {
            roles: vec!["Viewer".to_owned()],
            level: Some(Level::Advanced),
            end: Some(KeyEnd::After(1)),
            comment: Some("{name}".to_owned()),
        };
        let names = ["new", "here", "gone", "taken", "pending", "other", "doubtful"];
        let text = format!("name,owner\n{},t\n", names.join(",t\n"));
        let lines = read_csv(&text, &defaults).unwrap();
        let entry = |id| LockedKey { id: KeyId::new(id), ..LockedKey::default() };
        let pending = PendingKey {
            expires_ms: 9,
            request_digest: String::new(),
            by: KeyId::new(1).unwrap(),
            besides: Vec::new(),
            id: None,
            delivering: false,
        };
        let pending = LockedKey { pending: Some(pending), ..LockedKey::default() };
        let keys = [
            ("here", entry(3)),
            ("gone", entry(4)),
            ("pending", pending),
            ("other", entry(6)),
            (
                "doubtful",
                LockedKey { doubtful: vec![KeyId::new(8).unwrap()], ..LockedKey::default() },
            ),
        ];
        let keys = keys.map(|(name, entry)| (name.to_owned(), entry)).into();
        let host = client.address().host().to_owned();
        let tenants = [(host.clone(), LockedTenant { host, keys })].into();
        let lock = Lock { tenants };
        let mut list = KeyList {
            keys: vec![
                record(3, "here"),
                record(5, " taken "),
                record(6, "edited"),
                record(8, "doubtful"),
            ],
            ..KeyList::default()
        };
        let states = |list: &KeyList, recreate| {
            let planned = plan(&lines, &client, &lock, list, recreate);
            planned.into_iter().map(|planned| planned.state).collect::<Vec<_>>()
        };
        let in_place = |id, differs| LineState::InPlace { id, differs };
        let mut expected = vec![
            LineState::Generate,
            in_place(3, vec![]),
            LineState::Gone { id: 4 },
            LineState::Taken { id: 5 },
            LineState::Finish,
            in_place(6, vec!["comment"]),
            LineState::Generate,
        ];
        assert_eq!(states(&list, false), expected);
        expected[2] = LineState::Generate;
        assert_eq!(states(&list, true), expected);
        // A truncated list proves nothing.
        list.missing = 1;
        let cut = states(&list, true);
        assert_eq!((&cut[0], &cut[2]), (&LineState::Unclear, &LineState::Unclear));
        assert_eq!(cut[1], expected[1]);
    }
}

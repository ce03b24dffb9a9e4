//! [`NoticeJournal`]: records on disk, before each step, what each target has received and what is queued
//! for it.
//!
//! A notice is queued for a target before anything is sent, noted as begun before it is sent, and
//! noted as sent once the target has it. The file is always replaced as a whole, and only one run
//! holds it. A sent notice is forgotten only when a complete list of the tenant's keys no longer
//! contains the key. A truncated list must not cause every notice to be sent again.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_core::lifecycle::Expiry;
use cortexkey_system::{Links, WriteOptions, replace};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::message::{NOTICES_MAX, NoticeMessage};
use super::notice::{Due, Thresholds, due};
use super::observation::{Observation, ObservedTenant};
use super::send::Sender;
use crate::lifecycle::{LockFileError, hold_folder};
use crate::settings::NoticeTarget;

const VERSION: u32 = 1;
const STATE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The largest number of messages in one target's queue. Further notices are queued once some of
/// these are sent.
const QUEUE_MAX: usize = 500;

/// What each target has received.
pub struct NoticeJournal {
    path: PathBuf,
    state: State,
    _held: Option<File>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct State {
    version: u32,
    /// By the tenant's display name.
    #[serde(default)]
    tenants: BTreeMap<String, TenantState>,
    /// By the target's name.
    #[serde(default)]
    targets: BTreeMap<String, DeliveryLog>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TenantState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_success_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_since_ms: Option<u64>,
}

/// What a target has received, and what is queued for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryLog {
    /// Ids of the notices that were sent.
    #[serde(default, rename = "told")]
    sent: BTreeSet<String>,
    /// Messages, the oldest first.
    #[serde(default)]
    queue: Vec<NoticeMessage>,
}

/// Why the journal cannot be used. Nothing is sent without it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Its folder cannot be created, or it cannot be read.
    #[error("the state file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// It cannot be written.
    #[error(
        "the state file {} cannot be written, so sending stopped; the next run that can write it \
         sends what is due",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// Another run holds it.
    #[error("another run uses the state file {}\nhelp: wait for it to finish", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged, or another version wrote it.
    #[error(
        "the state file {} {}\nhelp: restore it, or move it away to start again; then every due notice \
         is sent again",
        path.display(),
        damage(*line)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 if the version differs.
        line: usize,
    },
}

fn damage(line: usize) -> String {
    match line {
        0 => "is of another version of cortexkey".to_owned(),
        line => format!("is damaged or of another version (line {line})"),
    }
}

/// The delivery of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeDelivery {
    /// The target.
    pub target: String,
    /// The message's id.
    pub message: String,
    /// How many notices it has.
    pub notices: usize,
    /// The result.
    pub outcome: DeliveryOutcome,
}

/// The result of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The target has it.
    Sent,
    /// The target does not have it. It is sent again by the next run.
    Failed(String),
    /// It is unknown whether the target has it. It is sent again, marked as a possible repeat.
    Doubtful(String),
}

impl DeliveryOutcome {
    /// The stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed(_) => "failed",
            Self::Doubtful(_) => "doubtful",
        }
    }

    /// Why it was not sent.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Sent => None,
            Self::Failed(reason) | Self::Doubtful(reason) => Some(reason),
        }
    }
}

impl fmt::Display for DeliveryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

impl Default for State {
    fn default() -> Self {
        Self { version: VERSION, tenants: BTreeMap::new(), targets: BTreeMap::new() }
    }
}

impl NoticeJournal {
    /// Reads the state and holds it. Its folder is created.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |error| JournalError::Read { path: path.to_owned(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let held = hold_folder(path).map_err(|error| match error {
            LockFileError::Held { path } => JournalError::Held { path },
            LockFileError::Read { error, .. } => failed(error),
            other => failed(io::Error::other(other.to_string())),
        })?;
        Ok(Self { state: read(path)?, path: path.to_owned(), _held: held })
    }

    /// Reads the state without holding it. It cannot be written.
    pub fn peek(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { state: read(path)?, path: PathBuf::new(), _held: None })
    }

    /// Records observations, and queues what is due for each target. Returns the due notices that at least
    /// one target has not received. If no target takes a tenant's notices, returns all of them.
    pub fn take(
        &mut self,
        observations: &[Observation],
        targets: &[NoticeTarget],
        thresholds: &Thresholds,
        now_ms: u64,
    ) -> Vec<Due> {
        let mut new = Vec::new();
        for observation in observations {
            let since = self.note(observation, now_ms);
            let dues = due(observation, thresholds, since, now_ms);
            let takers: Vec<_> =
                targets.iter().filter(|of| of.takes(&observation.tenant)).collect();
            if takers.is_empty() {
                new.extend(dues);
                continue;
            }
            let mut open = BTreeSet::new();
            for target in takers {
                open.extend(
                    self.state
                        .targets
                        .entry(target.name.clone())
                        .or_default()
                        .queue(&target.name, &dues),
                );
            }
            new.extend(dues.into_iter().filter(|due| open.contains(&due.notice.id)));
        }
        new
    }

    /// Records an observation. Returns when the tenant's outage began; now if it can be queried.
    fn note(&mut self, observation: &Observation, now_ms: u64) -> u64 {
        let tenant = self.state.tenants.entry(observation.tenant.clone()).or_default();
        match &observation.seen {
            Ok(observed) => {
                *tenant = TenantState { last_success_ms: Some(now_ms), failing_since_ms: None };
                if observed.is_complete() {
                    for log in self.state.targets.values_mut() {
                        log.forget(observation, observed);
                    }
                }
                now_ms
            }
            Err(_) => *tenant.failing_since_ms.get_or_insert(now_ms),
        }
    }

    /// When a tenant last answered, in milliseconds since 1970.
    pub fn last_success_ms(&self, tenant: &str) -> Option<u64> {
        self.state.tenants.get(tenant)?.last_success_ms
    }

    /// The number of queued notices by target, including targets that are no longer configured.
    pub fn waiting(&self) -> impl Iterator<Item = (&str, usize)> {
        self.state.targets.iter().map(|(name, log)| {
            (name.as_str(), log.queue.iter().map(|message| message.notices.len()).sum())
        })
    }

    /// Writes the state.
    pub fn save(&self) -> Result<(), JournalError> {
        let failed = |error| JournalError::Write { path: self.path.clone(), error };
        let mut text =
            serde_json::to_vec_pretty(&self.state).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let how = WriteOptions::new(Links::Replace).private().durable();
        replace(&self.path, &text, how).map_err(|error| failed(error.into()))
    }
}

impl DeliveryLog {
    /// Queues what the target has not received. Returns the ids of notices that are queued for it,
    /// or were until now.
    fn queue(&mut self, target: &str, dues: &[Due]) -> BTreeSet<String> {
        let waiting: BTreeSet<&String> = self.ids().collect();
        let is_open = |due: &&Due| !self.sent.contains(&due.notice.id);
        let open: Vec<Due> = dues.iter().filter(is_open).cloned().collect();
        let is_new = |due: &&Due| !waiting.contains(&due.notice.id);
        let new: Vec<Due> = open.iter().filter(is_new).cloned().collect();
        for message in self.queue.iter_mut().filter(|message| !message.tried) {
            // Notices that became obsolete while the target was down are dropped.
            message
                .notices
                .retain(|notice| !new.iter().any(|due| due.supersedes.contains(&notice.id)));
        }
        self.queue.retain(|message| !message.notices.is_empty());
        for dues in new.chunks(NOTICES_MAX) {
            if self.queue.len() < QUEUE_MAX {
                self.queue.push(NoticeMessage::new(target, dues));
            }
        }
        open.into_iter().map(|due| due.notice.id).collect()
    }

    fn ids(&self) -> impl Iterator<Item = &String> {
        self.queue.iter().flat_map(|message| &message.notices).map(|notice| &notice.id)
    }

    fn confirm(&mut self, at: usize) {
        let message = self.queue.remove(at);
        self.sent.extend(message.notices.into_iter().map(|notice| notice.id));
        self.sent.extend(message.supersedes);
    }

    /// Forgets sent notices about keys that the tenant no longer has, and about outages that are
    /// over.
    fn forget(&mut self, observation: &Observation, observed: &ObservedTenant) {
        let keys_of = format!("{}/", observation.place);
        let outages_of = observation.outages();
        let keys: BTreeSet<String> = observed
            .keys
            .iter()
            .filter_map(|key| match key.record.expiry {
                Expiry::Never => None,
                Expiry::At { ms } => Some(format!("{}/{ms}", key.record.key_id)),
            })
            .collect();
        self.sent.retain(|id| match id.strip_prefix(&keys_of) {
            Some(rest) => rest.rsplit_once('/').is_some_and(|(key, _)| keys.contains(key)),
            None => !id.starts_with(&outages_of),
        });
    }
}

impl NoticeTarget {
    /// Whether notices of a tenant go to the target.
    pub fn takes(&self, tenant: &str) -> bool {
        // A child's name begins with its parent's name.
        let profile = tenant.split('@').next().unwrap_or(tenant);
        self.profiles.is_empty() || self.profiles.iter().any(|name| name == profile)
    }
}

/// Sends what is queued for these targets. A failure of one does not affect the others.
pub fn deliver(
    journal: &mut NoticeJournal,
    targets: &[NoticeTarget],
    sender: &Sender<'_>,
    now_ms: u64,
) -> Result<Vec<NoticeDelivery>, JournalError> {
    let mut deliveries = Vec::new();
    for target in targets {
        let mut at = 0;
        while let Some(log) = journal.state.targets.get_mut(&target.name)
            && let Some(queued) = log.queue.get_mut(at)
        {
            let message = queued.clone();
            if !queued.tried {
                queued.tried = true;
                journal.save()?;
            }
            let sent = sender.send(target, &message, now_ms);
            let Some(log) = journal.state.targets.get_mut(&target.name) else { break };
            let (outcome, goes_on) = match sent {
                Ok(()) => {
                    log.confirm(at);
                    (DeliveryOutcome::Sent, true)
                }
                Err(error) if error.may_have_arrived() => {
                    (DeliveryOutcome::Doubtful(error.to_string()), false)
                }
                Err(error) => {
                    log.queue[at].tried = message.tried;
                    at += 1;
                    (DeliveryOutcome::Failed(error.to_string()), error.is_about_message())
                }
            };
            journal.save()?;
            deliveries.push(NoticeDelivery {
                target: target.name.clone(),
                message: message.id,
                notices: message.notices.len(),
                outcome,
            });
            if !goes_on {
                break;
            }
        }
    }
    Ok(deliveries)
}

fn read(path: &Path) -> Result<State, JournalError> {
    let failed = |error| JournalError::Read { path: path.to_owned(), error };
    let bytes = match cortexkey_system::read(path, STATE_BYTES_MAX) {
        Err(error) if error.is_missing() => return Ok(State::default()),
        bytes => bytes.map_err(|error| failed(error.into()))?,
    };
    let damaged = |line| JournalError::Damaged { path: path.to_owned(), line };
    let state: State =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.line().max(1)))?;
    if state.version == VERSION { Ok(state) } else { Err(damaged(0)) }
}

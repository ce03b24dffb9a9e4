//! [`Renewal`]: replaces a key with a new one, or generates a first one, step by step.
//!
//! The steps: generate, scope, read back, ping, deliver, record, and delete the replaced key after
//! a grace period. The lock file announces each irreversible step in advance, so that the next run
//! can finish an interrupted one.
//!
//! A key that may have been delivered is not deleted before a newer one is delivered, and an
//! undelivered key is not kept. Only `generate`, the scope and `delete` change the tenant: a new
//! key needs no edit.

mod error;

use cortexkey_api::Secret;
use cortexkey_api::api_keys::{ApiKeyRecord, Filter, GenerateRequest};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_manifest::lock::{LockedKey, PendingKey, Retiring};

use super::lock_file::RenewalJournal;
use crate::resources::{
    Confidence, KeyList, NewKey, ObservedScope, confidence, is_system, pending, shows_user,
};
use crate::sink::{KeyInfo, Prepared, Sink};
use crate::transport::Client;

pub use error::{RenewError, Stage};

/// How far an expiry may differ from the requested one: some tenants store seconds.
const EXPIRY_TOLERANCE_MS: u64 = 1000;

/// A step of a renewal, for progress output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewalStep {
    /// An undelivered key from an interrupted run was deleted.
    LeftoverDeleted(KeyId),
    /// A key may be one that an interrupted run generated, or belong to another user. It is kept.
    Unclear(KeyId),
    /// An earlier rotation of this key, whose new key is to be replaced now, is unfinished.
    Unfinished(KeyId),
    /// A key that could not be put in place was deleted again.
    DeletedAgain(KeyId),
    /// The key was generated. It has no scope yet.
    Generated(KeyId),
    /// Its scope is in place.
    Scoped(KeyId),
    /// It matches the request, and the tenant accepts it.
    Checked(KeyId),
    /// It was delivered, and the lock file records that.
    Delivered(KeyId),
    /// It is in place, and the attempt is complete.
    InPlace(KeyId),
    /// A replaced key was deleted.
    Deleted(KeyId),
}

/// A generated key that is not delivered yet.
struct UnstoredKey {
    id: KeyId,
    key: Secret,
    expires_ms: u64,
}

/// Puts new keys in place.
pub struct Renewal<'a> {
    /// Calls the tenant.
    pub client: &'a Client,
    /// Receives each step as it happens.
    pub on_step: &'a dyn Fn(RenewalStep),
}

/// How a new key takes its place.
#[derive(Clone, Copy, Debug)]
pub struct KeyDelivery<'a> {
    /// The sink of the key.
    pub sink: &'a Sink,
    /// The grace period of the replaced key, in milliseconds.
    pub grace_ms: u64,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
}

impl Renewal<'_> {
    /// Puts a new key in place. The replaced key stays for a grace period, after which
    /// [`retire`](Self::retire) deletes it.
    ///
    /// An interrupted run is finished first.
    pub fn run(
        &self,
        entry: &mut LockedKey,
        new: &NewKey,
        delivery: &KeyDelivery<'_>,
        journal: &mut dyn RenewalJournal,
    ) -> Result<KeyId, RenewError> {
        let KeyDelivery { sink, grace_ms, now_ms } = *delivery;
        new.check_expiry(now_ms)?;
        self.settle(entry, journal)?;
        let prepared = self.prepare(new, entry, sink)?;
        if new.scope.is_some() {
            self.check_may_scope()?;
        }
        let list = self.client.key_list(&[]).map_err(RenewError::at(Stage::Prepare))?;
        self.client.check_clock().map_err(RenewError::at(Stage::Prepare))?;
        let by = self.client.signer().key_id();
        let pending = pending(new, &list.keys, by, now_ms).map_err(RenewError::no_random)?;
        let expiration = pending.expires_ms;
        let prepared = prepared.expiring(expiration);
        entry.pending = Some(pending);
        save(journal, entry)?;

        let made = match self.generate(new, expiration, entry, &list) {
            Ok(made) => made,
            Err(error) => return Err(self.undo(error, None, entry, journal)),
        };
        let id = made.id;
        if let Err(error) = self.hand_over(&made, new, prepared, entry, journal) {
            if error.may_have_delivered() {
                // The state says so already, and the next run keeps the key.
                return Err(RenewError::MayBeDelivered { id, error: Box::new(error) });
            }
            return Err(self.undo(error, Some(id), entry, journal));
        }
        let old = entry.id.into_iter().chain(entry.doubtful.drain(..));
        // A lock file has whole seconds, rounded up so that no grace period ends early.
        let after_ms = match grace_ms {
            0 => now_ms / 1000 * 1000,
            grace_ms => now_ms.saturating_add(grace_ms),
        };
        entry.retiring.extend(old.map(|id| Retiring { id, after_ms }));
        entry.id = Some(id);
        entry.pending = None;
        save(journal, entry)
            .map_err(|error| RenewError::Delivered { id, error: Box::new(error) })?;
        (self.on_step)(RenewalStep::Delivered(id));
        (self.on_step)(RenewalStep::InPlace(id));
        Ok(id)
    }

    /// Finishes an interrupted run: an undelivered key is deleted, and a key that may have been
    /// delivered stays until a newer one is delivered.
    pub fn settle(
        &self,
        entry: &mut LockedKey,
        journal: &mut dyn RenewalJournal,
    ) -> Result<(), RenewError> {
        let Some(pending) = &entry.pending else { return Ok(()) };
        let found = match pending.id {
            Some(id) => self.recorded(id, pending)?,
            None => self.look_for(pending, entry)?,
        };
        if pending.delivering {
            entry.doubtful.extend(found);
        } else if let Some(id) = found {
            self.client.ensure_deleted(&[id]).map_err(RenewError::at(Stage::Settle))?;
            (self.on_step)(RenewalStep::LeftoverDeleted(id));
        }
        entry.pending = None;
        save(journal, entry)
    }

    /// Deletes replaced keys whose grace period is over, but never the key that signs these calls:
    /// that is left to a run with another key. If one of them belongs to the product, none is
    /// deleted.
    pub fn retire(
        &self,
        entry: &mut LockedKey,
        now_ms: u64,
        journal: &mut dyn RenewalJournal,
    ) -> Result<(), RenewError> {
        let own = self.client.own_key();
        let is_due = |old: &Retiring| old.after_ms <= now_ms && Some(old.id.get()) != own;
        let due: Vec<KeyId> = entry
            .retiring
            .iter()
            .filter(|old| is_due(old) && Some(old.id) != entry.id)
            .map(|old| old.id)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        self.check_replaced(&due)?;
        self.client.check_clock().map_err(RenewError::at(Stage::Retire))?;
        self.client.ensure_deleted(&due).map_err(RenewError::at(Stage::Retire))?;
        entry.retiring.retain(|old| !is_due(old));
        save(journal, entry)?;
        for id in due {
            (self.on_step)(RenewalStep::Deleted(id));
        }
        Ok(())
    }

    /// Checks that no replaced key is one that the product uses itself: an id in a lock file is only
    /// a number. A key whose record cannot be read may be one.
    fn check_replaced(&self, ids: &[KeyId]) -> Result<(), RenewError> {
        let filter = Filter::IdIn(ids.iter().map(|id| id.get()).collect());
        let list = self.client.key_list(&[filter]).map_err(RenewError::at(Stage::Retire))?;
        for id in ids.iter().filter(|id| !list.lacks(id.get())) {
            let record = list.keys.iter().find(|record| record.id == id.get());
            match record.filter(|record| shows_user(record)) {
                None => return Err(RenewError::NotShown(*id)),
                Some(record) if is_system(record) => return Err(RenewError::System(*id)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A key that cannot be scoped is not generated. Reading roles needs the same permission as
    /// scopes.
    fn check_may_scope(&self) -> Result<(), RenewError> {
        match self.client.known_roles() {
            Err(error) if matches!(error.status(), Some(404 | 405)) => Ok(()),
            roles => roles.map(|_| ()).map_err(RenewError::at(Stage::Permission)),
        }
    }

    fn prepare(
        &self,
        new: &NewKey,
        entry: &LockedKey,
        sink: &Sink,
    ) -> Result<Prepared, RenewError> {
        let address = self.client.address();
        // A child's keys have the same names as its siblings' keys, and the same sinks.
        let child = self.client.child().map(|child| format!("@{}", child.as_str()));
        let child = child.unwrap_or_default();
        let info = KeyInfo {
            name: new.name.as_ref().map(|name| name.clone() + &child),
            host: address.host().to_owned(),
            tenant: address.to_string() + &child,
            replaces: entry.id.map(KeyId::get),
            doubtful: entry.doubtful.iter().copied().map(KeyId::get).collect(),
            level: new.level,
            owner: new.owner.clone(),
            expires_ms: None,
        };
        sink.prepare(info).map_err(RenewError::Sink)
    }

    fn generate(
        &self,
        new: &NewKey,
        expiration: u64,
        entry: &LockedKey,
        list: &KeyList,
    ) -> Result<UnstoredKey, RenewError> {
        let request = GenerateRequest {
            roles: new.roles.clone(),
            security_level: new.level.into(),
            expiration: Some(expiration),
            comment: new.comment.clone(),
        };
        let mut attempt = 0;
        let made = loop {
            let error = match self.client.generate_key_once(&request) {
                Ok(made) => break made,
                Err(error) => error,
            };
            // Something on the way may have dropped the response rather than the request.
            if error.status() == Some(429)
                && let Some(pending) = &entry.pending
                && let Some(id) = self.look_for(pending, entry)?
            {
                self.take_back(id)?;
            }
            if !self.client.waits(attempt, &error, false) {
                return Err(RenewError::Call { stage: Stage::Generate, error });
            }
            attempt += 1;
        };
        let id = KeyId::new(made.id).ok_or(RenewError::NotAsRequested { what: "its id is 0" })?;
        // All further steps use this id, deletion included.
        let is_taken = Some(made.id) == self.client.own_key()
            || list.keys.iter().any(|record| record.id == made.id)
            || list.unreadable.iter().any(|record| record.id == Some(made.id))
            || entry.ids().any(|known| known == id)
            || (list.is_short() && self.is_other(id, entry)?);
        if is_taken {
            return Err(RenewError::NotAsRequested { what: "its id is that of another key" });
        }
        (self.on_step)(RenewalStep::Generated(id));
        Ok(UnstoredKey { id, key: made.key, expires_ms: expiration })
    }

    /// Whether a key that a short list may have hidden is not the requested one.
    fn is_other(&self, id: KeyId, entry: &LockedKey) -> Result<bool, RenewError> {
        let record = self.client.find_key(id).map_err(RenewError::at(Stage::ReadBack))?;
        let pending = entry.pending.as_ref();
        Ok(record
            .zip(pending)
            .is_some_and(|(record, pending)| confidence(pending, &record) == Confidence::None))
    }

    /// From an undelivered key to a delivered one.
    fn hand_over(
        &self,
        made: &UnstoredKey,
        new: &NewKey,
        prepared: Prepared,
        entry: &mut LockedKey,
        journal: &mut dyn RenewalJournal,
    ) -> Result<(), RenewError> {
        let id = made.id;
        let at = RenewError::at;
        if let Some(pending) = &mut entry.pending {
            pending.id = Some(id);
        }
        save(journal, entry)?;
        if let Some(scope) = &new.scope {
            self.client.set_scope(id, scope).map_err(at(Stage::Scope))?;
            let read = self.client.scope(id).map_err(at(Stage::ReadBack))?;
            if read.as_ref().map(ObservedScope::from) != Some(ObservedScope::from(scope)) {
                return Err(RenewError::NotAsRequested { what: "the tenant shows another scope" });
            }
            (self.on_step)(RenewalStep::Scoped(id));
        }
        let record = self.client.find_key(id).map_err(at(Stage::ReadBack))?;
        let record =
            record.ok_or(RenewError::NotAsRequested { what: "the tenant does not list it" })?;
        check(&record, new, made.expires_ms)?;
        let key = Key::new(made.key.expose().as_bytes())
            .map_err(|_| RenewError::NotAsRequested { what: "its text is not a valid key" })?;
        let signer = Signer::new(id, new.level, key);
        let address = self.client.address().clone();
        let options = self.client.options().clone();
        Client::new(address, signer, options).accepts_key().map_err(at(Stage::Ping))?;
        (self.on_step)(RenewalStep::Checked(id));
        if let Some(pending) = &mut entry.pending {
            pending.delivering = true;
        }
        save(journal, entry)?;
        prepared.deliver(id, &made.key).map_err(RenewError::Sink)
    }

    /// Undoes a failed attempt: its key was not delivered.
    fn undo(
        &self,
        error: RenewError,
        made: Option<KeyId>,
        entry: &mut LockedKey,
        journal: &mut dyn RenewalJournal,
    ) -> RenewError {
        let left = match made {
            Some(id) => self.take_back_made(id, entry).map(|()| false),
            // The request may also arrive after this check.
            None => self.take_back_lost(&error, entry),
        };
        if let Some(pending) = &mut entry.pending {
            pending.id = made;
            pending.delivering = false;
        }
        if matches!(left, Ok(false)) {
            entry.pending = None;
        }
        let saved = journal.save(entry).map_err(RenewError::Journal);
        match (left, saved) {
            (Ok(false), Ok(())) => error,
            (Ok(true), Ok(())) => RenewError::NotKnown { error: Box::new(error) },
            (Err(later), _) | (_, Err(later)) => {
                RenewError::NotUndone { error: Box::new(error), id: made, later: Box::new(later) }
            }
        }
    }

    fn take_back(&self, id: KeyId) -> Result<(), RenewError> {
        self.client.ensure_deleted(&[id]).map_err(RenewError::at(Stage::Settle))?;
        (self.on_step)(RenewalStep::DeletedAgain(id));
        Ok(())
    }

    /// Deletes a generated key, also if the tenant returned an id under which it does not list the
    /// key.
    fn take_back_made(&self, id: KeyId, entry: &LockedKey) -> Result<(), RenewError> {
        self.take_back(id)?;
        let Some(pending) = &entry.pending else { return Ok(()) };
        let unnamed = PendingKey { id: None, ..pending.clone() };
        match self.look_for(&unnamed, entry)? {
            Some(other) => self.take_back(other),
            None => Ok(()),
        }
    }

    /// Deletes the key of a request whose response did not arrive. True if it is not found and may
    /// still be generated.
    ///
    /// A refusal may come from something on the way that dropped the tenant's response, so the key
    /// is looked for after each response.
    fn take_back_lost(&self, error: &RenewError, entry: &LockedKey) -> Result<bool, RenewError> {
        let (was_answered, may_still_come) = match error {
            RenewError::Call { error, .. } => (error.status().is_some(), !error.had_no_effect()),
            _ => (true, true),
        };
        let is_open = was_answered || may_still_come;
        let Some(pending) = entry.pending.as_ref().filter(|_| is_open) else { return Ok(false) };
        match self.look_for(pending, entry)? {
            Some(id) => self.take_back(id).map(|()| false),
            None => Ok(may_still_come),
        }
    }

    /// The key with the recorded id, if it is the requested one: an id in a lock file is only a
    /// number, and another key with this id stays.
    fn recorded(&self, id: KeyId, pending: &PendingKey) -> Result<Option<KeyId>, RenewError> {
        let record = self.client.find_key(id).map_err(RenewError::at(Stage::Settle))?;
        let Some(record) = record else { return Ok(None) };
        let unnamed = PendingKey { id: None, ..pending.clone() };
        let is_own = Some(id.get()) == self.client.own_key();
        if is_own || confidence(&unnamed, &record) == Confidence::None {
            (self.on_step)(RenewalStep::Unclear(id));
            return Ok(None);
        }
        Ok(Some(id))
    }

    /// The key of an interrupted run whose id did not arrive, if the tenant has it.
    fn look_for(
        &self,
        pending: &PendingKey,
        entry: &LockedKey,
    ) -> Result<Option<KeyId>, RenewError> {
        let all = self.client.all_keys(&[]).map_err(RenewError::at(Stage::Settle))?;
        let is_known = |record: &&ApiKeyRecord| entry.ids().any(|id| id.get() == record.id);
        let like = |wanted: Confidence| {
            let others = all.iter().filter(|record| !is_known(record));
            let like = others.filter(move |record| confidence(pending, record) == wanted);
            like.filter_map(|record| KeyId::new(record.id)).collect::<Vec<_>>()
        };
        match like(Confidence::Certain).as_slice() {
            [id] => return Ok(Some(*id)),
            [] => {}
            // At most one of them is the key, and the other may be in use.
            several => several.iter().for_each(|id| (self.on_step)(RenewalStep::Unclear(*id))),
        }
        for id in like(Confidence::Possible) {
            (self.on_step)(RenewalStep::Unclear(id));
        }
        Ok(None)
    }
}

fn save(journal: &mut dyn RenewalJournal, entry: &LockedKey) -> Result<(), RenewError> {
    journal.save(entry).map_err(RenewError::Journal)
}

/// Whether a key is as requested.
fn check(record: &ApiKeyRecord, new: &NewKey, expiration: u64) -> Result<(), RenewError> {
    let not_as_requested = |what| Err(RenewError::NotAsRequested { what });
    let sorted = |roles: &[String]| {
        let mut roles = roles.to_vec();
        roles.sort();
        roles.dedup();
        roles
    };
    if sorted(&record.roles) != sorted(&new.roles) {
        return not_as_requested("the tenant shows other roles");
    }
    if Level::from(record.security_level) != new.level {
        return not_as_requested("the tenant shows another security level");
    }
    match record.expiration {
        Some(got) if expiration.abs_diff(got) <= EXPIRY_TOLERANCE_MS => Ok(()),
        _ => not_as_requested("the tenant shows another expiration"),
    }
}

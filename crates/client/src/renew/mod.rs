//! [`Renewal`]: a new key in the place of an old one, or in an empty place, step by step.
//!
//! The steps: generate, scope, read back, ping, deliver, record, and after a grace delete what was
//! replaced. Before each step that cannot be taken back, the lock file says that it comes, so that
//! a run that is stopped anywhere is finished by the next one.
//!
//! It refuses to delete a key that somebody may have received before a newer one was delivered, and
//! to keep one that nobody received. It refuses to go on with a key that is not what was asked for.

mod error;
mod mark;

use cortexkey_api::Secret;
use cortexkey_api::api_keys::{ApiKeyRecord, GenerateRequest};
use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_manifest::lock::{LockedKey, Pending, Retiring};

use crate::Client;
use crate::resources::{Seen, level_of, security_level};
use crate::sink::{About, Prepared, Sink};

pub use error::{JournalError, RenewError, Stage};
use mark::Mark;
pub use mark::has_mark;

/// How far an expiry may be from the one that was asked for: some tenants store seconds.
const EXPIRY_TOLERANCE_MS: u64 = 1000;

/// What a new key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The name of its definition, where it has one.
    pub name: Option<String>,
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub level: Level,
    /// Its comment.
    pub comment: Option<String>,
    /// When it dies, in milliseconds since 1970; the product's week where nothing is said.
    pub expiration_ms: Option<u64>,
    /// Its scope; none where nothing is sent for it.
    pub scope: Option<ScopeWrite>,
}

/// Where the state of a renewal is written before each step.
pub trait Journal {
    /// Writes the state. When this returns, it is on the disk.
    fn save(&mut self, entry: &LockedKey) -> Result<(), JournalError>;
}

/// What happened, for somebody who looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A key that an interrupted run had made and that nobody received was deleted.
    Swept(KeyId),
    /// A key that could not be put in place was deleted again.
    TakenBack(KeyId),
    /// There is a new key. Until it is scoped, it has no scope.
    Generated(KeyId),
    /// Its scope is in place.
    Scoped(KeyId),
    /// It is what was asked for, and the tenant takes it.
    Checked(KeyId),
    /// It was handed over, and the lock file says so.
    Delivered(KeyId),
    /// It is in place, and nothing of its making is left.
    InPlace(KeyId),
    /// A key that was replaced is gone.
    Deleted(KeyId),
}

/// A key that the tenant made, and that nobody has yet.
struct Made {
    id: KeyId,
    key: Secret,
}

/// Puts new keys in place.
pub struct Renewal<'a> {
    /// Calls the tenant.
    pub client: &'a Client,
    /// Where new keys go.
    pub sink: &'a Sink,
    /// Is told each step.
    pub told: &'a dyn Fn(Step),
}

impl Renewal<'_> {
    /// Puts a new key in place. What it replaces lives on for a grace, and is then deleted by
    /// [`retire`](Self::retire).
    ///
    /// An interrupted run is finished first; where that one had put its key in place already, no
    /// other is made.
    pub fn run(
        &self,
        entry: &mut LockedKey,
        new: &NewKey,
        grace_ms: u64,
        now_ms: u64,
        journal: &mut dyn Journal,
    ) -> Result<(), RenewError> {
        if self.settle(entry, journal)? {
            return Ok(());
        }
        let prepared = self.prepare(new)?;
        let mark = match &entry.pending {
            // The same mark, so that what an earlier try may still bring about is found as well.
            Some(pending) => Mark::of(&pending.mark),
            None => Mark::new().map_err(RenewError::no_random)?,
        };
        let doubtful = entry.pending.take().map_or_else(Vec::new, |pending| pending.doubtful);
        let mark_text = mark.as_str().to_owned();
        let pending = Pending { mark: mark_text, doubtful, ..Pending::default() };
        entry.pending = Some(pending.clone());
        save(journal, entry)?;

        let made = match self.generate(new, &mark) {
            Ok(made) => made,
            Err(error) => return Err(self.undo(error, None, &mark, entry, journal)),
        };
        let id = made.id;
        if let Err(error) = self.hand_over(&made, new, prepared, entry, journal) {
            return Err(self.undo(error, Some(id), &mark, entry, journal));
        }
        let old = entry.id.into_iter().chain(pending.doubtful.iter().copied());
        let after_ms = now_ms.saturating_add(grace_ms);
        entry.retiring.extend(old.map(|id| Retiring { id, after_ms }));
        entry.id = Some(id.get());
        entry.pending = Some(Pending { mark: pending.mark, in_place: true, ..Pending::default() });
        save(journal, entry)?;
        (self.told)(Step::Delivered(id));
        self.settle(entry, journal)?;
        Ok(())
    }

    /// Finishes what an interrupted run left. True where it had put its key in place.
    pub fn settle(
        &self,
        entry: &mut LockedKey,
        journal: &mut dyn Journal,
    ) -> Result<bool, RenewError> {
        let Some(pending) = entry.pending.clone() else { return Ok(false) };
        let mark = Mark::of(&pending.mark);
        let marked = self.marked(&mark)?;
        let is_own = |record: &&ApiKeyRecord| pending.in_place && Some(record.id) == entry.id;
        // Whatever else has the mark was made by a request that came late, or is in doubt.
        let others = marked.iter().filter(|record| !is_own(record));
        let others = others.filter(|record| !pending.doubtful.contains(&record.id));
        let others: Vec<KeyId> = others.filter_map(|record| KeyId::new(record.id)).collect();
        if pending.delivering {
            // Somebody may have received them: they live until a newer one is delivered.
            let mut doubtful = pending.doubtful;
            doubtful.extend(others.iter().map(|id| id.get()));
            let still = Pending { mark: pending.mark, doubtful, ..Pending::default() };
            entry.pending = (!still.doubtful.is_empty()).then_some(still);
            save(journal, entry)?;
            return Ok(false);
        }
        for id in others {
            self.client.delete_keys(&[id]).map_err(RenewError::at(Stage::Settle))?;
            (self.told)(Step::Swept(id));
        }
        if !pending.in_place && !pending.doubtful.is_empty() {
            return Ok(false);
        }
        if let Some(record) = marked.iter().find(is_own) {
            let comment = record.comment.as_deref().unwrap_or_default();
            let comment = comment.strip_suffix(&mark.to_string()).unwrap_or(comment).trim_end();
            let comment = (!comment.is_empty()).then(|| comment.to_owned());
            self.client.set_comment(record, comment).map_err(RenewError::Unmark)?;
        }
        entry.pending = None;
        save(journal, entry)?;
        if let Some(id) = entry.id.and_then(KeyId::new).filter(|_| pending.in_place) {
            (self.told)(Step::InPlace(id));
        }
        Ok(pending.in_place)
    }

    /// Deletes what was replaced and whose grace is over, but never the key that signs these calls:
    /// it stays for a run with another one.
    pub fn retire(
        &self,
        entry: &mut LockedKey,
        now_ms: u64,
        journal: &mut dyn Journal,
    ) -> Result<(), RenewError> {
        let own = self.client.signer().key_id().get();
        let is_due = |old: &Retiring| old.after_ms <= now_ms && old.id != own;
        let due: Vec<KeyId> = entry
            .retiring
            .iter()
            .filter(|old| is_due(old) && Some(old.id) != entry.id)
            .filter_map(|old| KeyId::new(old.id))
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        // One that is gone already is as well.
        self.client.delete_keys(&due).map_err(RenewError::at(Stage::Retire))?;
        entry.retiring.retain(|old| !is_due(old));
        save(journal, entry)?;
        for id in due {
            (self.told)(Step::Deleted(id));
        }
        Ok(())
    }

    fn prepare(&self, new: &NewKey) -> Result<Prepared, RenewError> {
        let host = self.client.address().host().to_owned();
        let about = About { name: new.name.clone(), host, level: new.level };
        self.sink.prepare(about).map_err(RenewError::Sink)
    }

    fn generate(&self, new: &NewKey, mark: &Mark) -> Result<Made, RenewError> {
        let request = GenerateRequest {
            roles: new.roles.clone(),
            security_level: security_level(new.level),
            expiration: new.expiration_ms,
            comment: Some(mark.on(new.comment.as_deref())),
        };
        let made = self.client.generate_key(&request);
        let made = made.map_err(RenewError::at(Stage::Generate))?;
        let id = KeyId::new(made.id).ok_or(RenewError::NotAsked { what: "its id is 0" })?;
        (self.told)(Step::Generated(id));
        Ok(Made { id, key: made.key })
    }

    /// From a key that nobody has to one that was handed over.
    fn hand_over(
        &self,
        made: &Made,
        new: &NewKey,
        prepared: Prepared,
        entry: &mut LockedKey,
        journal: &mut dyn Journal,
    ) -> Result<(), RenewError> {
        let (id, at) = (made.id, RenewError::at);
        if let Some(scope) = &new.scope {
            self.client.set_scope(id, scope).map_err(at(Stage::Scope))?;
            let read = self.client.scope(id).map_err(at(Stage::ReadBack))?;
            if read.as_ref().map(Seen::from) != Some(Seen::from(scope)) {
                return Err(RenewError::NotAsked { what: "the tenant shows another scope" });
            }
            (self.told)(Step::Scoped(id));
        }
        let record = self.client.find_key(id).map_err(at(Stage::ReadBack))?;
        let record = record.ok_or(RenewError::NotAsked { what: "the tenant does not list it" })?;
        check(&record, new)?;
        let key = Key::new(made.key.expose().as_bytes())
            .map_err(|_| RenewError::NotAsked { what: "its text is no key" })?;
        let signer = Signer::new(id, new.level, key);
        let (address, options) = (self.client.address().clone(), self.client.options().clone());
        Client::new(address, signer, options).ping().map_err(at(Stage::Ping))?;
        (self.told)(Step::Checked(id));
        if let Some(pending) = &mut entry.pending {
            pending.delivering = true;
        }
        save(journal, entry)?;
        prepared.deliver(id, &made.key).map_err(RenewError::Sink)
    }

    /// Takes back what came of a try that failed: nobody has its key. A key whose id arrived is
    /// deleted also where the tenant does not list it yet.
    fn undo(
        &self,
        error: RenewError,
        made: Option<KeyId>,
        mark: &Mark,
        entry: &mut LockedKey,
        journal: &mut dyn Journal,
    ) -> RenewError {
        let doubtful =
            entry.pending.as_ref().map_or_else(Vec::new, |pending| pending.doubtful.clone());
        let take_back = |id: KeyId| -> Result<(), RenewError> {
            self.client.delete_keys(&[id]).map_err(RenewError::at(Stage::Settle))?;
            (self.told)(Step::TakenBack(id));
            Ok(())
        };
        let swept = made.map_or(Ok(()), take_back).and_then(|()| {
            let marked = self.marked(mark)?;
            let others = marked.iter().filter(|record| !doubtful.contains(&record.id));
            let others = others.filter_map(|record| KeyId::new(record.id));
            others.filter(|id| Some(*id) != made).try_for_each(take_back)
        });
        if let Some(pending) = &mut entry.pending {
            pending.delivering = false;
        }
        if swept.is_ok() && doubtful.is_empty() {
            entry.pending = None;
        }
        let saved = journal.save(entry);
        match (swept, saved) {
            (Ok(()), Ok(())) => error,
            (Err(later), _) => {
                RenewError::NotUndone { error: Box::new(error), later: later.to_string() }
            }
            (_, Err(later)) => {
                RenewError::NotUndone { error: Box::new(error), later: later.to_string() }
            }
        }
    }

    fn marked(&self, mark: &Mark) -> Result<Vec<ApiKeyRecord>, RenewError> {
        let all = self.client.all_keys(&[]).map_err(RenewError::at(Stage::Settle))?;
        Ok(all.into_iter().filter(|record| mark.is_on(record)).collect())
    }
}

fn save(journal: &mut dyn Journal, entry: &LockedKey) -> Result<(), RenewError> {
    journal.save(entry).map_err(RenewError::Journal)
}

/// Whether a key is what was asked for.
fn check(record: &ApiKeyRecord, new: &NewKey) -> Result<(), RenewError> {
    let not_asked = |what| Err(RenewError::NotAsked { what });
    let sorted = |roles: &[String]| {
        let mut roles = roles.to_vec();
        roles.sort();
        roles.dedup();
        roles
    };
    if sorted(&record.roles) != sorted(&new.roles) {
        return not_asked("the tenant shows other roles");
    }
    if level_of(record.security_level) != new.level {
        return not_asked("the tenant shows another security level");
    }
    match (new.expiration_ms, record.expiration) {
        (Some(asked), Some(got)) if asked.abs_diff(got) <= EXPIRY_TOLERANCE_MS => Ok(()),
        (Some(_), _) => not_asked("the tenant shows another expiration"),
        (None, _) => Ok(()),
    }
}

//! [`Rotation`]: replaces a key with a new one, and deletes the old key after a grace period.
//!
//! A second rotation of a key cannot start while one is under way. What the tenant does not return
//! of the old key's scope is not guessed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::{AreaMode, ScopeRead, ScopeWrite};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::KeyRecord;
use cortexkey_manifest::lock::{LockedKey, Retiring};
use thiserror::Error;

use super::lock_file::{LockFile, LockFileError};
use super::renewal::{KeyDelivery, RenewError, Renewal, RenewalStep};
use super::state::{KEY_PREFIX, StateError, StatePlaces, tenant_of};
use crate::plan::locked_host;
use crate::resources::{NewKey, ObservedScope, is_system, write_of};
use crate::transport::{CallError, ChildTenant, Client};

/// How long to wait for another run that holds the lock file after a grace period: ten minutes.
const HOLD_TRIES: u32 = 600;
const HOLD_AGAIN: Duration = Duration::from_secs(1);

/// One key's rotation. It holds the file with its state.
///
/// ```no_run
/// # use cortexkey_client::{
/// #     Client, KeyDelivery, Renewal, ReplacementOptions, RotateError, Rotation, Sink, StatePlaces,
/// # };
/// # fn rotate(client: &Client, sink: &Sink, places: &StatePlaces) -> Result<(), RotateError> {
/// let renewal = Renewal { client, on_step: &|step| eprintln!("{step:?}") };
/// let mut rotation = Rotation::open(renewal, "7", places)?;
/// rotation.settle()?;
/// # let now_ms = 0;
/// if !rotation.is_under_way() {
///     let replacement = rotation.replacement(&ReplacementOptions::default(), now_ms)?;
///     // Show it, and ask for confirmation.
///     rotation.replace(&replacement.new, &KeyDelivery { sink, grace_ms: 3_600_000, now_ms })?;
/// }
/// rotation.retire(now_ms)?;
/// println!("the new key is {:?}", rotation.close()?.id);
/// # Ok(())
/// # }
/// ```
pub struct Rotation<'a> {
    renewal: Renewal<'a>,
    place: StatePlace,
    entry: LockedKey,
}

/// Where the state of the rotation is stored.
struct StatePlace {
    file: LockFile,
    tenant: String,
    name: String,
    /// Whether the key has a definition; otherwise the state is removed after the rotation.
    is_defined: bool,
}

/// How a new key differs from the replaced one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplacementOptions {
    /// When it expires, in milliseconds since 1970. Takes precedence over the lifetime.
    pub expires_ms: Option<u64>,
    /// Its lifetime; by default, the old key's original lifetime.
    pub lifetime_ms: Option<u64>,
    /// Whether the old key sees cases and issues that reference no known object, which the tenant
    /// does not return.
    pub unreferenced: Option<bool>,
}

/// What a rotation will create.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Replacement {
    /// The new key.
    pub new: NewKey,
    /// The old key.
    pub old: KeyRecord,
    /// Whether the old key signs these calls, so that the user's settings need the new one.
    pub is_own: bool,
    /// Whether the old key's scope could not be read because a permission is missing. The new key
    /// then gets no scope.
    pub scope_unknown: bool,
}

/// The state after a rotation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotated {
    /// The key in place.
    pub id: Option<KeyId>,
    /// Replaced keys that are not deleted yet.
    pub retiring: Vec<Retiring>,
    /// Keys that an interrupted run may have delivered.
    pub doubtful: Vec<KeyId>,
}

/// Why a rotation stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] LockFileError),
    /// The state of a key without a definition cannot be stored.
    #[error(transparent)]
    State(#[from] StateError),
    /// The lock file does not have this name.
    #[error("{} has no key of this name at {host}", path.display())]
    NotInLockFile {
        /// The lock file.
        path: PathBuf,
        /// The tenant's host.
        host: String,
    },
    /// It is not an id, and there is no lock file that could contain the name.
    #[error("the key is not named by its id, and there is no lock file to look up its name")]
    NotAnId,
    /// The lock file has no key id for the name yet.
    #[error("the lock file has no key id for this name yet")]
    NoKeyYet,
    /// The tenant does not have the key.
    #[error("{tenant} has no key {id}")]
    NoSuchKey {
        /// The tenant's address.
        tenant: String,
        /// The key's id.
        id: KeyId,
    },
    /// The tenant shows none of the key's roles, so a new key would have none.
    #[error("the tenant shows no roles of key {0}, so a new key would have none")]
    NoRoles(KeyId),
    /// The product manages this key itself.
    #[error("the product manages key {0} itself")]
    System(KeyId),
    /// The old key's scope has a flag that the tenant does not return.
    #[error(
        "the tenant does not report whether the old key sees cases and issues that reference no \
         known object"
    )]
    UnreferencedUnknown,
    /// The old key never expires, and no lifetime was given.
    #[error("the old key never expires, and the product's API cannot generate such keys")]
    NeverExpires,
    /// The tenant does not show when the old key was generated, and no lifetime was given.
    #[error("the tenant does not show when the old key was generated, and so not its lifetime")]
    LifetimeUnknown,
    /// Another run holds the lock file after the grace period.
    #[error("the old key is not deleted yet, because another run holds {}", .0.display())]
    StillHeld(PathBuf),
    /// A call failed before anything was changed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The new key is not in place, or the old one is not deleted.
    #[error(transparent)]
    Renew(#[from] RenewError),
}

impl<'a> Rotation<'a> {
    /// Finds a key by its id, or by the name of its definition, and locks its state.
    pub fn open(
        renewal: Renewal<'a>,
        key: &str,
        places: &StatePlaces,
    ) -> Result<Self, RotateError> {
        let id: Option<KeyId> = key.parse().ok();
        let place = match &places.lock_file {
            Some(path) => StatePlace::in_lock_file(renewal.client, key, id, path)?,
            None => None,
        };
        let place = match (place, id) {
            (Some(place), _) => place,
            (None, Some(id)) => StatePlace::of_id(renewal.client, id, places)?,
            (None, None) => return Err(RotateError::NotAnId),
        };
        let mut entry = place.entry();
        if !place.is_defined && entry == LockedKey::default() {
            entry.id = id;
            // The key that this one replaced may still work.
            for replaced in id.iter().flat_map(|id| places.unfinished(renewal.client, *id)) {
                (renewal.on_step)(RenewalStep::Unfinished(replaced));
            }
        }
        Ok(Self { renewal, place, entry })
    }

    /// Whether an earlier rotation is unfinished: its old key is not deleted yet.
    pub fn is_under_way(&self) -> bool {
        !self.entry.retiring.is_empty()
    }

    /// Finishes an interrupted run.
    pub fn settle(&mut self) -> Result<(), RotateError> {
        let mut journal = self.place.journal(self.renewal.client);
        Ok(self.renewal.settle(&mut self.entry, &mut journal)?)
    }

    /// The new key's properties: the roles, level, comment and scope of the old key.
    pub fn replacement(
        &self,
        options: &ReplacementOptions,
        now_ms: u64,
    ) -> Result<Replacement, RotateError> {
        let client = self.renewal.client;
        let id = self.entry.id.ok_or(RotateError::NoKeyYet)?;
        let record = client.find_key(id)?;
        let Some((record, old)) = record.and_then(|record| record.row().map(|row| (record, row)))
        else {
            return Err(RotateError::NoSuchKey { tenant: client.address().to_string(), id });
        };
        if is_system(&record) {
            return Err(RotateError::System(id));
        }
        if old.roles.is_empty() {
            return Err(RotateError::NoRoles(id));
        }
        let (scope, scope_unknown) = match client.scope(id) {
            Err(error) if error.status() == Some(403) => (None, true),
            scope => (self.copied_scope(options, scope?)?, false),
        };
        let new = NewKey {
            name: Some(self.place.name.clone()),
            roles: old.roles.clone(),
            level: old.level,
            expiration_ms: Some(expiration_ms(options, &record, now_ms)?),
            comment: record.comment,
            // A secret store keeps the owner that it contains.
            owner: None,
            scope,
        };
        let is_own = Some(id.get()) == client.own_key();
        Ok(Replacement { new, old, is_own, scope_unknown })
    }

    /// Puts the new key in the old one's place; the old key stays for the grace period.
    pub fn replace(&mut self, new: &NewKey, delivery: &KeyDelivery<'_>) -> Result<(), RotateError> {
        let mut journal = self.place.journal(self.renewal.client);
        let replaced = self.renewal.run(&mut self.entry, new, delivery, &mut journal);
        // An attempt that was undone leaves no state.
        if replaced.is_err() && !matches!(replaced, Err(RenewError::Delivered { .. })) {
            self.forget()?;
        }
        Ok(replaced.map(|_| ())?)
    }

    /// Waits until the grace period is over. Other runs may use the lock file meanwhile.
    pub fn wait(self, now_ms: u64, on_wait: impl FnOnce(Duration)) -> Result<Self, RotateError> {
        let Self { renewal, place, entry } = self;
        let StatePlace { file, tenant, name, is_defined } = place;
        let path = file.path().to_owned();
        drop(file);
        let due_ms = entry.retiring.iter().map(|old| old.after_ms).max().unwrap_or(0);
        // The lock file has whole seconds.
        let left_ms = due_ms.div_ceil(1000).saturating_mul(1000).saturating_sub(now_ms);
        if left_ms > 0 {
            let left = Duration::from_millis(left_ms);
            on_wait(left);
            std::thread::sleep(left);
        }
        for _ in 0..HOLD_TRIES {
            match LockFile::hold(&path) {
                Err(LockFileError::Held { .. }) => std::thread::sleep(HOLD_AGAIN),
                Err(error) => return Err(error.into()),
                Ok(file) => {
                    let place = StatePlace { file, tenant, name, is_defined };
                    let mut now = place.entry();
                    // If another run finished it meanwhile, no state is left.
                    now.id = now.id.or(entry.id);
                    return Ok(Self { renewal, place, entry: now });
                }
            }
        }
        Err(RotateError::StillHeld(path))
    }

    /// Deletes replaced keys whose grace period is over at this time.
    pub fn retire(&mut self, now_ms: u64) -> Result<(), RotateError> {
        let mut journal = self.place.journal(self.renewal.client);
        Ok(self.renewal.retire(&mut self.entry, now_ms, &mut journal)?)
    }

    /// Releases the lock file, and removes the state of a key without a definition if nothing is
    /// left to do.
    pub fn close(mut self) -> Result<Rotated, RotateError> {
        self.forget()?;
        let LockedKey { id, retiring, doubtful, .. } = self.entry;
        Ok(Rotated { id, retiring, doubtful })
    }

    /// A key without a definition has state only while something is under way.
    fn forget(&mut self) -> Result<(), LockFileError> {
        let entry = &self.entry;
        let is_done =
            entry.retiring.is_empty() && entry.pending.is_none() && entry.doubtful.is_empty();
        if self.place.is_defined || !is_done {
            return Ok(());
        }
        let host = locked_host(self.renewal.client.address());
        self.place.file.set(&self.place.tenant, &host, &self.place.name, None)
    }

    /// The scope of the old key in the form that is written; `None` if it has none.
    fn copied_scope(
        &self,
        options: &ReplacementOptions,
        read: Option<ScopeRead>,
    ) -> Result<Option<ScopeWrite>, RotateError> {
        let Some(scope) = read.filter(|scope| !ObservedScope::from(scope).is_nothing()) else {
            return Ok(None);
        };
        if scope.cases_issues.mode == AreaMode::None {
            return Ok(Some(write_of(&scope, false)));
        }
        let known = options.unreferenced.or(self.entry.unreferenced);
        let unreferenced = known.ok_or(RotateError::UnreferencedUnknown)?;
        Ok(Some(write_of(&scope, unreferenced)))
    }
}

impl StatePlace {
    /// A key in the lock file, found by its name, its id, or the id of a key that it replaced.
    fn in_lock_file(
        client: &Client,
        key: &str,
        id: Option<KeyId>,
        path: &Path,
    ) -> Result<Option<Self>, RotateError> {
        let host = locked_host(client.address());
        let child = client.child().map(ChildTenant::as_str);
        let file = LockFile::hold(path)?;
        let found = file.lock().keys().find(|(tenant, name, locked)| {
            let is_here =
                file.lock().tenants[*tenant].host == host && LockFile::child_of(tenant) == child;
            let was = |id: KeyId| locked.retiring.iter().any(|old| old.id == id);
            let has = |id: KeyId| locked.id == Some(id) || was(id);
            is_here && (*name == key || id.is_some_and(has))
        });
        if let Some((tenant, name, _)) = found {
            let tenant = tenant.to_owned();
            let name = name.to_owned();
            return Ok(Some(Self { file, tenant, name, is_defined: true }));
        }
        if id.is_some() {
            return Ok(None);
        }
        Err(RotateError::NotInLockFile { path: path.to_owned(), host })
    }

    /// A key without a definition.
    fn of_id(client: &Client, id: KeyId, places: &StatePlaces) -> Result<Self, StateError> {
        let name = format!("{KEY_PREFIX}{id}");
        let file = places.hold(client, &name)?;
        Ok(Self { file, tenant: tenant_of(client), name, is_defined: false })
    }

    fn entry(&self) -> LockedKey {
        self.file.entry(&self.tenant, &self.name)
    }

    fn journal<'p>(&'p mut self, client: &'p Client) -> super::lock_file::LockFileEntry<'p> {
        self.file.journal(&self.tenant, locked_host(client.address()), &self.name)
    }
}

fn expiration_ms(
    options: &ReplacementOptions,
    old: &ApiKeyRecord,
    now_ms: u64,
) -> Result<u64, RotateError> {
    if let Some(ms) = options.expires_ms {
        return Ok(ms);
    }
    let lifetime = match (options.lifetime_ms, old.expiration, old.creation_time) {
        (Some(lifetime), ..) => lifetime,
        (None, None, _) => return Err(RotateError::NeverExpires),
        (None, Some(_), None) => return Err(RotateError::LifetimeUnknown),
        (None, Some(expiration), Some(made)) => expiration.saturating_sub(made),
    };
    Ok(now_ms.saturating_add(lifetime))
}

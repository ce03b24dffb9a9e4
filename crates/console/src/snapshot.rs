//! The last [`Snapshot`] of the tenant's keys, for all pages.
//!
//! Filters and sorting work on it and never call the tenant. If the tenant cannot be read, the last
//! snapshot stays in place and shows its age.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{ComparedDefinitions, Scopes};
pub(crate) use cortexkey_fleet::{Row, Snapshot};
use cortexkey_system::chain;

use crate::options::Options;

/// The largest age of a snapshot when a page of a real tenant is opened: reading takes one call per
/// hundred keys.
const AGE_MAX: Duration = Duration::from_secs(60);
/// The same for the emulator, which says itself when its keys change; files do not.
const EMULATOR_AGE_MAX: Duration = Duration::from_secs(1);

/// How recent a snapshot must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The last one: for filters, sorting and parts of pages.
    Last,
    /// Recent: for a page that is opened.
    Recent,
    /// Read now: after a change, and when the user requests it.
    Now,
}

/// A snapshot, and why there is no newer one.
pub(crate) struct SnapshotView {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Why the tenant could not be read, if it could not.
    pub(crate) fault: Option<String>,
}

#[derive(Default)]
struct Cached {
    snapshot: Option<(Arc<Snapshot>, Stamp)>,
    fault: Option<String>,
}

/// When a snapshot was taken.
#[derive(Clone, Copy)]
struct Stamp {
    at: Instant,
    /// How often the emulator's keys had changed by then.
    changes: Option<u64>,
}

/// The last snapshot.
#[derive(Default)]
pub(crate) struct Snapshots {
    cached: Mutex<Cached>,
    /// Held while the tenant is read, so that two pages do not read it at once.
    reading: Mutex<()>,
}

impl Snapshots {
    /// A snapshot. If it is read now, `scopes` reads the scopes of its keys: what it returns is not
    /// read again for the definitions.
    pub(crate) fn view(
        &self,
        options: &Options,
        freshness: Freshness,
        scopes: impl FnOnce(&[KeyId]) -> Scopes,
    ) -> SnapshotView {
        if let Some(view) = self.cached(options, freshness) {
            return view;
        }
        let requested_at = Instant::now();
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread that held the lock may have read it meanwhile.
        if let Some((snapshot, stamp)) = &self.lock().snapshot
            && stamp.at > requested_at
        {
            return SnapshotView { snapshot: Arc::clone(snapshot), fault: None };
        }
        let changes = changes(options);
        let source = options.definition_source();
        let client = options.client.as_ref();
        let now_ms = options.now_ms();
        let definitions = |ids: &[KeyId]| {
            Ok(ComparedDefinitions::load(source.as_ref(), Some(client), &scopes(ids), now_ms))
        };
        let read = Snapshot::read_with(client, definitions, now_ms);
        let mut cached = self.lock();
        match read {
            Ok(snapshot) => {
                cached.snapshot = Some((Arc::new(snapshot), Stamp { at: Instant::now(), changes }));
                cached.fault = None;
            }
            Err(error) => cached.fault = Some(chain(&error)),
        }
        snapshot_view(&cached)
    }

    fn cached(&self, options: &Options, freshness: Freshness) -> Option<SnapshotView> {
        let cached = self.lock();
        let (_, stamp) = cached.snapshot.as_ref()?;
        let age_max = if options.emulator().is_some() { EMULATOR_AGE_MAX } else { AGE_MAX };
        let is_young = stamp.at.elapsed() < age_max || options.keys.is_none();
        let is_same = match stamp.changes {
            Some(changes) => self::changes(options) == Some(changes) && is_young,
            None => stamp.at.elapsed() < age_max,
        };
        let is_good = match freshness {
            Freshness::Last => true,
            Freshness::Recent => is_same && cached.fault.is_none(),
            Freshness::Now => false,
        };
        is_good.then(|| snapshot_view(&cached))
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changes(options: &Options) -> Option<u64> {
    options.emulator().map(cortexkey_tenant::Controls::changes)
}

fn snapshot_view(cached: &Cached) -> SnapshotView {
    let snapshot = cached.snapshot.as_ref().map(|(snapshot, _)| Arc::clone(snapshot));
    SnapshotView { snapshot: snapshot.unwrap_or_default(), fault: cached.fault.clone() }
}

/// The scopes that were read last.
#[derive(Clone, Default)]
pub(crate) struct ReadScopes {
    pub(crate) scopes: Arc<Scopes>,
    /// When, in milliseconds since 1970.
    pub(crate) taken_ms: u64,
    /// Why there are no newer ones.
    pub(crate) fault: Option<String>,
}

/// The scopes of all keys, which are one call each.
#[derive(Default)]
pub(crate) struct KeyScopes {
    cached: Mutex<ReadScopes>,
}

impl KeyScopes {
    /// The scopes that were read last.
    pub(crate) fn last(&self) -> ReadScopes {
        self.lock().clone()
    }

    /// Reads the scopes of keys.
    pub(crate) fn read(&self, options: &Options, ids: &[KeyId]) -> ReadScopes {
        // Held while they are read, so that two pages do not read them at once.
        let mut cached = self.lock();
        match Scopes::read(&options.client, ids.iter().copied(), &|| {}) {
            Ok(scopes) => {
                let scopes = Arc::new(scopes);
                let taken_ms = options.now_ms();
                *cached = ReadScopes { scopes, taken_ms, fault: None };
            }
            Err(error) => cached.fault = Some(chain(&error)),
        }
        cached.clone()
    }

    fn lock(&self) -> MutexGuard<'_, ReadScopes> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

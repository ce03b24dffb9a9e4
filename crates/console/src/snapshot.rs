//! The last [`Snapshot`] of the tenant's keys, for all pages.
//!
//! Filters and sorting work on it and never call the tenant. If the tenant cannot be read, the last
//! snapshot stays in place and shows its age.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{ComparedDefinitions, Scopes};
pub(crate) use cortexkey_fleet::{Row, Snapshot};
use cortexkey_system::chain;

use crate::options::Options;

/// The maximum age of a snapshot when a page of a real tenant is opened: reading takes one call per
/// hundred keys.
const AGE_MAX: Duration = Duration::from_secs(60);
/// The maximum age for the emulator, which reports changes of its keys; changed files are not
/// reported.
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
#[derive(Clone)]
pub(crate) struct SnapshotView {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Why the tenant could not be read, if it could not.
    pub(crate) fault: Option<String>,
}

#[derive(Default)]
struct Cached {
    snapshot: Option<(Arc<Snapshot>, Stamp)>,
    fault: Option<String>,
    /// When the last reading began, whether or not it succeeded.
    begun: Option<Instant>,
}

/// When a snapshot was taken.
#[derive(Clone, Copy)]
struct Stamp {
    at: Instant,
    /// The emulator's count of changes at that time.
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
    /// A snapshot. If it is read now, `scopes` reads the scopes of its keys; the definitions are
    /// compared with them, without reading them again.
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
        {
            // A thread that held the lock may have tried meanwhile. One that began before this
            // request may have missed a change.
            let cached = self.lock();
            if cached.begun.is_some_and(|begun| begun > requested_at) {
                return snapshot_view(&cached);
            }
        }
        let begun = Instant::now();
        let changes = changes(options);
        let source = options.definition_source();
        let client = options.client.as_ref();
        let now_ms = options.now_ms();
        let definitions = |ids: &[KeyId]| {
            Ok(ComparedDefinitions::load(source.as_ref(), Some(client), &scopes(ids), now_ms))
        };
        let read = Snapshot::read_with(client, definitions, now_ms);
        let mut cached = self.lock();
        cached.begun = Some(begun);
        match read {
            Ok(snapshot) => {
                cached.snapshot = Some((Arc::new(snapshot), Stamp { at: begun, changes }));
                cached.fault = None;
            }
            Err(error) => cached.fault = Some(chain(&error)),
        }
        snapshot_view(&cached)
    }

    fn cached(&self, options: &Options, freshness: Freshness) -> Option<SnapshotView> {
        let cached = self.lock();
        if freshness == Freshness::Last && (cached.snapshot.is_some() || cached.fault.is_some()) {
            return Some(snapshot_view(&cached));
        }
        let (_, stamp) = cached.snapshot.as_ref()?;
        let age_max = if options.emulator().is_some() { EMULATOR_AGE_MAX } else { AGE_MAX };
        let is_young = stamp.at.elapsed() < age_max || options.keys.is_none();
        let is_same = match stamp.changes {
            Some(changes) => self::changes(options) == Some(changes) && is_young,
            None => stamp.at.elapsed() < age_max,
        };
        let is_good = freshness == Freshness::Recent && is_same && cached.fault.is_none();
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
    cached: Mutex<CachedScopes>,
    /// Held while they are read, so that two pages do not read them at once.
    reading: Mutex<()>,
}

#[derive(Default)]
struct CachedScopes {
    last: ReadScopes,
    /// When the last reading began, and of which keys.
    begun: Option<(Instant, Vec<KeyId>)>,
}

impl KeyScopes {
    /// The scopes that were read last.
    pub(crate) fn last(&self) -> ReadScopes {
        self.lock().last.clone()
    }

    /// Reads the scopes of keys.
    pub(crate) fn read(&self, options: &Options, ids: &[KeyId]) -> ReadScopes {
        let requested_at = Instant::now();
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        {
            // A thread that held the lock may have tried meanwhile.
            let cached = self.lock();
            let is_done = |(begun, of): &(Instant, Vec<KeyId>)| *begun > requested_at && of == ids;
            if cached.begun.as_ref().is_some_and(is_done) {
                return cached.last.clone();
            }
        }
        let begun = Instant::now();
        let read = Scopes::read(&options.client, ids.iter().copied(), &|| {});
        let mut cached = self.lock();
        cached.begun = Some((begun, ids.to_vec()));
        let last = &mut cached.last;
        match read {
            Ok(scopes) => {
                let scopes = Arc::new(scopes);
                let taken_ms = options.now_ms();
                *last = ReadScopes { scopes, taken_ms, fault: None };
            }
            Err(error) => last.fault = Some(chain(&error)),
        }
        last.clone()
    }

    fn lock(&self) -> MutexGuard<'_, CachedScopes> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The asset groups that scopes can use, or why they could not be read.
pub(crate) type GroupList = Result<Vec<AssetGroupRecord>, String>;

/// The asset groups that were read last: a form is checked with them while it is filled in.
#[derive(Default)]
pub(crate) struct AssetGroups(Mutex<Option<Arc<GroupList>>>);

impl AssetGroups {
    /// Reads them.
    pub(crate) fn read(&self, options: &Options) -> Arc<GroupList> {
        let groups = options.client.asset_groups().map_err(|error| chain(&error));
        let usable = groups.map(|mut groups| {
            groups.retain(|group| group.is_scopable() != Some(false));
            groups
        });
        let usable = Arc::new(usable);
        *self.lock() = Some(Arc::clone(&usable));
        usable
    }

    /// Those that were read last, so that typing calls no tenant.
    pub(crate) fn last(&self, options: &Options) -> Arc<GroupList> {
        let last = self.lock().clone();
        last.unwrap_or_else(|| self.read(options))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<GroupList>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! [`App`]: what all pages of a console share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cortexkey_fleet::Scopes;
use tokio::sync::Semaphore;

use crate::new_keys::NewKeys;
use crate::options::Options;
use crate::session::{Sessions, Token};
use crate::snapshot::{AssetGroups, Freshness, KeyScopes, ReadScopes, SnapshotView, Snapshots};
use crate::submissions::Submissions;

/// How many pages are rendered at a time: each may wait for the tenant.
const PAGES_AT_A_TIME: usize = 8;
/// How many parts of pages, such as filtered rows, are rendered at a time. They do not wait for the
/// tenant, nor for the pages that do.
const PARTS_AT_A_TIME: usize = 8;

/// The state that all pages share.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) permits: Semaphore,
    pub(crate) live_permits: Semaphore,
    /// The entries of the navigation: paths and titles.
    pub(crate) nav: Vec<(&'static str, &'static str)>,
    host: String,
    origin: String,
    sessions: Mutex<Sessions>,
    snapshots: Snapshots,
    scopes: KeyScopes,
    pub(crate) asset_groups: AssetGroups,
    pub(crate) submissions: Submissions,
    pub(crate) new_keys: NewKeys,
}

impl App {
    pub(crate) fn new(
        options: Options,
        host: String,
        nav: Vec<(&'static str, &'static str)>,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            permits: Semaphore::new(PAGES_AT_A_TIME),
            live_permits: Semaphore::new(PARTS_AT_A_TIME),
            nav,
            origin: format!("http://{host}"),
            host,
            sessions: Mutex::new(Sessions::new()?),
            snapshots: Snapshots::default(),
            scopes: KeyScopes::default(),
            asset_groups: AssetGroups::default(),
            submissions: Submissions::default(),
            new_keys: NewKeys::default(),
            options,
        })
    }

    /// Name and port, as required in `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that starts a session with a token.
    pub(crate) fn entry_address(&self, token: &Token) -> String {
        format!("{}/enter?token={}", self.origin, token.expose())
    }

    /// Reports a new one-time address where the console was started, unless one is already waiting
    /// there.
    pub(crate) fn announce_address(&self) {
        let address = self.sessions().renew().map(|token| self.entry_address(token));
        if let Some(address) = address {
            (self.options.on_address)(&address);
        }
    }

    /// Whether keys may be changed.
    pub(crate) fn may_change(&self) -> bool {
        self.options.allow_changes
    }

    /// The tenant's time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.options.now_ms()
    }

    /// The tenant's keys, as last read or, if the page requests it, read now.
    pub(crate) fn snapshot(&self, freshness: Freshness) -> SnapshotView {
        self.snapshots.view(&self.options, freshness, |_| Scopes::default())
    }

    /// The snapshot with the keys' scopes, which are read now if `reads` returns true for their
    /// number.
    pub(crate) fn snapshot_and_scopes(
        &self,
        freshness: Freshness,
        reads: impl Fn(usize) -> bool,
    ) -> (SnapshotView, ReadScopes) {
        let mut read = None;
        let view = self.snapshots.view(&self.options, freshness, |ids| {
            if !reads(ids.len()) {
                return Scopes::default();
            }
            let now = read.insert(self.scopes.read(&self.options, ids));
            // Scopes from an earlier time are not compared with the current keys.
            if now.fault.is_some() { Scopes::default() } else { Scopes::clone(&now.scopes) }
        });
        let ids = view.snapshot.rows.iter().map(|row| row.record.key_id);
        let scopes = match read {
            Some(scopes) => scopes,
            None if reads(view.snapshot.rows.len()) => {
                self.scopes.read(&self.options, &ids.collect::<Vec<_>>())
            }
            None => self.scopes.last(),
        };
        (view, scopes)
    }
}

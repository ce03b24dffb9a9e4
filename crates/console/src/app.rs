//! [`App`]: what all pages of a console share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;

use crate::assets;
use crate::options::{Kind, Options};
use crate::session::{Sessions, Token};
use crate::snapshot::{Fresh, Snapshots, View};

/// How many pages are rendered at a time: each may wait for the tenant.
const PAGES_AT_A_TIME: usize = 8;

/// What all pages share.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) assets: String,
    pub(crate) places: Semaphore,
    host: String,
    origin: String,
    sessions: Mutex<Sessions>,
    snapshots: Snapshots,
}

impl App {
    pub(crate) fn new(options: Options, host: String) -> Result<Self, getrandom::Error> {
        Ok(Self {
            assets: assets::digest(),
            places: Semaphore::new(PAGES_AT_A_TIME),
            origin: format!("http://{host}"),
            host,
            sessions: Mutex::new(Sessions::new()?),
            snapshots: Snapshots::default(),
            options,
        })
    }

    /// Name and port, as `Host` must have them.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that begins a session with a token.
    pub(crate) fn entry(&self, token: &Token) -> String {
        format!("{}/enter?token={}", self.origin, token.expose())
    }

    /// Tells a new one-time address where the console was started, unless one waits there already.
    pub(crate) fn tell_new_address(&self) {
        let address = self.sessions().renew().map(|token| self.entry(token));
        if let Some(address) = address {
            (self.options.tell)(&address);
        }
    }

    /// Whether keys may be changed.
    pub(crate) fn may_change(&self) -> bool {
        self.options.allow_changes
    }

    /// Whether the tenant is the local emulator.
    pub(crate) fn is_emulator(&self) -> bool {
        matches!(self.options.kind, Kind::Emulator(_))
    }

    /// The tenant's time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        if let Kind::Emulator(emulator) = &self.options.kind {
            return emulator.now_ms();
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
    }

    /// The tenant's keys, as they were read last or, for a page that asks so, now.
    pub(crate) fn snapshot(&self, fresh: Fresh) -> View {
        self.snapshots.view(self, fresh)
    }
}

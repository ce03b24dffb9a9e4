//! [`Replay`]: what is done about requests that come twice, and with what memory.
//!
//! It refuses to decide by itself: it asks a guard, and keeps what was only observed.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cortexkey_core::replay::{GuardRefusal, ReplayGuard, VerifiedUse};

use crate::options::ReplayMode;
use crate::store::{Disk, DiskError};

/// How far ahead of the accepted timestamps the floor is written, so that it is seldom written.
/// After a restart without good-bye, so long no request of an older key is accepted.
const LEAD_MS: u64 = 2_000;
const FLOOR: &str = "replay-floor-ms";

/// What is done about requests that come twice.
pub(crate) struct Replay {
    mode: ReplayMode,
    guard: Option<Box<dyn ReplayGuard + Send + Sync>>,
    floor: Option<Floor>,
}

impl Replay {
    /// With a guard, unless nobody looks.
    pub(crate) fn new(
        mode: ReplayMode,
        guard: Option<Box<dyn ReplayGuard + Send + Sync>>,
        floor: Option<Floor>,
    ) -> Self {
        Self { mode, guard, floor }
    }

    /// For one request.
    pub(crate) fn watch(&self) -> Watched<'_> {
        Watched { replay: self, observed: Cell::new(None), tag: Cell::new(None) }
    }

    /// Writes the floor where it is, once no request comes any more.
    pub(crate) fn close(&self) -> Result<(), DiskError> {
        self.floor.as_ref().map_or(Ok(()), Floor::close)
    }

    fn ask(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        if let Some(floor) = &self.floor {
            // On the disk before anything is accepted.
            floor.raise(verified.timestamp_ms()).map_err(|_| GuardRefusal::Unavailable)?;
        }
        self.guard.as_ref().map_or(Ok(()), |guard| guard.check_and_insert(verified))
    }
}

/// The guard of one request; it keeps what was only observed, and what was asked.
pub(crate) struct Watched<'a> {
    replay: &'a Replay,
    pub(crate) observed: Cell<Option<GuardRefusal>>,
    /// What tells the request from all others.
    pub(crate) tag: Cell<Option<[u8; 16]>>,
}

impl ReplayGuard for Watched<'_> {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        self.tag.set(Some(verified.shared_tag()));
        let answer = self.replay.ask(verified);
        if self.replay.mode == ReplayMode::Observe {
            self.observed.set(answer.err());
            return Ok(());
        }
        answer
    }
}

/// A time on the disk that no accepted timestamp is above: a tenant that starts again refuses all
/// that is not above it, and so remembers what it accepted without writing down each request.
pub(crate) struct Floor {
    disk: Arc<Disk>,
    /// What is on the disk, in milliseconds since 1970.
    written_ms: AtomicU64,
    /// The highest timestamp that was asked about.
    highest_ms: AtomicU64,
    writing: Mutex<()>,
}

impl Floor {
    /// The floor of a disk, and where it is: 0 where nothing was ever accepted.
    pub(crate) fn open(disk: Arc<Disk>) -> Result<(Self, u64), DiskError> {
        let written_ms = disk.number(FLOOR)?.unwrap_or(0);
        let floor = Self {
            disk,
            written_ms: AtomicU64::new(written_ms),
            highest_ms: AtomicU64::new(written_ms),
            writing: Mutex::new(()),
        };
        Ok((floor, written_ms))
    }

    fn raise(&self, timestamp_ms: u64) -> Result<(), DiskError> {
        self.highest_ms.fetch_max(timestamp_ms, Ordering::Relaxed);
        if timestamp_ms <= self.written_ms.load(Ordering::Acquire) {
            return Ok(());
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if timestamp_ms <= self.written_ms.load(Ordering::Acquire) {
            return Ok(());
        }
        let ahead_ms = timestamp_ms.saturating_add(LEAD_MS);
        // Other requests go on meanwhile.
        tokio::task::block_in_place(|| self.disk.set_number(FLOOR, ahead_ms))?;
        self.written_ms.store(ahead_ms, Ordering::Release);
        Ok(())
    }

    fn close(&self) -> Result<(), DiskError> {
        self.disk.set_number(FLOOR, self.highest_ms.load(Ordering::Relaxed))
    }
}

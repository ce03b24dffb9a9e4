//! [`Replay`]: what is done about requests that come twice, and with what memory.
//!
//! It refuses to decide by itself: it asks a guard, and keeps what was only observed.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cortexkey_core::replay::{GuardRefusal, MemoryGuard, ReplayGuard, VerifiedUse};

use crate::options::ReplayMode;
use crate::redis_guard::RedisGuard;
use crate::store::{Disk, DiskError};

/// How far ahead of the accepted timestamps the floor is written, so that it is seldom written.
/// After a restart without good-bye, so long no request of an older key is accepted.
const LEAD_MS: u64 = 2_000;
const FLOOR: &str = "replay-floor-ms";

/// What is done about requests that come twice.
pub(crate) struct Replay {
    mode: ReplayMode,
    memory: Memory,
    floor: Option<Floor>,
}

/// Where accepted requests are remembered.
pub(crate) enum Memory {
    /// Nowhere.
    None,
    /// In this process.
    Own(Box<MemoryGuard>),
    /// On a server that others ask as well.
    Shared(RedisGuard),
}

impl Replay {
    pub(crate) fn new(mode: ReplayMode, memory: Memory, floor: Option<Floor>) -> Self {
        Self { mode, memory, floor }
    }

    /// Asks about a use: what it is refused for, and what it would be refused for where that is
    /// only observed.
    pub(crate) async fn ask(
        &self,
        verified: &VerifiedUse,
        now_ms: u64,
    ) -> (Result<(), GuardRefusal>, Option<GuardRefusal>) {
        let answer = self.remember(verified, now_ms).await;
        if self.mode == ReplayMode::Observe { (Ok(()), answer.err()) } else { (answer, None) }
    }

    /// Writes the floor where it is, once no request comes any more.
    pub(crate) fn close(&self) -> Result<(), DiskError> {
        self.floor.as_ref().map_or(Ok(()), Floor::close)
    }

    async fn remember(&self, verified: &VerifiedUse, now_ms: u64) -> Result<(), GuardRefusal> {
        if let Some(floor) = &self.floor {
            // On the disk before anything is accepted.
            floor.raise(verified.timestamp_ms()).map_err(|_| GuardRefusal::Unavailable)?;
        }
        match &self.memory {
            Memory::None => Ok(()),
            Memory::Own(guard) => guard.check_and_insert(verified),
            Memory::Shared(guard) => guard.check_and_insert(verified, now_ms).await,
        }
    }
}

/// Stands in for the guard while the store is locked, and keeps what it would be asked: the guard
/// itself may wait for a disk or a server.
#[derive(Default)]
pub(crate) struct Asked(Cell<Option<VerifiedUse>>);

impl Asked {
    /// What is to be asked; `None` where the verifier did not come to it.
    pub(crate) fn verified(&self) -> Option<VerifiedUse> {
        self.0.get()
    }
}

impl ReplayGuard for Asked {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        self.0.set(Some(*verified));
        Ok(())
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

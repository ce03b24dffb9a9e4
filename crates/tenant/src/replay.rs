//! [`Replay`]: what is done about requests that come twice, and with what memory.
//!
//! A guard decides. Whatever the guard is, and where there is none, the floor on the disk rises, so
//! that another guard can take over at the next start.

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
/// The floor of what was accepted without the shared guard, which that guard cannot know.
const OWN_FLOOR: &str = "replay-own-floor-ms";

/// What is done about requests that come twice.
pub(crate) struct Replay {
    mode: ReplayMode,
    memory: Memory,
    floor: Option<Floor>,
    /// What an earlier start accepted without the guard that is asked now: up to this timestamp
    /// nothing is accepted, but with keys made since.
    before_ms: u64,
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
        let is_shared = matches!(memory, Memory::Shared(_));
        let before_ms = floor.as_ref().filter(|_| is_shared).map_or(0, |floor| floor.own_ms);
        Self { mode, memory, floor, before_ms }
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
            // Keys of before say 0: the disk does not keep when they were made.
            Memory::Shared(_)
                if verified.timestamp_ms() <= self.before_ms && verified.key_created_ms() == 0 =>
            {
                Err(GuardRefusal::Starting)
            }
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
    /// What was accepted without the shared guard, as of this start.
    own_ms: u64,
    is_shared: bool,
    writing: Mutex<()>,
}

impl Floor {
    /// The floor of a disk, and where it is: 0 where nothing was ever accepted.
    pub(crate) fn open(disk: Arc<Disk>, is_shared: bool) -> Result<(Self, u64), DiskError> {
        let written_ms = disk.number(FLOOR)?.unwrap_or(0);
        // Where only the shorter name was ever written, nothing says what guard there was.
        let own_ms = disk.number(OWN_FLOOR)?.unwrap_or(written_ms);
        if is_shared {
            disk.set_number(OWN_FLOOR, own_ms)?;
        }
        let floor = Self {
            disk,
            written_ms: AtomicU64::new(written_ms),
            highest_ms: AtomicU64::new(written_ms),
            own_ms,
            is_shared,
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
        tokio::task::block_in_place(|| self.write(ahead_ms))?;
        self.written_ms.store(ahead_ms, Ordering::Release);
        Ok(())
    }

    fn close(&self) -> Result<(), DiskError> {
        self.write(self.highest_ms.load(Ordering::Relaxed))
    }

    fn write(&self, floor_ms: u64) -> Result<(), DiskError> {
        let own = (!self.is_shared).then_some((OWN_FLOOR, floor_ms));
        self.disk.set_numbers(&[Some((FLOOR, floor_ms)), own])
    }
}

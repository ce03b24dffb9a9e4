//! [`Replay`]: how replays are handled, and where accepted requests are stored.
//!
//! A guard decides whether a request is a replay. With every guard, and even without one, the floor
//! on disk rises, so that the next start can use another guard.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cortexkey_core::replay::{GuardRefusal, ReplayGuard, Start, VerifiedUse};

use crate::options::ReplayMode;
use crate::own_guard::{GuardSize, OwnGuard};
use crate::redis_guard::RedisGuard;
use crate::settings::ControlError;
use crate::store::{Disk, DiskError};

/// How far ahead of the accepted timestamps the floor is written, so that it need not be written
/// for each request. After a restart without shutdown, requests of older keys are refused for this
/// long.
const LEAD_MS: u64 = 2_000;
const FLOOR: &str = "replay-floor-ms";
/// The floor of what was accepted without the shared guard, which that guard cannot know.
const OWN_FLOOR: &str = "replay-own-floor-ms";

/// How replays are handled.
pub(crate) struct Replay {
    mode: ReplayMode,
    memory: Memory,
    floor: Option<Floor>,
    /// What an earlier start accepted without the present guard: up to this timestamp nothing is
    /// accepted, except with keys generated since.
    before_ms: u64,
}

/// Where accepted requests are stored.
pub(crate) enum Memory {
    /// Nowhere.
    None,
    /// In this process: the guard, and how large the next one is.
    Own(RwLock<Box<OwnGuard>>, GuardSize),
    /// On a server that other tenants also use.
    Shared(RedisGuard),
}

impl Replay {
    pub(crate) fn new(mode: ReplayMode, memory: Memory, floor: Option<Floor>) -> Self {
        let is_shared = matches!(memory, Memory::Shared(_));
        let before_ms = floor.as_ref().filter(|_| is_shared).map_or(0, |floor| floor.own_ms);
        Self { mode, memory, floor, before_ms }
    }

    /// Checks a use: the refusal, and the refusal that enforcing would give if replays are only
    /// observed.
    pub(crate) async fn ask(
        &self,
        verified: &VerifiedUse,
        now_ms: u64,
    ) -> (Result<(), GuardRefusal>, Option<GuardRefusal>) {
        let answer = self.remember(verified, now_ms).await;
        if self.mode == ReplayMode::Observe { (Ok(()), answer.err()) } else { (answer, None) }
    }

    /// Replaces the guard after the clock was set back. The old guard no longer knows the requests
    /// of that time, and would refuse everything until the clock reaches its old value.
    pub(crate) fn set_back(&self, now_ms: u64) -> Result<(), ControlError> {
        match &self.memory {
            // Other tenants, whose clocks did not change, use it too.
            Memory::Shared(_) => return Ok(()),
            Memory::None => {}
            Memory::Own(guard, size) => {
                let new = size.guard(Start::First);
                let new = new.map_err(|error| ControlError::Refused(error.to_string()))?;
                let new = Box::new(OwnGuard { guard: new, since_ms: now_ms });
                *guard.write().unwrap_or_else(PoisonError::into_inner) = new;
            }
        }
        let lowered = self.floor.as_ref().map_or(Ok(()), |floor| floor.set_back(now_ms));
        lowered.map_err(|error| ControlError::Disk(cortexkey_system::chain(&error)))
    }

    /// Writes the exact floor when no more requests will come.
    pub(crate) fn close(&self) -> Result<(), DiskError> {
        self.floor.as_ref().map_or(Ok(()), Floor::close)
    }

    async fn remember(&self, verified: &VerifiedUse, now_ms: u64) -> Result<(), GuardRefusal> {
        if let Some(floor) = &self.floor {
            // On disk before anything is accepted.
            floor.raise(verified.timestamp_ms()).map_err(|_| GuardRefusal::Unavailable)?;
        }
        match &self.memory {
            Memory::None => Ok(()),
            Memory::Own(guard, _) => {
                guard.read().unwrap_or_else(PoisonError::into_inner).check_and_insert(verified)
            }
            // Keys from earlier starts have 0: the disk does not store when they were created.
            Memory::Shared(_)
                if verified.timestamp_ms() <= self.before_ms && verified.key_created_ms() == 0 =>
            {
                Err(GuardRefusal::Starting)
            }
            Memory::Shared(guard) => guard.check_and_insert(verified, now_ms).await,
        }
    }
}

/// Replaces the guard while the store is locked, and records the use to check: the guard itself may
/// wait for a disk or a server.
#[derive(Default)]
pub(crate) struct DeferredGuard(Cell<Option<VerifiedUse>>);

impl DeferredGuard {
    /// The use to check; `None` if the verifier refused the request earlier.
    pub(crate) fn verified(&self) -> Option<VerifiedUse> {
        self.0.get()
    }
}

impl ReplayGuard for DeferredGuard {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        self.0.set(Some(*verified));
        Ok(())
    }
}

/// A time on disk that is above every accepted timestamp: a tenant that restarts refuses everything
/// up to it, and so needs no record of each request.
pub(crate) struct Floor {
    disk: Arc<Disk>,
    /// The value on disk, in milliseconds since 1970.
    written_ms: AtomicU64,
    /// The highest timestamp that was checked.
    highest_ms: AtomicU64,
    /// What was accepted without the shared guard, as of this start.
    own_ms: u64,
    is_shared: bool,
    writing: Mutex<()>,
}

impl Floor {
    /// The floor of a disk; 0 if nothing was ever accepted.
    pub(crate) fn open(disk: Arc<Disk>, is_shared: bool) -> Result<(Self, u64), DiskError> {
        let written_ms = disk.number(FLOOR)?.unwrap_or(0);
        // If only the file with the shorter name exists, it is unknown which guard was used.
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
        // Other requests continue meanwhile.
        tokio::task::block_in_place(|| self.write(ahead_ms))?;
        self.written_ms.store(ahead_ms, Ordering::Release);
        Ok(())
    }

    fn set_back(&self, now_ms: u64) -> Result<(), DiskError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.highest_ms.store(now_ms, Ordering::Relaxed);
        self.write(now_ms)?;
        self.written_ms.store(now_ms, Ordering::Release);
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

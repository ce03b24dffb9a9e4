//! [`OwnGuard`]: the replay guard in this process, and its size.

use cortexkey_core::auth::Skew;
use cortexkey_core::replay::{
    GuardRefusal, MemoryGuard, MemoryGuardConfig, Quota, ReplayGuard as _, Start, VerifiedUse,
};

use crate::options::Options;
use crate::start_error::StartError;

/// A guard in this process.
pub(crate) struct OwnGuard {
    pub(crate) guard: MemoryGuard,
    /// When the clock was put back: what was signed before may have been accepted before.
    pub(crate) since_ms: u64,
}

impl OwnGuard {
    pub(crate) fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        if verified.timestamp_ms() < self.since_ms {
            return Err(GuardRefusal::Starting);
        }
        self.guard.check_and_insert(verified)
    }
}

/// How much a guard in memory remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardSize {
    entries: usize,
    skew: Skew,
    quota: Quota,
}

impl GuardSize {
    /// One key gets at most half of it, so that its bursts never block the others.
    pub(crate) fn new(options: &Options) -> Self {
        let entries = options.guard_entries;
        let uses_per_key = u32::try_from(entries / 2).unwrap_or(u32::MAX).max(1);
        // Each key that counts has at least one entry.
        let quota = Quota { uses_per_key, keys: options.max_keys.min(entries) };
        Self { entries, skew: options.skew, quota }
    }

    /// A guard that remembers nothing yet.
    pub(crate) fn guard(self, start: Start) -> Result<MemoryGuard, StartError> {
        let secret = MemoryGuardConfig::secret_from_system().map_err(|_| StartError::NoRandom)?;
        let config = MemoryGuardConfig { entries: self.entries, skew: self.skew, start, secret };
        Ok(MemoryGuard::new(config).with_quota(self.quota))
    }
}

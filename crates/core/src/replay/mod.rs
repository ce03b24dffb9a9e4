//! The replay guard: each Advanced request is accepted once.
//!
//! A guard sees only requests that are otherwise valid, and identifies them by their digests, not
//! their nonces. It never forgets a request that could still be accepted: a guard that is full or
//! unreachable rejects new ones.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod memory;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use memory::{MemoryGuard, MemoryGuardConfig, Quota, Start};

pub use crate::auth::guard::{GuardRefusal, NoReplayGuard, ReplayGuard, VerifiedUse};

//! [`ReplayGuard`]: the interface between a verifier and a replay guard. The guards are in
//! [`replay`](crate::replay), which exports this module's items.

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::key::KeyId;
use super::verdict::Verdict;

/// Remembers which requests were accepted.
///
/// Check and insert are one step: concurrent calls with the same request are accepted at most once.
/// Implementations that threads share must synchronise internally.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use cortexkey_core::replay::{GuardRefusal, ReplayGuard, VerifiedUse};
///
/// /// Grows without limit, and forgets all uses when the process ends.
/// #[derive(Default)]
/// struct Unbounded(Mutex<BTreeMap<[u8; 16], u64>>);
///
/// impl ReplayGuard for Unbounded {
///     fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
///         let mut uses = self.0.lock().map_err(|_| GuardRefusal::Unavailable)?;
///         if uses.contains_key(&verified.shared_tag()) {
///             return Err(GuardRefusal::Replayed);
///         }
///         uses.insert(verified.shared_tag(), verified.remember_until_ms());
///         Ok(())
///     }
/// }
/// ```
pub trait ReplayGuard {
    /// Remembers the use, or returns why it cannot be accepted.
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal>;
}

impl<G: ReplayGuard + ?Sized> ReplayGuard for &G {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        (**self).check_and_insert(verified)
    }
}

/// One use of a key that is valid apart from a possible replay. Only a verifier creates one.
///
/// It is identified by the key id and the digest that the verifier recomputed, never by the nonce
/// or the number in the timestamp: the same digest can belong to two different pairs of nonce and
/// timestamp.
///
/// Its `Debug` leaves the digest out: a digest that was not used yet is as good as a password.
#[derive(Clone, Copy)]
pub struct VerifiedUse {
    pub(crate) key_id: KeyId,
    pub(crate) key_created_ms: u64,
    pub(crate) digest: [u8; 32],
    pub(crate) timestamp_ms: u64,
    pub(crate) skew_ms: u64,
    pub(crate) now_ms: u64,
}

impl VerifiedUse {
    /// The key.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// When the key was generated, in milliseconds since 1970; 0 if that is not known.
    pub fn key_created_ms(&self) -> u64 {
        self.key_created_ms
    }

    /// The digest, which the verifier found correct.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The request's timestamp, in milliseconds since 1970.
    pub fn timestamp_ms(&self) -> u64 {
        self.timestamp_ms
    }

    /// The verifier's skew, in milliseconds.
    pub fn skew_ms(&self) -> u64 {
        self.skew_ms
    }

    /// The time of the verifier's clock, in milliseconds since 1970. The timestamp is within the
    /// skew of it.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A tag for a guard that several processes share: the same in each, 128 bits of SHA-256 over
    /// the key id (8 bytes, big-endian) and the digest.
    pub fn shared_tag(&self) -> [u8; 16] {
        let hash = Sha256::new()
            .chain_update(self.key_id.get().to_be_bytes())
            .chain_update(self.digest)
            .finalize();
        let mut tag = [0; 16];
        tag.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
        tag
    }

    /// Until when the use must be remembered: timestamp and skew, in milliseconds since 1970.
    pub fn remember_until_ms(&self) -> u64 {
        self.timestamp_ms.saturating_add(self.skew_ms)
    }
}

impl fmt::Debug for VerifiedUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedUse")
            .field("key_id", &self.key_id)
            .field("timestamp_ms", &self.timestamp_ms)
            .finish_non_exhaustive()
    }
}

/// Why a guard does not accept a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuardRefusal {
    /// It was accepted before.
    Replayed,
    /// The guard no longer stores uses of that time.
    Forgotten,
    /// The guard started empty, and the use may be older than it.
    Starting,
    /// The guard is full.
    Full,
    /// The key has reached its quota.
    Quota,
    /// The guard cannot answer.
    Unavailable,
}

impl GuardRefusal {
    /// The verdict on the request.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Replayed => Verdict::Replayed,
            Self::Forgotten => Verdict::TimestampStale,
            Self::Starting => Verdict::ReplayGuardStarting,
            Self::Full => Verdict::ReplayGuardFull,
            Self::Quota => Verdict::ReplayGuardQuota,
            Self::Unavailable => Verdict::ReplayGuardUnavailable,
        }
    }
}

/// Accepts every use: for checking a single request offline.
///
/// A service that uses it can be replayed within the window.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReplayGuard;

impl ReplayGuard for NoReplayGuard {
    fn check_and_insert(&self, _: &VerifiedUse) -> Result<(), GuardRefusal> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified() -> VerifiedUse {
        VerifiedUse {
            key_id: KeyId::new(7).unwrap(),
            key_created_ms: 3,
            digest: [9; 32],
            timestamp_ms: 1_000,
            skew_ms: 20,
            now_ms: 1_010,
        }
    }

    #[test]
    fn a_use_has_what_the_verifier_found() {
        let verified = verified();
        assert_eq!(verified.key_id().get(), 7);
        assert_eq!(verified.key_created_ms(), 3);
        assert_eq!(verified.digest(), &[9; 32]);
        assert_eq!(verified.timestamp_ms(), 1_000);
        assert_eq!(verified.skew_ms(), 20);
        assert_eq!(verified.now_ms(), 1_010);
        assert_eq!(verified.remember_until_ms(), 1_020);
        // Python: hashlib.sha256((7).to_bytes(8) + bytes([9] * 32)).digest()[:16]
        assert_eq!(hex::encode(verified.shared_tag()), "14c8854dd57533b384cba1da18e59ebb");
    }

    #[test]
    fn a_reference_to_a_guard_is_that_guard() {
        struct Full;
        impl ReplayGuard for Full {
            fn check_and_insert(&self, _: &VerifiedUse) -> Result<(), GuardRefusal> {
                Err(GuardRefusal::Full)
            }
        }
        fn ask(guard: impl ReplayGuard) -> Result<(), GuardRefusal> {
            guard.check_and_insert(&verified())
        }
        assert_eq!(ask(&Full), Err(GuardRefusal::Full));
        assert_eq!(ask(NoReplayGuard), Ok(()));
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_use_shows_no_digest() {
        let shown = std::format!("{:?}", verified());
        assert!(shown.contains("1000") && !shown.contains("9, 9"), "{shown}");
    }
}

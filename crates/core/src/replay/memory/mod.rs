//! [`MemoryGuard`]: a replay guard in the memory of one process.
//!
//! A use lives from its acceptance until its timestamp is below the low-water mark: the start of
//! the window by the latest clock of any verifier that called. The mark only rises, so setting a
//! clock back never makes a request acceptable again. A [`Table`] stores the uses, and [`Counts`]
//! how many each key has.

mod line;
mod quota;
mod spread;
mod sync;
mod table;

pub use quota::Quota;

use quota::{Counting, Counts};
use table::Table;

use super::{GuardRefusal, ReplayGuard, VerifiedUse};
use crate::auth::Skew;

/// The initial state of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing is stored, and an earlier guard may have existed: timestamps up to this time plus
    /// the skew are refused, except for keys created since.
    Fresh {
        /// When the guard was created, in milliseconds since 1970.
        at_ms: u64,
    },
    /// Nothing can have been accepted before: the first guard ever, or a test.
    First,
}

/// The configuration of a [`MemoryGuard`].
#[derive(Clone, Copy, Debug)]
pub struct MemoryGuardConfig {
    /// How many uses it can store, whatever their timestamps: requests per second times twice the
    /// skew in seconds.
    pub entries: usize,
    /// The largest skew of the verifiers that use it.
    pub skew: Skew,
    /// Its initial state.
    pub start: Start,
    /// A secret of the process, so that no attacker can target one place of the table. Draw it from
    /// the operating system.
    pub secret: [u64; 2],
}

impl MemoryGuardConfig {
    /// A secret from the operating system, for [`secret`](Self::secret).
    #[cfg(feature = "system")]
    pub fn secret_from_system() -> Result<[u64; 2], getrandom::Error> {
        Ok([getrandom::u64()?, getrandom::u64()?])
    }
}

/// A bounded guard for the threads of one process.
///
/// All memory is allocated at creation: at most 20 bytes per entry from 40,000 entries on, and
/// never more than 800 kB for fewer. An insert takes constant time. A guard in another process does
/// not know what this one accepted.
///
/// Threads share it by reference. A verifier with a larger skew than configured gets
/// `replay-guard-unavailable`.
///
/// A guard does not survive a fork: the parent and each child would accept the same request. With
/// the feature `kernels` a forked child gets `replay-guard-unavailable`; without it, do not use a
/// guard in a process that was forked after the guard was created. A server that forks its workers
/// must verify in one process, or use a guard that the workers share.
///
/// # Capacity, bursts and quotas
///
/// A use is stored from its acceptance until its timestamp is as old as the skew. A guard accepts
/// any mix of timestamps up to `entries` of them, even all at once. Only beyond that, from about
/// 1.5 times `entries` on, does it run out of space and refuse requests.
///
/// For 1,000 requests per second and a skew of 60 seconds, 60,000 uses are stored if all clocks
/// agree, and 120,000 if every client's clock is ahead by the skew: `entries` is 1,000 times twice
/// 60, which takes 2.4 MB. A client that catches up after an outage may send 50,000 requests at
/// once, within one millisecond, and each is accepted.
///
/// Without a [`Quota`], one key that floods the service fills the guard for all. With
/// `uses_per_key` 60,000 and 100 keys, one key has at most half of it, and its further requests are
/// refused as `replay-guard-quota`; the other half is left for all others, whatever timestamps the
/// key chooses. If several keys flood, each key still has its guaranteed share: 120,000 / 8 / 100 =
/// 150 uses.
///
/// ```
/// # #[cfg(feature = "system")] {
/// use cortexkey_core::auth::{
///     Key, KeyId, Level, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict, Verifier,
/// };
/// use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start};
///
/// let now_ms = 1_790_611_727_783; // the service's clock
/// let guard = MemoryGuard::new(MemoryGuardConfig {
///     entries: 120_000, // 1,000 requests per second, times twice the skew of 60 seconds
///     skew: Skew::DEFAULT,
///     start: Start::First, // `Start::Fresh` if the service ran before
///     secret: MemoryGuardConfig::secret_from_system()?,
/// })
/// .with_quota(Quota { uses_per_key: 60_000, keys: 100 });
/// assert!(guard.guaranteed_uses_per_key() >= 150);
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let key = Key::new(b"test-api-key")?;
/// let stored = StoredKey::new(id, Level::Advanced, key);
/// let signer = Signer::new(id, Level::Advanced, key);
/// let signed = signer.sign_from_system(Timestamp::from_ms(now_ms)?)?;
/// let request = Request::parse(signed.iter(), NonceLengths::EXACT).map_err(|verdict| verdict.message())?;
/// let verifier = Verifier::new();
/// assert!(verifier.verify(&request, Some(&stored), now_ms, &guard).is_ok());
/// let replayed = verifier.verify(&request, Some(&stored), now_ms, &guard);
/// assert_eq!(replayed.err(), Some(Verdict::Replayed));
/// # }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct MemoryGuard {
    table: Table,
    counts: Option<Counts>,
    skew_ms: u64,
    start: Start,
    secret: [u64; 2],
    /// The process that created it.
    #[cfg(feature = "kernels")]
    process: cortexkey_kernels::ProcessMark,
}

impl MemoryGuard {
    /// Creates a guard and allocates its memory.
    pub fn new(config: MemoryGuardConfig) -> Self {
        let skew_ms = config.skew.as_ms();
        Self {
            table: Table::new(config.entries, skew_ms),
            counts: None,
            skew_ms,
            start: config.start,
            secret: config.secret,
            #[cfg(feature = "kernels")]
            process: cortexkey_kernels::ProcessMark::new(),
        }
    }

    /// Whether it is used in the process that created it.
    #[cfg_attr(
        not(feature = "kernels"),
        expect(clippy::unused_self, reason = "without them, processes cannot be distinguished")
    )]
    #[inline]
    fn is_of_this_process(&self) -> bool {
        #[cfg(feature = "kernels")]
        let is_here = self.process.is_here();
        #[cfg(not(feature = "kernels"))]
        let is_here = true;
        is_here
    }

    /// With a limit for each key, so that one key cannot fill the guard.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        let secret = self.secret[0].rotate_left(32) ^ self.secret[1];
        let guaranteed = self.table.reserve();
        self.counts = Some(Counts::new(quota, guaranteed, table::span_ms(self.skew_ms), secret));
        self
    }

    /// How many uses each key is guaranteed, however many the other keys have; 0 without a quota.
    pub fn guaranteed_uses_per_key(&self) -> u32 {
        self.counts.as_ref().map_or(0, Counts::guaranteed)
    }

    /// 64 bits that identify the key id and the digest in this process.
    #[inline]
    fn hash(&self, verified: &VerifiedUse) -> u64 {
        let (words, _) = verified.digest.as_chunks::<8>();
        let a = u64::from_le_bytes(words[0]) ^ self.secret[0];
        let b = u64::from_le_bytes(words[1]) ^ self.secret[1];
        // Two ids with one key share digests, so the id is mixed in.
        let b = b ^ verified.key_id.get().wrapping_mul(spread::GOLDEN);
        let product = u128::from(a) * u128::from(b);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are folded")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded
    }
}

impl ReplayGuard for MemoryGuard {
    #[inline]
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        if !self.is_of_this_process() {
            // A forked child, and each of its siblings, would accept the request.
            return Err(GuardRefusal::Unavailable);
        }
        let is_ahead = verified.timestamp_ms > verified.now_ms.saturating_add(self.skew_ms);
        if verified.skew_ms > self.skew_ms || is_ahead {
            // Such a verifier would accept what this guard may have dropped already.
            return Err(GuardRefusal::Unavailable);
        }
        if let Start::Fresh { at_ms } = self.start {
            // The guard's own skew: a verifier with a larger one may have been used before.
            let unknown_until_ms = at_ms.saturating_add(self.skew_ms);
            if verified.timestamp_ms <= unknown_until_ms && verified.key_created_ms < at_ms {
                return Err(GuardRefusal::Starting);
            }
        }
        self.table.raise_mark(verified.now_ms.saturating_sub(self.skew_ms));
        let spot = self.table.spot(self.hash(verified), verified.timestamp_ms);
        let key_id = verified.key_id.get();
        let ms = verified.timestamp_ms;
        self.table.insert(&spot, Counting { counts: self.counts.as_ref(), key_id, ms })
    }
}

#[cfg(test)]
mod tests;

//! [`MemoryGuard`]: a replay guard in the memory of one process.
//!
//! It refuses to grow, to drop an entry that could still be replayed, and to be fooled by a clock
//! that goes back.
//!
//! Time is cut into slices, up to 256 in a window of twice the skew. Each slice has its own tables, a
//! request is filed under the slice of its own timestamp, and one slice more than a window has
//! covers everything that a verifier can accept at one time. A newer slice takes over the tables of
//! one that can no longer matter, and a low-water mark keeps everything that old out for good. So
//! entries need no times of their own and nothing is ever searched.

use alloc::boxed::Box;

use super::quota::{Counts, Quota};
use super::shard::{Shard, Spot, Tag};
use super::sync::{Mutex, PoisonError};
use super::{GuardRefusal, ReplayGuard, VerifiedUse};
use crate::auth::Skew;

/// What a guard began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing is remembered, and there may have been a guard before: timestamps up to this time
    /// plus the skew are refused, but for keys made since.
    Fresh {
        /// When the guard was made, in milliseconds since 1970.
        at_ms: u64,
    },
    /// Nothing can have been accepted before: the first guard ever, or a test.
    First,
}

/// How a [`MemoryGuard`] is made.
#[derive(Clone, Copy, Debug)]
pub struct MemoryGuardConfig {
    /// How many uses it can remember: requests a second times twice the skew in seconds.
    pub entries: usize,
    /// The largest skew of the verifiers that ask it.
    pub skew: Skew,
    /// What it begins with.
    pub start: Start,
    /// A secret of the process, so that nobody can aim at one place of a table. Draw it from the
    /// system.
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
/// All memory is taken when it is made: at most 20 bytes an entry from 40,000 entries on, and
/// never above 800 kB for fewer. A guard in another process does not know what this one accepted.
///
/// Threads share it by reference. A verifier with a larger skew than it was made for is answered
/// with `replay-guard-unavailable`.
pub struct MemoryGuard {
    shards: Box<[Mutex<Shard>]>,
    layout: Layout,
    skew_ms: u64,
    start: Start,
    secret: [u64; 2],
    counts: Option<Counts>,
}

impl MemoryGuard {
    /// A guard; it takes its memory now.
    pub fn new(config: MemoryGuardConfig) -> Self {
        let layout = Layout::of(config.entries, config.skew);
        let shard = || Mutex::new(Shard::new(layout.tables, layout.tags_a_table));
        Self {
            shards: (0..layout.shards).map(|_| shard()).collect(),
            layout,
            skew_ms: config.skew.as_ms(),
            start: config.start,
            secret: config.secret,
            counts: None,
        }
    }

    /// With a limit for each key, so that one key cannot fill the guard.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        let secret = self.secret[0].rotate_left(32) ^ self.secret[1];
        self.counts = Some(Counts::new(quota, self.skew_ms, secret));
        self
    }

    /// 64 bits that stand for the key id and the digest in this process.
    fn tag(&self, verified: &VerifiedUse) -> Tag {
        let (words, _) = verified.digest.as_chunks::<8>();
        let a = u64::from_le_bytes(words[0]) ^ self.secret[0];
        let b = u64::from_le_bytes(words[1]) ^ self.secret[1];
        // Two ids with one key share digests, so the id is mixed in.
        let b = b ^ verified.key_id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let product = u128::from(a) * u128::from(b);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are folded")]
        let folded = (product >> 64) as u64 ^ product as u64;
        Tag::new(folded).unwrap_or(Tag::MIN)
    }

    /// The lower bits choose the shard; a table goes by the upper ones.
    fn shard(&self, tag: Tag) -> &Mutex<Shard> {
        let lower = tag.get() & 0xffff_ffff;
        &self.shards[usize::try_from((lower * self.shards.len() as u64) >> 32).unwrap_or(0)]
    }
}

/// Locks at least, so that threads seldom meet. A checker of schedules has enough with two.
const SHARDS_MIN: usize = if cfg!(loom) { 2 } else { 16 };
/// Slices in a window, from so many entries on. Many keep the tables that are written to just now
/// small enough for a near cache; few waste less room in a small guard.
const SLICES_A_WINDOW: [(usize, u64); 3] = [(400_000, 256), (100_000, 64), (0, 16)];
/// The most that a table holds in a steady stream. A larger one would be cleared for too long
/// under its lock.
const PART_MAX: usize = 2_048;

/// How the entries of a guard are spread.
#[derive(Clone, Copy)]
struct Layout {
    shards: usize,
    slice_ms: u64,
    /// In a shard, one for each slice that matters at a time: a window touches one more than it has.
    tables: usize,
    tags_a_table: usize,
}

impl Layout {
    fn of(entries: usize, skew: Skew) -> Self {
        let window_ms = 2 * skew.as_ms();
        let fits = SLICES_A_WINDOW.iter().find(|(from, _)| entries >= *from);
        let slice_ms = window_ms.div_ceil(fits.map_or(1, |(_, slices)| *slices));
        let slices = usize::try_from(window_ms.div_ceil(slice_ms)).unwrap_or(1);
        // What a steady stream puts into a slice: never more than it brings in that time.
        let a_slice = (entries as u128 * u128::from(slice_ms)).div_ceil(u128::from(window_ms));
        let a_slice = usize::try_from(a_slice).unwrap_or(entries);
        let shards = a_slice.div_ceil(PART_MAX).max(SHARDS_MIN);
        let part = a_slice.div_ceil(shards);
        // Chance gives some tables more than their part: six standard deviations, and a few, are
        // met by one table in a thousand million.
        let tags_a_table = part + 6 * part.isqrt() + 8;
        Self { shards, slice_ms, tables: slices + 1, tags_a_table }
    }
}

impl ReplayGuard for MemoryGuard {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        if verified.skew_ms > self.skew_ms {
            // Such a verifier accepts what this guard may have dropped already.
            return Err(GuardRefusal::Unavailable);
        }
        if let Start::Fresh { at_ms } = self.start {
            // The guard's own skew: a verifier with a larger one than this may have been before.
            let unknown_until_ms = at_ms.saturating_add(self.skew_ms);
            if verified.timestamp_ms <= unknown_until_ms && verified.key_created_ms < at_ms {
                return Err(GuardRefusal::Starting);
            }
        }
        let tag = self.tag(verified);
        // Everything that can be known without the lock, since nothing is done ahead behind it.
        let slice = verified.timestamp_ms / self.layout.slice_ms;
        let spot = Spot::new(slice, tag, self.layout.tables, self.layout.tags_a_table);
        // A panic while the lock was held cannot have left a table half changed.
        let mut shard = self.shard(tag).lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(&spot, || match &self.counts {
            Some(counts) => counts.add(verified.key_id.get(), verified.timestamp_ms),
            None => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::KeyId;

    const NOW_MS: u64 = 1_790_611_732_512;

    fn guard(entries: usize, skew_ms: u64) -> MemoryGuard {
        let skew = Skew::from_ms(skew_ms).unwrap();
        let secret = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        MemoryGuard::new(MemoryGuardConfig { entries, skew, start: Start::First, secret })
    }

    /// A use whose digest looks drawn by chance, another for each number.
    fn verified(number: u64, timestamp_ms: u64, skew_ms: u64) -> VerifiedUse {
        let mut digest = [0; 32];
        for (place, bytes) in (1..).zip(digest.as_chunks_mut::<8>().0) {
            let mixed = (number * 4 + place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *bytes = (mixed ^ (mixed >> 27)).to_le_bytes();
        }
        let key_id = KeyId::new(7).unwrap();
        VerifiedUse {
            key_id,
            key_created_ms: 0,
            digest,
            timestamp_ms,
            skew_ms,
            now_ms: timestamp_ms,
        }
    }

    #[test]
    fn no_size_takes_more_than_20_bytes_an_entry() {
        let mut entries = 1;
        while entries < 100_000_000 {
            let layout = Layout::of(entries, Skew::DEFAULT);
            let bytes = layout.shards * Shard::bytes(layout.tables, layout.tags_a_table);
            assert!(bytes <= 20 * entries.max(40_000), "{entries} entries: {bytes} bytes");
            entries += entries.div_ceil(97);
        }
    }

    /// The rule of sizing: entries = requests a second times twice the skew.
    #[test]
    fn a_steady_rate_that_fits_is_never_refused() {
        for entries in [1, 16, 1_000, 36_000, 250_000] {
            for skew_ms in [1_000, 1_001, 1_007, 60_000, 299_999] {
                let guard = guard(entries, skew_ms);
                let uses = 3 * entries as u64;
                for number in 0..uses {
                    let at_ms = NOW_MS + number * 2 * skew_ms / entries as u64;
                    let answer = guard.check_and_insert(&verified(number, at_ms, skew_ms));
                    assert_eq!(answer, Ok(()), "{entries} entries, {skew_ms} ms, use {number}");
                }
            }
        }
    }
}

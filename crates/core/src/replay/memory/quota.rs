//! [`Quota`]: the number of uses that one key may have stored, so that one key cannot fill a guard.
//!
//! A key's count has a number for each of eleven time slices. Slices below the low-water mark are
//! dropped, so a use counts until the end of its timestamp's slice, at most a fifth of the skew
//! longer than it is stored.

use alloc::boxed::Box;

use super::spread::{GOLDEN, mixed, part_of};
use super::sync::{AtomicU32, AtomicU64, LockedWord, Relaxed};
use crate::replay::GuardRefusal;

/// A limit for each key of a guard.
///
/// Besides the limit, each key has a guaranteed share: an eighth of the guard's entries, divided by
/// `keys`. Up to that, its uses are accepted even if other keys, however many, have filled the
/// guard. See [`MemoryGuard`](super::MemoryGuard) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many uses of one key are stored at a time; more are refused.
    pub uses_per_key: u32,
    /// How many keys can have uses at a time. Each takes 110 bytes.
    pub keys: usize,
}

/// A window that starts within a slice touches one slice more.
const SLICES: usize = 11;
/// The most places that one search probes. At most two thirds of the places have keys, so a key
/// finds none with a probability of 2^-37.
const PROBES: u64 = 64;

/// Whether one more use is within the key's guaranteed share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Guaranteed,
    Common,
}

/// Counts one use of one key, if the guard has a quota.
#[derive(Clone, Copy)]
pub(super) struct Counting<'c> {
    pub(super) counts: Option<&'c Counts>,
    pub(super) key_id: u64,
    pub(super) ms: u64,
}

impl Counting<'_> {
    /// Counts the use, or returns why it cannot be accepted.
    #[inline]
    pub(super) fn add(&self, mark_ms: u64) -> Result<Share, GuardRefusal> {
        match self.counts {
            Some(counts) => counts.add(self.key_id, self.ms, mark_ms),
            None => Ok(Share::Common),
        }
    }

    /// Undoes the count of a use that was not stored.
    #[cold]
    pub(super) fn undo(&self) {
        if let Some(counts) = self.counts {
            counts.undo(self.key_id, self.ms);
        }
    }
}

/// The keys' counts, in a table of fixed size.
pub(super) struct Counts {
    /// The owner of the count in each of `places`; 0 is free.
    ids: Box<[AtomicU64]>,
    places: Box<[Count]>,
    /// Locked by the thread that assigns a place to another key.
    assigning: LockedWord,
    uses_per_key: u32,
    /// The guaranteed share of each key.
    guaranteed: u32,
    /// 2^64 divided by the length of a slice.
    turn: u64,
    secret: u64,
}

/// A key's uses by time slice, in one cache line.
#[repr(align(64))]
struct Count {
    /// The oldest slice that is counted, which only rises; its lock guards the others.
    oldest: LockedWord,
    key_id: AtomicU64,
    /// The sum of `uses`.
    all: AtomicU32,
    uses: [AtomicU32; SLICES],
}

impl Counts {
    /// `guaranteed` is the number of uses that can be guaranteed to all keys together.
    pub(super) fn new(quota: Quota, guaranteed: usize, span_ms: u64, secret: u64) -> Self {
        let places = quota.keys + quota.keys / 2 + 8;
        let guaranteed = u32::try_from(guaranteed / quota.keys.max(1)).unwrap_or(u32::MAX);
        Self {
            ids: (0..places).map(|_| AtomicU64::new(0)).collect(),
            places: (0..places).map(|_| Count::new()).collect(),
            assigning: LockedWord::new(0),
            uses_per_key: quota.uses_per_key,
            guaranteed: guaranteed.min(quota.uses_per_key),
            turn: u64::MAX / span_ms.div_ceil(SLICES as u64 - 1),
            secret,
        }
    }

    /// How many uses each key is guaranteed.
    pub(super) fn guaranteed(&self) -> u32 {
        self.guaranteed
    }

    /// Counts a use of that time, or returns why it cannot be accepted.
    #[inline]
    fn add(&self, key_id: u64, ms: u64, mark_ms: u64) -> Result<Share, GuardRefusal> {
        let slice = self.slice(ms);
        let oldest = self.slice(mark_ms);
        loop {
            let place = match self.find(key_id) {
                Some(place) => place,
                None => self.claim(key_id, oldest).ok_or(GuardRefusal::Full)?,
            };
            let count = &self.places[place];
            let word = count.oldest.lock();
            let is_ours = count.key_id.load(Relaxed) == key_id;
            let word = if is_ours { count.drop_below(word, oldest) } else { word };
            let answer = is_ours.then(|| self.add_to(count, slice, word));
            count.oldest.unlock(word);
            // Otherwise the place was assigned to another key meanwhile.
            if let Some(answer) = answer {
                return answer;
            }
        }
    }

    /// Adds to a locked count.
    #[inline]
    fn add_to(&self, count: &Count, slice: u64, oldest: u64) -> Result<Share, GuardRefusal> {
        let all = count.all.load(Relaxed);
        if all >= self.uses_per_key {
            return Err(GuardRefusal::Quota);
        }
        if !(oldest..oldest.saturating_add(SLICES as u64)).contains(&slice) {
            return Err(GuardRefusal::Forgotten);
        }
        let uses = count.of(slice);
        uses.store(uses.load(Relaxed) + 1, Relaxed);
        count.all.store(all + 1, Relaxed);
        Ok(if all < self.guaranteed { Share::Guaranteed } else { Share::Common })
    }

    #[inline(never)]
    fn undo(&self, key_id: u64, ms: u64) {
        let Some(place) = self.find(key_id) else { return };
        let slice = self.slice(ms);
        let count = &self.places[place];
        let oldest = count.oldest.lock();
        let uses = count.of(slice);
        let counted = uses.load(Relaxed);
        if count.key_id.load(Relaxed) == key_id && slice >= oldest && counted > 0 {
            uses.store(counted - 1, Relaxed);
            count.all.store(count.all.load(Relaxed) - 1, Relaxed);
        }
        count.oldest.unlock(oldest);
    }

    /// The slice of a time.
    #[inline]
    fn slice(&self, ms: u64) -> u64 {
        ((u128::from(ms) * u128::from(self.turn)) >> 64) as u64
    }

    /// The places where a key may be, in order. Key ids are small numbers; the secret prevents an
    /// attacker from choosing ids that collide.
    #[inline]
    fn place(&self, key_id: u64, probe: u64) -> usize {
        let number = mixed(key_id ^ self.secret).wrapping_add(probe.wrapping_mul(GOLDEN));
        part_of(mixed(number), self.ids.len())
    }

    /// The place of a key that has one: at the latest before the first place that was never used.
    #[inline]
    fn find(&self, key_id: u64) -> Option<usize> {
        for probe in 0..PROBES {
            let place = self.place(key_id, probe);
            let id = self.ids[place].load(Relaxed);
            if id == key_id {
                return Some(place);
            }
            if id == 0 {
                return None;
            }
        }
        None
    }

    /// Assigns the first place that is free, or whose key has no uses; `None` if every key has uses.
    #[cold]
    #[inline(never)]
    fn claim(&self, key_id: u64, oldest: u64) -> Option<usize> {
        let word = self.assigning.lock();
        let place = self.find(key_id).or_else(|| {
            let mut places = (0..PROBES).map(|probe| self.place(key_id, probe));
            places.find(|place| self.claim_at(*place, key_id, oldest))
        });
        self.assigning.unlock(word);
        place
    }

    fn claim_at(&self, place: usize, key_id: u64, oldest: u64) -> bool {
        let count = &self.places[place];
        let word = count.drop_below(count.oldest.lock(), oldest);
        let is_free = count.all.load(Relaxed) == 0;
        if is_free {
            count.key_id.store(key_id, Relaxed);
            self.ids[place].store(key_id, Relaxed);
        }
        count.oldest.unlock(word);
        is_free
    }
}

impl Count {
    fn new() -> Self {
        Self {
            oldest: LockedWord::new(0),
            key_id: AtomicU64::new(0),
            all: AtomicU32::new(0),
            uses: core::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    #[inline]
    fn of(&self, slice: u64) -> &AtomicU32 {
        &self.uses[usize::try_from(slice % SLICES as u64).unwrap_or(0)]
    }

    /// Drops what is older than a slice; returns the oldest that still counts.
    #[inline]
    fn drop_below(&self, oldest: u64, low: u64) -> u64 {
        for slice in oldest..low.min(oldest.saturating_add(SLICES as u64)) {
            let uses = self.of(slice);
            self.all.store(self.all.load(Relaxed) - uses.load(Relaxed), Relaxed);
            uses.store(0, Relaxed);
        }
        oldest.max(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEW_MS: u64 = 60_000;
    const NOW_MS: u64 = 1_790_611_732_512;

    fn counts(uses_per_key: u32, keys: usize) -> Counts {
        Counts::new(Quota { uses_per_key, keys }, 0, 2 * SKEW_MS, 0x5eed)
    }

    /// Counts a use of the time that the clock has.
    fn add(counts: &Counts, key_id: u64, now_ms: u64) -> Result<(), GuardRefusal> {
        counts.add(key_id, now_ms, now_ms - SKEW_MS).map(drop)
    }

    #[test]
    fn a_key_has_its_quota_and_no_more() {
        let counts = counts(3, 10);
        assert!((0..3).all(|_| add(&counts, 7, NOW_MS).is_ok()));
        assert_eq!(add(&counts, 7, NOW_MS + 1), Err(GuardRefusal::Quota));
        assert_eq!(add(&counts, 8, NOW_MS + 1), Ok(()));
        // While it is remembered it counts, and a slice after that it no longer does.
        assert_eq!(add(&counts, 7, NOW_MS + SKEW_MS), Err(GuardRefusal::Quota));
        assert_eq!(add(&counts, 7, NOW_MS + 6 * SKEW_MS / 5 + 16), Ok(()));
        assert_eq!(add(&counts, 7, NOW_MS + 1_000 * SKEW_MS), Ok(()));
    }

    #[test]
    fn revoked_grants_no_longer_count() {
        let counts = counts(1, 10);
        for _ in 0..3 {
            assert_eq!(add(&counts, 7, NOW_MS), Ok(()));
            assert_eq!(add(&counts, 7, NOW_MS), Err(GuardRefusal::Quota));
            counts.undo(7, NOW_MS);
        }
        counts.undo(7, NOW_MS);
        counts.undo(8, NOW_MS);
        assert_eq!(add(&counts, 7, NOW_MS), Ok(()));
    }

    /// As many keys as it was made for have a place, whichever they are.
    #[test]
    fn every_key_within_the_limit_has_a_slot() {
        for keys in [1, 2, 10, 100, 10_000] {
            let counts = counts(1, keys);
            for id in 1..=keys as u64 {
                let id = if id.is_multiple_of(2) { id } else { id << 40 };
                assert_eq!(add(&counts, id, NOW_MS), Ok(()), "{id} of {keys}");
            }
        }
    }

    #[test]
    fn keys_without_uses_make_room_for_others() {
        let counts = counts(1, 1);
        let fits = |at_ms| (1..10_000).filter(|id| add(&counts, *id, at_ms).is_ok()).count();
        assert!((1..100).contains(&fits(NOW_MS)));
        assert_eq!(fits(NOW_MS + SKEW_MS), 0);
        assert!(fits(NOW_MS + 6 * SKEW_MS / 5 + 16) > 0);
    }
}

//! [`Quota`]: how many uses one key may have remembered, so that one key cannot fill a guard.
//!
//! It refuses to grow beyond the keys that it was made for, and to count by anything but the exact
//! key id.

use alloc::boxed::Box;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::GuardRefusal;
use super::sync::{Mutex, PoisonError};

/// Locks, so that threads with different keys seldom meet. A checker of schedules has enough with
/// two.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };

/// A limit for each key of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many uses of one key are remembered at a time; more are refused.
    pub uses_per_key: u32,
    /// How many keys can have uses at a time. Some 100 bytes are taken for each.
    pub keys: usize,
}

/// Slices of time that are counted by, and added up: a window of twice the skew has sixteen, touches
/// one more, and another is in reserve for a skew that eight does not divide.
const SLICES_A_WINDOW: usize = 16;
const SLICES: usize = SLICES_A_WINDOW + 2;

/// Counts uses per key over a window.
pub(super) struct Counts {
    shards: Box<[Mutex<HashTable<KeyCount>>]>,
    uses_per_key: u32,
    keys_per_shard: usize,
    slice_ms: u64,
    secret: u64,
}

struct KeyCount {
    key_id: u64,
    newest: u64,
    uses: [u32; SLICES],
    /// Their sum.
    all: u32,
}

impl Counts {
    pub(super) fn new(quota: Quota, skew_ms: u64, secret: u64) -> Self {
        let share = quota.keys.div_ceil(SHARDS);
        // As with the tables of a guard: four standard deviations, and a few.
        let keys_per_shard = share + 4 * share.isqrt() + 8;
        let table = || Mutex::new(HashTable::with_capacity(keys_per_shard));
        Self {
            shards: (0..SHARDS).map(|_| table()).collect(),
            uses_per_key: quota.uses_per_key,
            keys_per_shard,
            slice_ms: 2 * skew_ms / SLICES_A_WINDOW as u64,
            secret,
        }
    }

    /// Counts a use of that time, or says that there is no room for it.
    pub(super) fn add(&self, key_id: u64, timestamp_ms: u64) -> Result<(), GuardRefusal> {
        let slice = timestamp_ms / self.slice_ms;
        self.with_shard(key_id, |table, hash| {
            let is_known = table.find(hash, |count| count.key_id == key_id).is_some();
            if !is_known && table.len() >= self.keys_per_shard {
                table.retain(|count| count.newest + SLICES as u64 > slice);
            }
            let is_full = table.len() >= self.keys_per_shard;
            let rehash = |count: &KeyCount| self.hash(count.key_id);
            let count = match table.entry(hash, |count| count.key_id == key_id, rehash) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(_) if is_full => return Err(GuardRefusal::Full),
                Entry::Vacant(entry) => {
                    let count = KeyCount { key_id, newest: slice, uses: [0; SLICES], all: 0 };
                    entry.insert(count).into_mut()
                }
            };
            count.add(slice, self.uses_per_key)
        })
    }

    fn with_shard<T>(&self, key_id: u64, f: impl FnOnce(&mut HashTable<KeyCount>, u64) -> T) -> T {
        let hash = self.hash(key_id);
        let shard = &self.shards[usize::try_from(hash >> 32).unwrap_or(0) % SHARDS];
        // A panic while the lock was held cannot have left a count half changed.
        f(&mut shard.lock().unwrap_or_else(PoisonError::into_inner), hash)
    }

    /// Key ids are small numbers; the secret keeps anybody from choosing ones that meet.
    fn hash(&self, key_id: u64) -> u64 {
        let mixed = (key_id ^ self.secret).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }
}

impl KeyCount {
    fn add(&mut self, slice: u64, uses_per_key: u32) -> Result<(), GuardRefusal> {
        if slice > self.newest {
            let passed = (slice - self.newest).min(SLICES as u64);
            for old in slice + 1 - passed..=slice {
                self.all -= core::mem::take(&mut self.uses[place(old)]);
            }
            self.newest = slice;
        }
        if self.all >= uses_per_key {
            return Err(GuardRefusal::Quota);
        }
        self.uses[place(slice)] += 1;
        self.all += 1;
        Ok(())
    }
}

fn place(slice: u64) -> usize {
    usize::try_from(slice % SLICES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEW_MS: u64 = 60_000;
    const NOW_MS: u64 = 1_790_611_732_512;

    fn counts(uses_per_key: u32, keys: usize) -> Counts {
        Counts::new(Quota { uses_per_key, keys }, SKEW_MS, 0x5eed)
    }

    #[test]
    fn a_key_has_its_quota_and_no_more() {
        let counts = counts(3, 10);
        assert!((0..3).all(|_| counts.add(7, NOW_MS).is_ok()));
        assert_eq!(counts.add(7, NOW_MS + 1), Err(GuardRefusal::Quota));
        assert_eq!(counts.add(8, NOW_MS + 1), Ok(()));
        // Within a window it counts; some slices after that it no longer does.
        assert_eq!(counts.add(7, NOW_MS + 2 * SKEW_MS), Err(GuardRefusal::Quota));
        assert_eq!(counts.add(7, NOW_MS + 5 * SKEW_MS / 2), Ok(()));
        assert_eq!(counts.add(7, NOW_MS + 1_000 * SKEW_MS), Ok(()));
    }

    #[test]
    fn keys_without_uses_make_room_for_others() {
        let counts = counts(1, 1);
        let fits = |at_ms| (0..10_000).filter(|id| counts.add(*id, at_ms).is_ok()).count();
        let first = fits(NOW_MS);
        assert!((1..1_000).contains(&first), "{first}");
        assert_eq!(fits(NOW_MS + 2 * SKEW_MS), 0);
        assert!(fits(NOW_MS + 5 * SKEW_MS / 2) > 0);
    }
}

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
    /// How many uses of one key are remembered at a time; more are refused as if the guard was
    /// full.
    pub uses_per_key: u32,
    /// How many keys can have uses at a time. Some 100 bytes are taken for each.
    pub keys: usize,
}

/// Counts uses per key over the last `SLICES` slices of time.
pub(super) struct Counts<const SLICES: usize> {
    shards: Box<[Mutex<HashTable<KeyCount<SLICES>>>]>,
    uses_per_key: u32,
    keys_per_shard: usize,
    secret: u64,
}

struct KeyCount<const SLICES: usize> {
    key_id: u64,
    newest: u64,
    uses: [u32; SLICES],
}

impl<const SLICES: usize> Counts<SLICES> {
    pub(super) fn new(quota: Quota, secret: u64) -> Self {
        let share = quota.keys.div_ceil(SHARDS);
        // As with the tables of a guard: four standard deviations, and a few.
        let keys_per_shard = share + 4 * share.isqrt() + 8;
        let table = || Mutex::new(HashTable::with_capacity(keys_per_shard));
        Self {
            shards: (0..SHARDS).map(|_| table()).collect(),
            uses_per_key: quota.uses_per_key,
            keys_per_shard,
            secret,
        }
    }

    /// Counts a use in a slice, or says that there is no room for it.
    pub(super) fn add(&self, key_id: u64, slice: u64) -> Result<(), GuardRefusal> {
        self.with_shard(key_id, |table, hash| {
            let is_known = table.find(hash, |count| count.key_id == key_id).is_some();
            if !is_known && table.len() >= self.keys_per_shard {
                table.retain(|count| count.newest + SLICES as u64 > slice);
            }
            let is_full = table.len() >= self.keys_per_shard;
            let rehash = |count: &KeyCount<SLICES>| self.hash(count.key_id);
            let count = match table.entry(hash, |count| count.key_id == key_id, rehash) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(_) if is_full => return Err(GuardRefusal::Full),
                Entry::Vacant(entry) => {
                    let count = KeyCount { key_id, newest: slice, uses: [0; SLICES] };
                    entry.insert(count).into_mut()
                }
            };
            count.add(slice, self.uses_per_key)
        })
    }

    fn with_shard<T>(
        &self,
        key_id: u64,
        f: impl FnOnce(&mut HashTable<KeyCount<SLICES>>, u64) -> T,
    ) -> T {
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

impl<const SLICES: usize> KeyCount<SLICES> {
    fn add(&mut self, slice: u64, uses_per_key: u32) -> Result<(), GuardRefusal> {
        if slice > self.newest {
            let passed = (slice - self.newest).min(SLICES as u64);
            for old in slice + 1 - passed..=slice {
                self.uses[place::<SLICES>(old)] = 0;
            }
            self.newest = slice;
        }
        if self.uses.iter().sum::<u32>() >= uses_per_key {
            return Err(GuardRefusal::Full);
        }
        self.uses[place::<SLICES>(slice)] += 1;
        Ok(())
    }
}

fn place<const SLICES: usize>(slice: u64) -> usize {
    usize::try_from(slice % SLICES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(uses_per_key: u32, keys: usize) -> Counts<4> {
        Counts::new(Quota { uses_per_key, keys }, 0x5eed)
    }

    #[test]
    fn a_key_has_its_quota_and_no_more() {
        let counts = counts(3, 10);
        assert!((0..3).all(|_| counts.add(7, 100).is_ok()));
        assert_eq!(counts.add(7, 101), Err(GuardRefusal::Full));
        assert_eq!(counts.add(8, 101), Ok(()));
        // Four slices on, what was counted at 100 no longer matters.
        assert_eq!(counts.add(7, 103), Err(GuardRefusal::Full));
        assert_eq!(counts.add(7, 104), Ok(()));
        assert_eq!(counts.add(7, 1_000_000), Ok(()));
    }

    #[test]
    fn keys_without_uses_make_room_for_others() {
        let counts = counts(1, 1);
        let fits = |slice| (0..10_000).filter(|id| counts.add(*id, slice).is_ok()).count();
        let first = fits(100);
        assert!((1..1_000).contains(&first), "{first}");
        assert_eq!(fits(103), 0);
        assert!(fits(104) > 0);
    }
}

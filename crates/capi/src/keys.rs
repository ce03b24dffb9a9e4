//! [`Keys`]: keys by their ids, which verifiers read without a lock while other threads change them.
//!
//! It is a table of slots whose keys are swapped atomically. An id never leaves its slot, so a
//! reader needs one look at the table and one at the slot, and writes to no memory that another
//! thread reads. A reader keeps the key that it found; a removed key is wiped by its last reader.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use cortexkey_core::auth::{KeyId, StoredKey};

use crate::handle;
use crate::status::{CXK_NOT_FOUND, cxk_status};

/// A key that was found, or none; it does not change while it is held.
pub(crate) type FoundKey = Guard<Option<Arc<StoredKey>>>;

/// The value behind a keyring.
pub(crate) struct Keys {
    table: ArcSwap<Table>,
    /// How many slots have an id; locked by the thread that changes keys.
    used: Mutex<usize>,
}

/// At least twice as many slots as ids, and a power of two.
struct Table(Box<[Slot]>);

#[derive(Default)]
struct Slot {
    /// 0 if the slot is free.
    key_id: AtomicU64,
    key: ArcSwapOption<StoredKey>,
}

const SLOTS_MIN: usize = 16;

impl Default for Keys {
    fn default() -> Self {
        Self { table: ArcSwap::from_pointee(Table::new(SLOTS_MIN)), used: Mutex::new(0) }
    }
}

impl Keys {
    /// The current key with an id.
    pub(crate) fn get(&self, key_id: KeyId) -> FoundKey {
        let table = self.table.load();
        table.slot(key_id).map_or_else(|| Guard::from_inner(None), |slot| slot.key.load())
    }

    /// Adds a key, or replaces the key with the same id.
    pub(crate) fn put(&self, key: StoredKey) -> Result<(), cxk_status> {
        let key_id = key.key_id();
        let mut used = self.change();
        let table = self.table.load();
        let old = if let Some(slot) = table.slot(key_id) {
            slot.key.swap(Some(Arc::new(key)))
        } else {
            if 2 * (*used + 1) > table.0.len() {
                *used = self.grow(&table)?;
            }
            self.table.load().insert(key_id, Arc::new(key));
            *used += 1;
            None
        };
        drop(used);
        // Wiped once other threads continue.
        drop(old);
        Ok(())
    }

    /// Revokes a key.
    pub(crate) fn revoke(&self, key_id: KeyId) -> Result<(), cxk_status> {
        let _used = self.change();
        self.get(key_id).as_ref().map(|key| key.revoke()).ok_or(CXK_NOT_FOUND)
    }

    /// Removes a key. Its id keeps the slot until the table grows.
    pub(crate) fn remove(&self, key_id: KeyId) -> Result<(), cxk_status> {
        let used = self.change();
        let removed = self.table.load().slot(key_id).and_then(|slot| slot.key.swap(None));
        drop(used);
        removed.map(drop).ok_or(CXK_NOT_FOUND)
    }

    /// A panic while keys were changed cannot have left a change half done.
    fn change(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the keys to a table with room for as many again; returns their number.
    fn grow(&self, table: &Table) -> Result<usize, cxk_status> {
        let keys: Vec<_> = table.0.iter().filter_map(|slot| slot.key.load_full()).collect();
        let slots = (4 * (keys.len() + 1)).next_power_of_two().max(SLOTS_MIN);
        handle::has_memory(slots * size_of::<Slot>())?;
        let larger = Table::new(slots);
        let count = keys.len();
        for key in keys {
            larger.insert(key.key_id(), key);
        }
        self.table.store(Arc::new(larger));
        Ok(count)
    }
}

impl Table {
    fn new(slots: usize) -> Self {
        Self((0..slots).map(|_| Slot::default()).collect())
    }

    /// The slot of an id that has one.
    fn slot(&self, key_id: KeyId) -> Option<&Slot> {
        self.slots_from(key_id)
            .take_while(|slot| slot.key_id.load(Ordering::Acquire) != 0)
            .find(|slot| slot.key_id.load(Ordering::Relaxed) == key_id.get())
    }

    /// Assigns the first free slot to a key; there is always one.
    fn insert(&self, key_id: KeyId, key: Arc<StoredKey>) {
        let mut slots = self.slots_from(key_id);
        if let Some(slot) = slots.find(|slot| slot.key_id.load(Ordering::Relaxed) == 0) {
            slot.key.store(Some(key));
            // A reader that sees the id also sees the key.
            slot.key_id.store(key_id.get(), Ordering::Release);
        }
    }

    /// All slots, starting with the preferred one of an id.
    fn slots_from(&self, key_id: KeyId) -> impl Iterator<Item = &Slot> {
        let spread = key_id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let place = usize::try_from(spread).unwrap_or(0) & (self.0.len() - 1);
        let (front, back) = self.0.split_at(place);
        back.iter().chain(front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cortexkey_core::auth::{Key, Level};
    use std::collections::BTreeMap;

    fn id(number: u64) -> KeyId {
        KeyId::new(number).unwrap()
    }

    fn stored(number: u64, created_ms: u64) -> StoredKey {
        let key = Key::new(b"test-api-key").unwrap();
        StoredKey::new(id(number), Level::Advanced, key).created_at(created_ms)
    }

    /// Puts, revokes and removes against a map, over several growths.
    #[test]
    fn keys_are_those_of_a_map() {
        let keys = Keys::default();
        let mut map = BTreeMap::new();
        let mut chance = 1_u64;
        for step in 0..20_000_u64 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
            let number = 1 + (chance >> 40) % 500;
            match (chance >> 33) % 4 {
                0 | 1 => {
                    keys.put(stored(number, step)).unwrap();
                    map.insert(number, (step, false));
                }
                2 => {
                    let expected = map.remove(&number).map(drop).ok_or(CXK_NOT_FOUND);
                    assert_eq!(keys.remove(id(number)), expected);
                }
                _ => {
                    let known = map.get_mut(&number).map(|(_, revoked)| *revoked = true);
                    assert_eq!(keys.revoke(id(number)), known.ok_or(CXK_NOT_FOUND));
                }
            }
            let found = keys.get(id(number));
            let found = found.as_ref().map(|key| (key.created_ms(), key.is_revoked()));
            assert_eq!(found, map.get(&number).copied(), "step {step}");
        }
    }

    /// While one thread puts and removes keys, others find either the key or none, and always find
    /// keys that stay.
    #[test]
    fn readers_find_keys_during_changes() {
        let keys = Keys::default();
        for number in 1..=100 {
            keys.put(stored(number, 1)).unwrap();
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 101..5_000 {
                    keys.put(stored(number, 1)).unwrap();
                    keys.put(stored(number % 100 + 1, number)).unwrap();
                    keys.remove(id(number)).unwrap();
                }
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut number = 0;
                    for _ in 0..100_000 {
                        number = number % 100 + 1;
                        let found = keys.get(id(number));
                        assert_eq!(found.as_ref().map(|key| key.key_id()), Some(id(number)));
                    }
                });
            }
        });
        assert!(keys.get(id(4_999)).is_none());
    }
}

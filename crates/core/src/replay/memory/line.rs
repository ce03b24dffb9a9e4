//! [`Line`]: one cache line with up to seven uses and a note about them.
//!
//! A slot contains a tag of 43 bits and the last 21 bits of the timestamp's milliseconds. The
//! window is far shorter than 2^21 ms, so these bits show whether a use can still be accepted, as
//! long as the line is scanned often enough: the note stores when it was.

use super::sync::{AtomicU64, LockedWord, Relaxed};

/// Slots of a line.
pub(super) const SLOTS: usize = 7;

/// Bits of a slot that hold the timestamp's last milliseconds.
const TIME_BITS: u32 = 21;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// Ages of a line, in units of 4,096 ms: after the first it is scanned when it is locked, and after
/// the second all its uses have expired. Uses are added until the first, and expire at most 600 s
/// later, which is 208 units; the bits of time wrap around after 365.
const AGE_TO_SCAN: u64 = 60;
const AGE_TO_CLEAR: u64 = 240;

/// The low-water mark at one moment: nothing older is ever accepted.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) ms: u64,
}

impl Mark {
    fn tick(self) -> u32 {
        tick(self.ms)
    }

    fn part(self) -> u64 {
        self.ms >> 12
    }
}

/// Time in steps of 64 ms, which wraps around after eight years. A line that was unused for that
/// long only makes a search longer.
#[expect(clippy::cast_possible_truncation, reason = "only the last bits are stored")]
pub(super) fn tick(ms: u64) -> u32 {
    (ms >> 6) as u32
}

/// The slot value of a use. Never 0, which is an empty slot.
pub(super) fn slot(hash: u64, ms: u64) -> u64 {
    (hash << TIME_BITS | ms & TIME).max(1)
}

/// The uses of a line, with its lock and note.
#[repr(align(64))]
pub(super) struct Line {
    note: LockedWord,
    slots: [AtomicU64; SLOTS],
}

/// A line's note: 32 bits for the latest use that went past it, 3 for the number of used slots, 27
/// for when it was last scanned, and a flag. The highest bit stays clear.
#[derive(Clone, Copy)]
pub(super) struct Note(u64);

const PASSED: u64 = 0xffff_ffff;
const AGES: u64 = (1 << 27) - 1;
/// A search for a use with this first line is under way. While it is set, no other search starts
/// here, and so equal uses meet here, wherever they end up.
const SEARCHED: u64 = 1 << 62;

impl Note {
    /// The number of used slots: the first ones.
    pub(super) fn used(self) -> usize {
        (self.0 >> 32 & 7) as usize
    }

    /// Whether a use that went past this line may still be accepted.
    pub(super) fn is_passed(self, mark: Mark, span_ms: u64) -> bool {
        u64::from(self.passed().wrapping_sub(mark.tick())) <= (span_ms >> 6) + 1
    }

    /// Notes that a use of this time goes past the line. A use that has expired since is not noted,
    /// because it would replace one that has not.
    pub(super) fn with_passing(self, ms: u64, mark: Mark, span_ms: u64) -> Self {
        let since_mark = |tick: u32| tick.wrapping_sub(mark.tick());
        let is_noted =
            self.is_passed(mark, span_ms) && since_mark(self.passed()) >= since_mark(tick(ms));
        let is_dead = ms < mark.ms;
        if is_noted || is_dead { self } else { Self(self.0 & !PASSED | u64::from(tick(ms))) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the lower half is stored")]
    fn passed(self) -> u32 {
        self.0 as u32
    }

    fn age(self, mark: Mark) -> u64 {
        mark.part().wrapping_sub(self.0 >> 35) & AGES
    }

    fn looked_through(self, used: usize, mark: Mark) -> Self {
        Self(self.0 & (SEARCHED | PASSED) | (used as u64) << 32 | (mark.part() & AGES) << 35)
    }
}

impl Line {
    pub(super) fn new() -> Self {
        Self { note: LockedWord::new(0), slots: core::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Locks the line.
    #[inline]
    pub(super) fn lock(&self) -> Note {
        Note(self.note.lock())
    }

    /// Locks the line as the first line of a use, once no search from it is under way.
    #[inline]
    pub(super) fn lock_as_first(&self) -> Note {
        Note(self.note.lock_without(SEARCHED))
    }

    #[inline]
    pub(super) fn unlock(&self, note: Note) {
        self.note.unlock(note.0);
    }

    /// Unlocks the line, and keeps it marked as the first line of a search.
    pub(super) fn begin_search(&self, note: Note) {
        self.note.unlock(note.0 | SEARCHED);
    }

    pub(super) fn end_search(&self) {
        let note = self.note.lock();
        self.note.unlock(note & !SEARCHED);
    }

    /// Whether the use is in the line, without a branch for each slot.
    #[inline]
    pub(super) fn has(&self, slot: u64) -> bool {
        self.slots.iter().fold(false, |has, place| has | (place.load(Relaxed) == slot))
    }

    /// Drops dead uses if fewer than `wanted` slots are free, and if that was not done recently.
    #[inline]
    pub(super) fn drop_dead(&self, note: Note, most_used: usize, mark: Mark, span_ms: u64) -> Note {
        let is_needed = note.used() >= most_used || note.age(mark) > AGE_TO_SCAN;
        if is_needed { self.keep_live(note, mark, span_ms) } else { note }
    }

    /// Moves the uses that can still be accepted to the first slots, and drops the others.
    #[inline]
    fn keep_live(&self, note: Note, mark: Mark, span_ms: u64) -> Note {
        let all_dead = note.age(mark) > AGE_TO_CLEAR;
        let mut used = 0;
        for place in &self.slots {
            let slot = place.load(Relaxed);
            place.store(0, Relaxed);
            let is_live = slot.wrapping_sub(mark.ms) & TIME <= span_ms;
            if is_live && slot != 0 && !all_dead {
                self.slots[used].store(slot, Relaxed);
                used += 1;
            }
        }
        note.looked_through(used, mark)
    }

    /// Puts a use into the first free slot; there must be one.
    #[inline]
    pub(super) fn put(&self, note: Note, slot: u64) -> Note {
        self.slots[note.used()].store(slot, Relaxed);
        Note(note.0 + (1 << 32))
    }

    /// How many live uses there are.
    #[cfg(test)]
    pub(super) fn live(&self, mark: Mark, span_ms: u64) -> usize {
        let note = self.keep_live(self.lock(), mark, span_ms);
        self.unlock(note);
        note.used()
    }
}

//! [`Table`]: the stored uses of a guard.
//!
//! It is one array of [`Line`]s. A use's first line is its timestamp's position on a ring, plus a
//! random offset within a small window, so a stream in chronological order works on a small part of
//! the array, which stays in a near cache. If that line is full, the next is drawn from a window
//! four times as wide, and so on until any line is possible: so any mix of timestamps finds the
//! space that is left.
//!
//! Nothing is swept, and a use never changes its line. A slot whose use can no longer be accepted
//! is free. A line that a use went past notes until when that matters, and a search ends at the
//! first line that no live use went past. So an ordinary insert touches one line.
//!
//! Why equal uses are not accepted twice: they have the same lines in the same order, and the first
//! line allows one search at a time. The mark is read only with the line locked: then it is not
//! older than the one by which any thread dropped a use from that line before.

use alloc::boxed::Box;

use super::line::{Line, Mark, Note, SLOTS, slot};
use super::quota::{Counting, Share};
use super::spread::{GOLDEN, mixed, part_of};
use super::sync::{AtomicU64, Padded, Relaxed};
use crate::replay::GuardRefusal;

/// The most lines that one search touches. At `entries` uses at most two thirds of the lines are
/// full, and all but the first eight lines of a search are drawn from all: it finds no space with a
/// probability of 2^-51.
const PROBES: u32 = 96;
/// Uses per line, and additional lines for the larger deviations in a small table.
pub(super) const USES_PER_LINE: usize = 4;
pub(super) const SPARE_LINES: usize = if cfg!(any(loom, shuttle)) { 1 } else { 2_048 };
/// The window, in lines, from which a first line is drawn.
const NEAR_LINES: usize = if cfg!(any(loom, shuttle)) { 1 } else { 64 };
/// The mark rises in steps of this many milliseconds, a power of two, so threads seldom write to
/// it.
const MARK_STEP_MS: u64 = 16;

/// A use and its position.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    hash: u64,
    ms: u64,
    /// Its timestamp's position on the ring, as a part of 2^64.
    phase: u64,
    slot: u64,
}

pub(super) struct Table {
    lines: Box<[Line]>,
    /// How far above the mark a timestamp can be.
    span_ms: u64,
    /// The part of the ring, which is 2^64 long, that a millisecond takes.
    turn: u64,
    /// The first window is one part in 2^this of the ring.
    narrow: u32,
    /// The slots of a line that any use may take; one more is kept for keys within their guaranteed
    /// share.
    common: usize,
    mark_ms: Padded<AtomicU64>,
}

/// Whether a use is stored behind its first line, or the first probe with a free slot.
enum ProbeResult {
    Known,
    RoomFrom(u32),
}

impl Table {
    pub(super) fn new(entries: usize, skew_ms: u64) -> Self {
        let lines = lines_for(entries);
        Self {
            lines: (0..lines).map(|_| Line::new()).collect(),
            span_ms: span_ms(skew_ms),
            // A sixteenth more than a steady stream has live, to allow for clock differences.
            turn: u64::MAX / (skew_ms + skew_ms / 16),
            narrow: (lines / NEAR_LINES).checked_ilog2().unwrap_or(0),
            common: SLOTS,
            mark_ms: Padded(AtomicU64::new(0)),
        }
    }

    /// Keeps one slot of each line for keys within their guaranteed share; returns how many uses
    /// can be guaranteed to all keys together. That is every second such slot, so one is found
    /// soon.
    pub(super) fn reserve(&mut self) -> usize {
        self.common = SLOTS - 1;
        self.lines.len() / 2
    }

    pub(super) fn spot(&self, hash: u64, ms: u64) -> Spot {
        Spot { hash, ms, phase: ms.wrapping_mul(self.turn), slot: slot(hash, ms) }
    }

    /// Raises the mark: older timestamps are no longer accepted.
    #[inline]
    pub(super) fn raise_mark(&self, dead_ms: u64) {
        let dead_ms = dead_ms & !(MARK_STEP_MS - 1);
        if dead_ms > self.mark_ms.0.load(Relaxed) {
            self.mark_ms.0.fetch_max(dead_ms, Relaxed);
        }
    }

    /// Stores the use if it is new and within the quota of its key.
    #[inline]
    pub(super) fn insert(&self, spot: &Spot, counting: Counting<'_>) -> Result<(), GuardRefusal> {
        let line = self.line(spot, 0);
        let note = line.lock_as_first();
        let mark = self.mark();
        if spot.ms < mark.ms {
            line.unlock(note);
            return Err(GuardRefusal::Forgotten);
        }
        if line.has(spot.slot) {
            line.unlock(note);
            return Err(GuardRefusal::Replayed);
        }
        let note = line.drop_dead(note, self.common, mark, self.span_ms);
        if note.used() >= self.common || note.is_passed(mark, self.span_ms) {
            return self.search(line, note, spot, counting);
        }
        let counted = counting.add(mark.ms);
        line.unlock(if counted.is_ok() { line.put(note, spot.slot) } else { note });
        counted.map(drop)
    }

    /// Stores the use if the first line alone does not decide.
    #[inline(never)]
    fn search(
        &self,
        first: &Line,
        note: Note,
        spot: &Spot,
        counting: Counting<'_>,
    ) -> Result<(), GuardRefusal> {
        let mark = self.mark();
        let has_room = note.used() < self.common;
        let found = if note.is_passed(mark, self.span_ms) {
            first.begin_search(self.passing(spot, note, has_room, mark));
            self.find(spot, has_room)
        } else {
            first.begin_search(note);
            ProbeResult::RoomFrom(0)
        };
        let answer = match found {
            ProbeResult::Known => Err(GuardRefusal::Replayed),
            ProbeResult::RoomFrom(probe) => counting.add(self.mark().ms).and_then(|share| {
                let placed = self.place(spot, probe, share);
                if placed.is_err() {
                    counting.undo();
                }
                placed
            }),
        };
        first.end_search();
        answer
    }

    /// Searches for the use behind its first line. The lines before the first one with a free slot
    /// note that the use goes past them, because they are not visited again.
    fn find(&self, spot: &Spot, first_has_room: bool) -> ProbeResult {
        let mut room = first_has_room.then_some(0);
        for probe in 1..PROBES {
            let line = self.line(spot, probe);
            let note = line.lock();
            let mark = self.mark();
            if line.has(spot.slot) {
                line.unlock(note);
                return ProbeResult::Known;
            }
            let note = line.drop_dead(note, self.common, mark, self.span_ms);
            if !note.is_passed(mark, self.span_ms) {
                line.unlock(note);
                return ProbeResult::RoomFrom(room.unwrap_or(probe));
            }
            if note.used() < self.common {
                room = room.or(Some(probe));
            }
            line.unlock(self.passing(spot, note, room.is_some(), mark));
        }
        ProbeResult::RoomFrom(room.unwrap_or(0))
    }

    /// The note of a line that the use goes past, unless a slot was free before.
    fn passing(&self, spot: &Spot, note: Note, had_room: bool, mark: Mark) -> Note {
        if had_room { note } else { note.with_passing(spot.ms, mark, self.span_ms) }
    }

    /// Puts the use into the first line from `probe` on with a free slot for it. The lines before
    /// have noted that it goes past them.
    fn place(&self, spot: &Spot, probe: u32, share: Share) -> Result<(), GuardRefusal> {
        let most = match share {
            Share::Guaranteed => SLOTS,
            Share::Common => self.common,
        };
        for probe in probe..PROBES {
            let line = self.line(spot, probe);
            let note = line.lock();
            let mark = self.mark();
            if spot.ms < mark.ms {
                // The mark has risen, and an equal use may have been dropped from a line before.
                line.unlock(note);
                return Err(GuardRefusal::Forgotten);
            }
            let note = line.drop_dead(note, self.common, mark, self.span_ms);
            if note.used() < most {
                line.unlock(line.put(note, spot.slot));
                return Ok(());
            }
            line.unlock(note.with_passing(spot.ms, mark, self.span_ms));
        }
        Err(GuardRefusal::Full)
    }

    /// The line of probe number `probe`. Each is drawn independently: steps of equal length would visit the
    /// same few lines again.
    #[inline]
    fn line(&self, spot: &Spot, probe: u32) -> &Line {
        let chance = mixed(spot.hash.wrapping_add(u64::from(probe).wrapping_mul(GOLDEN)));
        let window = chance >> self.narrow.saturating_sub(2 * probe);
        &self.lines[part_of(spot.phase.wrapping_add(window), self.lines.len())]
    }

    #[inline]
    fn mark(&self) -> Mark {
        Mark { ms: self.mark_ms.0.load(Relaxed) }
    }

    /// How many stored uses can still be accepted.
    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.lines.iter().map(|line| line.live(self.mark(), self.span_ms)).sum()
    }
}

/// As many lines as a table has that holds so many uses, whatever their timestamps.
pub(super) fn lines_for(entries: usize) -> usize {
    entries.div_ceil(USES_PER_LINE) + SPARE_LINES
}

/// How far a timestamp can be above the mark: the mark is at most a step behind the start of the
/// window.
pub(super) fn span_ms(skew_ms: u64) -> u64 {
    2 * skew_ms + MARK_STEP_MS
}

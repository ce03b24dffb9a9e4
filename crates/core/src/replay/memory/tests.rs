//! The guard compared with a map with exact expiry, for many patterns of timestamps.
//!
//! The gate runs small guards. `CORTEXKEY_GUARD_ENTRIES`, which the campaign sets, gives the size of
//! a large one for `any_mix_of_timestamps_is_accepted_up_to_the_entries`.

use super::table::lines_for;
use super::*;
use crate::auth::KeyId;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::vec::Vec;

const NOW_MS: u64 = 1_790_611_732_512;

fn guard(entries: usize, skew_ms: u64) -> MemoryGuard {
    let skew = Skew::from_ms(skew_ms).unwrap();
    let secret = [0x0123_4567_89ab_cdef ^ entries as u64, 0xfedc_ba98_7654_3210];
    MemoryGuard::new(MemoryGuardConfig { entries, skew, start: Start::First, secret })
}

/// A use of key `key_id` with a pseudo-random digest for each number.
fn verified(key_id: u64, number: u64, timestamp_ms: u64, skew_ms: u64, now_ms: u64) -> VerifiedUse {
    let mut digest = [0; 32];
    for (place, bytes) in (1..).zip(digest.as_chunks_mut::<8>().0) {
        *bytes = spread(number.wrapping_mul(4).wrapping_add(place)).to_le_bytes();
    }
    let key_id = KeyId::new(key_id).unwrap();
    VerifiedUse { key_id, key_created_ms: 0, digest, timestamp_ms, skew_ms, now_ms }
}

fn spread(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Pseudo-random numbers.
struct TestRng(u64);

impl TestRng {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        spread(self.0) % end.max(1)
    }
}

#[test]
fn no_guard_uses_more_than_20_bytes_per_entry() {
    let mut entries = 1;
    while entries < 200_000_000 {
        let bytes = lines_for(entries) * 64;
        assert!(bytes <= 20 * entries.max(40_000), "{entries} entries: {bytes} bytes");
        entries += entries.div_ceil(97);
    }
}

/// The sizing rule, entries = requests per second times twice the skew, for clients whose clocks
/// agree, and for clients that are as far ahead as allowed.
#[test]
fn a_steady_rate_within_capacity_is_never_refused() {
    for entries in [1, 16, 1_000, 36_000, 250_000] {
        for skew_ms in [1_000, 1_001, 1_007, 60_000, 299_999] {
            for ahead_ms in [0, skew_ms] {
                let guard = guard(entries, skew_ms);
                for number in 0..3 * entries as u64 {
                    let now_ms = NOW_MS + number * 2 * skew_ms / entries as u64;
                    let used = verified(7, number, now_ms + ahead_ms, skew_ms, now_ms);
                    let answer = guard.check_and_insert(&used);
                    assert_eq!(answer, Ok(()), "{entries} entries, {skew_ms} ms, use {number}");
                }
            }
        }
    }
}

/// How timestamps are chosen, and how the clock advances.
#[derive(Clone, Copy, Debug)]
enum ClockPattern {
    Steady,
    Jitter,
    Uniform,
    OneInstant,
    TwoInstants,
    Sawtooth,
    FutureEdge,
    PastEdge,
    JumpingClock,
    Comb,
    LongPauses,
}

const WAYS: [ClockPattern; 11] = [
    ClockPattern::Steady,
    ClockPattern::Jitter,
    ClockPattern::Uniform,
    ClockPattern::OneInstant,
    ClockPattern::TwoInstants,
    ClockPattern::Sawtooth,
    ClockPattern::FutureEdge,
    ClockPattern::PastEdge,
    ClockPattern::JumpingClock,
    ClockPattern::Comb,
    ClockPattern::LongPauses,
];

/// Pauses near where the time bits in a slot wrap around, and beyond where its age does.
const LONG_PAUSES_MS: [u64; 5] = [260_000, 1_100_000, 1 << 21, 1 << 23, 34 * 365 * 86_400_000];

struct Asking {
    way: ClockPattern,
    now_ms: u64,
    skew_ms: u64,
    /// Requests per millisecond in a stream that fits.
    rate: u64,
    /// The one that a burst has.
    instant_ms: u64,
    step: u64,
    chance: TestRng,
}

impl Asking {
    fn new(way: ClockPattern, entries: usize, skew_ms: u64) -> Self {
        let rate = (entries as u64 / (2 * skew_ms)).max(1);
        let chance = TestRng(spread(entries as u64 ^ way as u64));
        Self { way, now_ms: NOW_MS, skew_ms, rate, instant_ms: NOW_MS, step: 0, chance }
    }

    /// The next timestamp, which the clock takes. If the guard is full, the clock advances.
    fn next(&mut self, is_full: bool) -> u64 {
        let skew_ms = self.skew_ms;
        let full = u64::from(is_full);
        self.step += 1;
        let tick = u64::from(self.step.is_multiple_of(self.rate)) + full;
        let start_ms = |now_ms: u64| now_ms - skew_ms;
        match self.way {
            ClockPattern::Steady => {
                self.now_ms += tick;
                self.now_ms
            }
            ClockPattern::Jitter => {
                self.now_ms += tick;
                self.now_ms - skew_ms / 16 + self.chance.below(skew_ms / 8)
            }
            ClockPattern::Uniform => {
                self.now_ms += tick;
                start_ms(self.now_ms) + self.chance.below(2 * skew_ms + 1)
            }
            ClockPattern::OneInstant | ClockPattern::TwoInstants => {
                if is_full {
                    self.now_ms = self.instant_ms + skew_ms + 17;
                    self.instant_ms = self.now_ms + skew_ms - self.chance.below(skew_ms);
                }
                let is_other =
                    matches!(self.way, ClockPattern::TwoInstants) && self.chance.below(2) == 0;
                if is_other { start_ms(self.now_ms) } else { self.instant_ms }
            }
            ClockPattern::Sawtooth => {
                self.now_ms += tick;
                start_ms(self.now_ms) + self.step * 7 % (2 * skew_ms + 1)
            }
            ClockPattern::FutureEdge => {
                self.now_ms += tick;
                self.now_ms + skew_ms
            }
            ClockPattern::PastEdge => {
                self.now_ms += tick;
                start_ms(self.now_ms)
            }
            ClockPattern::JumpingClock => {
                if is_full || self.chance.below(2_000) == 0 {
                    let back_ms = if is_full { 0 } else { 2 * skew_ms };
                    self.now_ms = self.now_ms + self.chance.below(6 * skew_ms) - back_ms;
                }
                start_ms(self.now_ms) + self.chance.below(2 * skew_ms + 1)
            }
            ClockPattern::Comb => {
                if is_full || self.step.is_multiple_of(1_000) {
                    self.now_ms += skew_ms / 64 + 1;
                }
                self.now_ms
            }
            ClockPattern::LongPauses => {
                if is_full {
                    let pause = self.chance.below(LONG_PAUSES_MS.len() as u64);
                    let pause_ms = LONG_PAUSES_MS[usize::try_from(pause).unwrap()];
                    self.now_ms += pause_ms + self.chance.below(3) * skew_ms;
                }
                self.now_ms + skew_ms
            }
        }
    }
}

/// The expected state of a guard: a map from uses to timestamps, which forgets exactly below the
/// mark.
#[derive(Default)]
struct Model {
    uses: HashMap<u64, u64>,
    by_time: BTreeMap<u64, Vec<u64>>,
    mark_ms: u64,
}

impl Model {
    fn raise_mark(&mut self, dead_ms: u64) {
        self.mark_ms = self.mark_ms.max(dead_ms / 16 * 16);
        while let Some(oldest) = self.by_time.first_entry()
            && *oldest.key() < self.mark_ms
        {
            for number in oldest.remove() {
                self.uses.remove(&number);
            }
        }
    }

    fn answer(&self, number: u64, timestamp_ms: u64) -> Result<(), GuardRefusal> {
        if timestamp_ms < self.mark_ms {
            Err(GuardRefusal::Forgotten)
        } else if self.uses.contains_key(&number) {
            Err(GuardRefusal::Replayed)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, number: u64, timestamp_ms: u64) {
        self.uses.insert(number, timestamp_ms);
        self.by_time.entry(timestamp_ms).or_default().push(number);
    }
}

/// Presents new uses and, a quarter of the time, earlier ones to the guard and the model. Every
/// answer is the same, and so none is `Full` up to the guard's entries.
fn as_the_model_says(
    way: ClockPattern,
    entries: usize,
    skew_ms: u64,
    asks: usize,
    quota: Option<Quota>,
) {
    let mut guard = guard(entries, skew_ms);
    if let Some(quota) = quota {
        guard = guard.with_quota(quota);
    }
    let mut model = Model::default();
    let mut asking = Asking::new(way, entries, skew_ms);
    let mut past: Vec<(u64, u64)> = Vec::new();
    let mut fullest = 0;
    for ask in 1..=asks as u64 {
        let was_full = model.uses.len() >= entries;
        let new_ms = asking.next(was_full);
        model.raise_mark(asking.now_ms - skew_ms);
        let is_full = model.uses.len() >= entries;
        let again = (is_full || asking.chance.below(4) == 0) && !past.is_empty();
        let (number, timestamp_ms) = if again {
            past[usize::try_from(asking.chance.below(past.len() as u64)).unwrap()]
        } else {
            (ask, new_ms)
        };
        let expected = model.answer(number, timestamp_ms);
        if timestamp_ms > asking.now_ms + skew_ms || (is_full && expected.is_ok()) {
            continue;
        }
        let used = verified(1 + number % 50, number, timestamp_ms, skew_ms, asking.now_ms);
        let answer = guard.check_and_insert(&used);
        assert_eq!(answer, expected, "{way:?}, {entries} entries, {skew_ms} ms, ask {ask}");
        if answer.is_ok() {
            model.insert(number, timestamp_ms);
            fullest = fullest.max(model.uses.len());
            if past.len() < 100_000 {
                past.push((number, timestamp_ms));
            } else {
                let place = asking.chance.below(100_000);
                past[usize::try_from(place).unwrap()] = (number, timestamp_ms);
            }
        }
    }
    assert_eq!(guard.table.live(), model.uses.len(), "{way:?}, {entries} entries");
    let is_burst = matches!(
        way,
        ClockPattern::OneInstant | ClockPattern::TwoInstants | ClockPattern::LongPauses
    );
    assert!(!is_burst || fullest == entries, "{way:?}: only {fullest} of {entries} were used");
}

#[test]
fn any_mix_of_timestamps_is_accepted_up_to_the_entries() {
    let large = std::env::var("CORTEXKEY_GUARD_ENTRIES").ok();
    let sizes = match &large {
        Some(text) => std::vec![text.parse().unwrap()],
        None => std::vec![1, 7, 1_000, 10_000],
    };
    for entries in sizes {
        for way in WAYS {
            let skews: &[u64] = if large.is_some() { &[60_000] } else { &[1_000, 300_000] };
            for skew_ms in skews {
                as_the_model_says(way, entries, *skew_ms, entries * 4 + 500, None);
            }
        }
    }
}

#[test]
fn a_quota_that_no_key_reaches_changes_no_answer() {
    let quota = Some(Quota { uses_per_key: u32::MAX, keys: 50 });
    for way in WAYS {
        as_the_model_says(way, 5_000, 60_000, 20_000, quota);
    }
}

/// One line, tested after every pause: live uses are there, and no dead one is in the way.
#[test]
fn a_line_keeps_live_uses_after_any_pause() {
    const SKEW_MS: u64 = 300_000;
    for pause_ms in (0..2_400_000).step_by(15_013) {
        for first_ms in [0, 100_000, 230_000, 245_000, 249_000] {
            let guard = guard(1, SKEW_MS);
            let ask = |number, timestamp_ms, now_ms| {
                guard.check_and_insert(&verified(7, number, timestamp_ms, SKEW_MS, now_ms))
            };
            let early_ms = NOW_MS - SKEW_MS + 16;
            let late_ms = NOW_MS + first_ms + SKEW_MS;
            assert_eq!(ask(1, early_ms, NOW_MS), Ok(()));
            assert_eq!(ask(2, late_ms, NOW_MS + first_ms), Ok(()));
            let now_ms = NOW_MS + first_ms + pause_ms;
            for number in 3..6 {
                assert_eq!(ask(number, now_ms + SKEW_MS, now_ms), Ok(()), "{first_ms} {pause_ms}");
            }
            if late_ms + SKEW_MS >= now_ms {
                assert_eq!(ask(2, late_ms, now_ms), Err(GuardRefusal::Replayed), "{pause_ms}");
            }
            let mark_ms = (now_ms - SKEW_MS) / 16 * 16;
            let live = [early_ms, late_ms].iter().filter(|ms| **ms >= mark_ms).count();
            assert_eq!(guard.table.live(), 3 + live, "{first_ms} {pause_ms}");
        }
    }
}

const QUOTA_SKEW_MS: u64 = 60_000;

/// Timestamps that a hostile key may choose.
fn hostile_ms(way: u64, now_ms: u64, number: u64) -> u64 {
    let start_ms = now_ms - QUOTA_SKEW_MS + 16;
    match way {
        0 => now_ms,
        2 => start_ms,
        3 => start_ms + spread(number) % (2 * QUOTA_SKEW_MS - 16),
        4 if number.is_multiple_of(2) => start_ms,
        1 | 4 => now_ms + QUOTA_SKEW_MS,
        _ => start_ms + number * 13 % (2 * QUOTA_SKEW_MS - 16),
    }
}

/// A hostile key never stops sending; the others use everything that it leaves and are never refused.
/// The hostile key never has more stored uses than its quota.
#[test]
fn one_keys_burst_never_blocks_another_key() {
    let entries = 20_000_usize;
    let uses_per_key = 10_000_u32;
    for way in 0..6 {
        let guard = guard(entries, QUOTA_SKEW_MS).with_quota(Quota { uses_per_key, keys: 1_000 });
        let ask = |key_id, number, timestamp_ms, now_ms| {
            guard.check_and_insert(&verified(key_id, number, timestamp_ms, QUOTA_SKEW_MS, now_ms))
        };
        let mut now_ms = NOW_MS;
        let mut number = 0;
        let mut hostile: BTreeMap<u64, u32> = BTreeMap::new();
        let mut others = VecDeque::new();
        let mut accepted = 0_u64;
        for _ in 0..100_000 {
            now_ms += 3;
            let mark_ms = (now_ms - QUOTA_SKEW_MS) / 16 * 16;
            hostile = hostile.split_off(&mark_ms);
            while others.front().is_some_and(|ms| *ms < mark_ms) {
                others.pop_front();
            }
            number += 1;
            let timestamp_ms = hostile_ms(way, now_ms, number);
            if ask(1, number, timestamp_ms, now_ms).is_ok() {
                *hostile.entry(timestamp_ms).or_default() += 1;
            }
            if others.len() < entries - uses_per_key as usize {
                number += 1;
                let answer = ask(2 + number % 900, number, now_ms, now_ms);
                assert_eq!(answer, Ok(()), "way {way}, use {number}");
                others.push_back(now_ms);
                accepted += 1;
            }
            if number.is_multiple_of(64) {
                assert!(hostile.values().sum::<u32>() <= uses_per_key, "way {way}");
            }
        }
        assert!(accepted > 2 * entries as u64, "way {way}: {accepted}");
        // After a pause of a window and a slice, it has its full quota again at once.
        now_ms += 2 * QUOTA_SKEW_MS + QUOTA_SKEW_MS / 5 + 100;
        let again = (0..2 * u64::from(uses_per_key))
            .filter(|more| ask(1, 10_000_000 + more, now_ms, now_ms).is_ok());
        assert_eq!(again.count(), uses_per_key as usize, "way {way}");
    }
}

/// A tenth of the keys fill the guard together, and continue while the others use their guaranteed
/// shares.
#[test]
fn each_key_keeps_its_share_despite_hostile_keys() {
    for (entries, keys) in [(2_000, 100), (40_000, 200), (100_000, 1_000)] {
        for way in 0..6 {
            let quota = Quota { uses_per_key: u32::MAX, keys };
            let guard = guard(entries, QUOTA_SKEW_MS).with_quota(quota);
            let mut number = 0;
            let mut ask = |key_id, hostile: bool| {
                number += 1;
                let way = if hostile { way } else { 3 };
                let timestamp_ms = hostile_ms(way, NOW_MS, number);
                let used = verified(key_id, number, timestamp_ms, QUOTA_SKEW_MS, NOW_MS);
                guard.check_and_insert(&used)
            };
            let hostile = keys as u64 / 10;
            let mut accepted = 0;
            let mut refused = 0;
            while refused < entries / 20 {
                let answer = ask(1 + (accepted + refused) as u64 % hostile, true);
                *(if answer.is_ok() { &mut accepted } else { &mut refused }) += 1;
            }
            assert!(accepted >= entries, "{accepted} of {entries}, way {way}");
            let guaranteed = guard.guaranteed_uses_per_key();
            assert!(guaranteed as usize >= entries / 8 / keys, "{guaranteed}");
            for key_id in hostile + 1..=keys as u64 {
                for _ in 0..guaranteed {
                    let _ = ask(1 + key_id % hostile, true);
                    assert_eq!(ask(key_id, false), Ok(()), "{entries} {keys}, way {way}");
                }
            }
        }
    }
}

//! However the scheduler runs the threads, only one of several equal requests is accepted: loom
//! tries every schedule of two and three threads, shuttle random schedules of 64.
//!
//! It is empty without `--cfg loom` or `--cfg shuttle`, which the gate and the campaign set.
//! `CORTEXKEY_SCHEDULES` sets the number of shuttle's schedules (2,000 by default).

#![cfg(any(loom, shuttle))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(loom)]
use loom::{sync::Arc, thread};
#[cfg(shuttle)]
use shuttle::{sync::Arc, thread};

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start};

const NOW_MS: u64 = 1_790_611_732_512;

/// Verifies request `number`, signed at a time, by a clock that agrees.
fn ask(guard: &MemoryGuard, number: u64, signed_ms: u64) -> Option<Verdict> {
    ask_at(guard, number, signed_ms, signed_ms)
}

fn ask_at(guard: &MemoryGuard, number: u64, signed_ms: u64, now_ms: u64) -> Option<Verdict> {
    let id = KeyId::new(7).unwrap();
    let key = Key::new(b"test-api-key").unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let stored = StoredKey::new(id, Level::Advanced, key);
    let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
    let headers = signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap());
    let request = Request::parse(headers.iter(), NonceLengths::EXACT).unwrap();
    Verifier::new().verify(&request, Some(&stored), now_ms, guard).err()
}

/// A guard of two lines, of seven uses each.
fn guard(quota: Option<Quota>) -> Arc<MemoryGuard> {
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 4,
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
    });
    Arc::new(match quota {
        Some(quota) => guard.with_quota(quota),
        None => guard,
    })
}

/// A guard with one full line, so that every further use is searched for in both lines.
fn guard_with_a_full_line() -> Arc<MemoryGuard> {
    let guard = guard(None);
    for number in 100..108 {
        assert_eq!(ask(&guard, number, NOW_MS), None);
    }
    guard
}

/// Verifies each request in a separate thread.
fn race(guard: &Arc<MemoryGuard>, requests: Vec<(u64, u64)>) -> Vec<Option<Verdict>> {
    let start = |(number, signed_ms)| {
        let guard = guard.clone();
        thread::spawn(move || ask(&guard, number, signed_ms))
    };
    let threads: Vec<_> = requests.into_iter().map(start).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn assert_one_accept(verdicts: &[Option<Verdict>]) {
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_none()).count(), 1, "{verdicts:?}");
    let refused = verdicts.iter().flatten();
    assert!(refused.into_iter().all(|verdict| *verdict == Verdict::Replayed), "{verdicts:?}");
}

#[cfg(loom)]
mod every_schedule {
    use super::*;

    /// Every schedule with up to this many preemptions.
    fn check(preemptions: usize, test: impl Fn() + Sync + Send + 'static) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.max_branches = 100_000;
        model.check(test);
    }

    #[test]
    fn one_of_two_equal_requests_is_accepted() {
        check(4, || assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 2])));
    }

    #[test]
    fn one_of_two_equal_requests_behind_a_full_line_is_accepted() {
        check(2, || assert_one_accept(&race(&guard_with_a_full_line(), vec![(1, NOW_MS); 2])));
    }

    #[test]
    fn one_of_three_equal_requests_is_accepted() {
        check(2, || assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 3])));
    }

    /// With a quota, a second word is locked while the first is; the last use that the quota allows
    /// goes to one of the requests, and the others leave no trace in it.
    #[test]
    fn with_a_quota_one_request_is_accepted_and_counted_once() {
        check(2, || {
            let guard = guard(Some(Quota { uses_per_key: 3, keys: 2 }));
            assert_one_accept(&race(&guard, vec![(1, NOW_MS); 3]));
            assert_eq!(ask(&guard, 2, NOW_MS), None);
            assert_eq!(ask(&guard, 3, NOW_MS), None);
            assert_eq!(ask(&guard, 4, NOW_MS), Some(Verdict::ReplayGuardQuota));
        });
    }

    /// A much later request makes the guard drop uses while equal requests race.
    #[test]
    fn advancing_time_accepts_nothing_twice() {
        check(2, || {
            let later = NOW_MS + 1_000_000;
            let guard = guard_with_a_full_line();
            let verdicts = race(&guard, vec![(1, NOW_MS), (2, later), (1, NOW_MS)]);
            assert_eq!(verdicts[1], None);
            assert!(verdicts[0].is_some() || verdicts[2].is_some(), "{verdicts:?}");
            assert_eq!(ask(&guard, 1, NOW_MS), Some(Verdict::TimestampStale));
        });
    }
}

#[cfg(shuttle)]
mod chance_schedules {
    use super::*;
    use shuttle::rand::{Rng as _, thread_rng};

    fn check(test: impl Fn() + Sync + Send + 'static) {
        shuttle::check_random(test, schedules());
    }

    fn schedules() -> usize {
        std::env::var("CORTEXKEY_SCHEDULES").map_or(2_000, |text| text.parse().unwrap())
    }

    /// A schedule of 64 threads has about twenty times as many steps as one of eight.
    #[test]
    fn one_of_64_racing_verifiers_accepts() {
        let one_request = || assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 64]));
        shuttle::check_random(one_request, schedules().div_ceil(20));
    }

    #[test]
    fn one_of_eight_equal_requests_behind_a_full_line_is_accepted() {
        check(|| assert_one_accept(&race(&guard_with_a_full_line(), vec![(1, NOW_MS); 8])));
    }

    #[test]
    fn the_last_use_of_a_quota_is_granted_once() {
        check(|| {
            let guard = guard(Some(Quota { uses_per_key: 3, keys: 2 }));
            let requests = [1, 2, 3, 4, 4, 5].map(|number| (number, NOW_MS));
            let verdicts = race(&guard, requests.to_vec());
            assert_eq!(verdicts.iter().filter(|verdict| verdict.is_none()).count(), 3);
        });
    }

    /// Clocks advance, differ and go back while lines are searched: dropped uses are not accepted
    /// again.
    #[test]
    fn moving_clocks_accept_nothing_twice() {
        const SKEW_MS: u64 = 60_000;
        check(|| {
            let mut chance = thread_rng();
            let guard = guard(None);
            let base_ms = NOW_MS + chance.gen_range(0..8_192);
            for number in 100..110 {
                let signed_ms = base_ms + chance.gen_range(0..SKEW_MS);
                let now_ms = signed_ms - chance.gen_range(0..SKEW_MS);
                assert_eq!(ask_at(&guard, number, signed_ms, now_ms), None);
            }
            let equal: Vec<_> =
                (0..3).map(|number| (number, base_ms + chance.gen_range(0..2 * SKEW_MS))).collect();
            let accepting = |_| {
                let guard = guard.clone();
                let equal = equal.clone();
                thread::spawn(move || accepted_of(&guard, &equal, base_ms))
            };
            let threads: Vec<_> = (0..5).map(accepting).collect();
            let accepted: Vec<u64> =
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            for (number, _) in equal {
                let times = accepted.iter().filter(|accepted| **accepted == number).count();
                assert!(times <= 1, "{number} in {accepted:?}");
            }
        });
    }

    /// Sends one of the requests four times, with any clock that accepts it, and then another.
    fn accepted_of(guard: &MemoryGuard, equal: &[(u64, u64)], base_ms: u64) -> Vec<u64> {
        const SKEW_MS: u64 = 60_000;
        let mut chance = thread_rng();
        let mut accepted = Vec::new();
        for _ in 0..4 {
            let (number, signed_ms) = equal[chance.gen_range(0..equal.len())];
            let now_ms = signed_ms - SKEW_MS + chance.gen_range(0..2 * SKEW_MS);
            if ask_at(guard, number, signed_ms, now_ms).is_none() {
                accepted.push(number);
            }
            let other = 1_000 + chance.gen_range(0..1 << 40);
            let signed_ms = base_ms + chance.gen_range(0..3 * SKEW_MS);
            let now_ms = signed_ms - SKEW_MS + chance.gen_range(0..2 * SKEW_MS);
            ask_at(guard, other, signed_ms, now_ms);
        }
        accepted
    }
}

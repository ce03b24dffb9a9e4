//! However the scheduler lets threads run, one of equal requests is accepted: every schedule of two
//! and three threads by loom, chance schedules of 64 by shuttle.
//!
//! It is empty but with `--cfg loom` or `--cfg shuttle`; the gate and the campaign give them.
//! `CORTEXKEY_SCHEDULES` sets how many shuttle tries (2,000 unless set).

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

/// Verifies request `number`, signed at a time and judged by a clock that agrees.
fn ask(guard: &MemoryGuard, number: u64, signed_ms: u64) -> Option<Verdict> {
    let (id, key) = (KeyId::new(7).unwrap(), Key::new(b"test-api-key").unwrap());
    let signer = Signer::new(id, Level::Advanced, key);
    let stored = StoredKey::new(id, Level::Advanced, key);
    let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
    let headers = signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap());
    let request = Request::parse(headers.iter(), NonceLengths::EXACT).unwrap();
    Verifier::new().verify(&request, Some(&stored), signed_ms, guard).err()
}

fn guard(quota: Option<Quota>) -> Arc<MemoryGuard> {
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 16,
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
    });
    Arc::new(match quota {
        Some(quota) => guard.with_quota(quota),
        None => guard,
    })
}

/// Has each of the requests verified in a thread of its own.
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

    #[test]
    fn of_two_equal_requests_one_is_accepted() {
        loom::model(|| assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 2])));
    }

    #[test]
    fn of_three_equal_requests_one_is_accepted() {
        loom::model(|| assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 3])));
    }

    /// With a quota there are two locks, the second taken while the first is held; the last use that the quota
    /// leaves goes to one of them, and the others leave no trace in it.
    #[test]
    fn with_a_quota_one_is_accepted_and_the_others_take_nothing_of_it() {
        loom::model(|| {
            let guard = guard(Some(Quota { uses_per_key: 3, keys: 2 }));
            assert_one_accept(&race(&guard, vec![(1, NOW_MS); 3]));
            assert_eq!(ask(&guard, 2, NOW_MS), None);
            assert_eq!(ask(&guard, 3, NOW_MS), None);
            assert_eq!(ask(&guard, 4, NOW_MS), Some(Verdict::ReplayGuardQuota));
        });
    }

    /// A request of a much later time drops what the guard knew while equal ones race.
    #[test]
    fn while_time_moves_on_none_is_accepted_twice() {
        loom::model(|| {
            let later = NOW_MS + 1_000_000;
            let guard = guard(None);
            let verdicts = race(&guard, vec![(1, NOW_MS), (2, later), (1, NOW_MS)]);
            assert_eq!(verdicts[1], None);
            assert!(verdicts[0].is_some() || verdicts[2].is_some(), "{verdicts:?}");
            assert_ne!(ask(&guard, 1, NOW_MS), Some(Verdict::ReplayGuardFull));
        });
    }
}

#[cfg(shuttle)]
mod chance_schedules {
    use super::*;

    #[test]
    fn of_64_racing_verifiers_one_accepts() {
        let count = std::env::var("CORTEXKEY_SCHEDULES");
        let count = count.map_or(2_000, |text| text.parse().unwrap());
        let one_request = || assert_one_accept(&race(&guard(None), vec![(1, NOW_MS); 64]));
        shuttle::check_random(one_request, count);
    }
}

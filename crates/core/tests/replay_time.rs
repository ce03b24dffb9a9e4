//! Time and the replay guard: the edges of the window, clocks that disagree, changing skews, a
//! restart, and the last possible timestamp.

#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Start};

const NOW_MS: u64 = 1_790_611_732_512;
/// 2286-11-20, the last time of 13 digits.
const LAST_MS: u64 = 9_999_999_999_999;

fn skew(ms: u64) -> Skew {
    Skew::from_ms(ms).unwrap()
}

fn guard(start: Start, skew: Skew) -> MemoryGuard {
    let secret = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
    MemoryGuard::new(MemoryGuardConfig { entries: 100_000, skew, start, secret })
}

/// A key and its requests.
struct Client {
    signer: Signer,
    stored: StoredKey,
}

impl Client {
    fn new() -> Self {
        let id = KeyId::new(7).unwrap();
        let key = Key::new(b"test-api-key").unwrap();
        let stored = StoredKey::new(id, Level::Advanced, key);
        Self { signer: Signer::new(id, Level::Advanced, key), stored }
    }

    /// Signs request `number` at one time, and verifies it at another.
    fn ask(
        &self,
        number: u64,
        signed_ms: u64,
        skew: Skew,
        now_ms: u64,
        guard: &MemoryGuard,
    ) -> Option<Verdict> {
        let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
        let headers = self.signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap());
        let request = Request::parse(headers.iter(), NonceLengths::EXACT).unwrap();
        let verifier = Verifier::new().with_skew(skew);
        verifier.verify(&request, Some(&self.stored), now_ms, guard).err()
    }
}

#[test]
fn the_window_ends_at_the_skew_to_the_millisecond() {
    let client = Client::new();
    for skew_ms in [1_000, 1_001, 59_999, 60_000, 300_000] {
        let guard = guard(Start::First, skew(skew_ms));
        for (number, signed_ms, expected) in [
            (1, NOW_MS - skew_ms - 1, Some(Verdict::TimestampStale)),
            (2, NOW_MS - skew_ms, None),
            (3, NOW_MS - 1, None),
            (4, NOW_MS, None),
            (5, NOW_MS + 1, None),
            (6, NOW_MS + skew_ms, None),
            (7, NOW_MS + skew_ms + 1, Some(Verdict::TimestampFuture)),
        ] {
            let ask = || client.ask(number, signed_ms, skew(skew_ms), NOW_MS, &guard);
            assert_eq!(ask(), expected, "skew {skew_ms}, request {number}");
            assert_eq!(ask(), Some(expected.unwrap_or(Verdict::Replayed)), "again: {number}");
        }
    }
}

/// Eight threads, each with a clock that jumps by up to four windows, try the same requests.
#[test]
fn clocks_that_jump_in_many_threads_accept_once() {
    const REQUESTS: u64 = 500;
    let client = Client::new();
    let skew = skew(1_001);
    let guard = guard(Start::First, skew);
    let accepted: Vec<AtomicU32> = (0..REQUESTS).map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = &client;
            let guard = &guard;
            let accepted = &accepted;
            scope.spawn(move || {
                for step in 0..4_000_u64 {
                    let number = (step * 31 + thread * 17) % REQUESTS;
                    let signed_ms = NOW_MS + number * 16;
                    // Half of the clocks are within the skew of the request, half are anywhere.
                    let jump = (step * 7_919 + thread * 104_729) % 8_008;
                    let now_ms =
                        if step % 2 == 0 { NOW_MS + jump } else { signed_ms + jump % 1_001 };
                    if client.ask(number, signed_ms, skew, now_ms, guard).is_none() {
                        accepted[usize::try_from(number).unwrap()].fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let counts: Vec<u32> = accepted.into_iter().map(AtomicU32::into_inner).collect();
    assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
    assert!(counts.contains(&1));
}

#[test]
fn a_verifier_whose_skew_outgrows_its_guard_is_refused() {
    let client = Client::new();
    let guard = guard(Start::First, skew(60_000));
    let ask = |number, skew_ms| client.ask(number, NOW_MS, skew(skew_ms), NOW_MS, &guard);
    assert_eq!(ask(1, 60_000), None);
    assert_eq!(ask(2, 60_001), Some(Verdict::ReplayGuardUnavailable));
    assert_eq!(ask(1, 300_000), Some(Verdict::ReplayGuardUnavailable));
    // A smaller skew is accepted, and shares the guard's state.
    assert_eq!(ask(1, 1_000), Some(Verdict::Replayed));
    assert_eq!(ask(2, 1_000), None);
    assert_eq!(ask(2, 60_000), Some(Verdict::Replayed));
    // A narrow window that has advanced drops nothing that a wide one would still accept.
    for number in 10..100 {
        let at_ms = NOW_MS + number * 1_000;
        assert_eq!(client.ask(number, at_ms, skew(1_000), at_ms, &guard), None);
        let again = client.ask(number, at_ms, skew(60_000), at_ms + 60_000, &guard);
        assert_eq!(again, Some(Verdict::Replayed), "{number}");
    }
}

/// The next guard refuses what was accepted before a restart, for every time at
/// which it can start and be called.
#[test]
fn a_restart_within_the_window_accepts_nothing_twice() {
    let skew_ms = 1_001;
    let client = Client::new();
    for signed_ms in [NOW_MS - skew_ms, NOW_MS - 500, NOW_MS, NOW_MS + skew_ms] {
        let before = guard(Start::First, skew(skew_ms));
        assert_eq!(client.ask(1, signed_ms, skew(skew_ms), NOW_MS, &before), None);
        for started in [0, 1, 500, 1_000, 1_001, 1_002, 2_002, 2_003] {
            let at_ms = NOW_MS + started;
            let after = guard(Start::Fresh { at_ms }, skew(skew_ms));
            for asked in [0, 1, 500, 1_001, 2_002, 2_003] {
                let verdict = client.ask(1, signed_ms, skew(skew_ms), at_ms + asked, &after);
                assert_ne!(verdict, None, "signed {signed_ms}, started {started}, asked {asked}");
            }
        }
    }
    // Once the skew has passed, the next guard accepts requests, each once.
    let after = guard(Start::Fresh { at_ms: NOW_MS }, skew(skew_ms));
    let at_ms = NOW_MS + skew_ms + 1;
    assert_eq!(client.ask(2, at_ms, skew(skew_ms), at_ms, &after), None);
    assert_eq!(client.ask(2, at_ms, skew(skew_ms), at_ms, &after), Some(Verdict::Replayed));
    // A key generated after the restart has no earlier requests, so it does not have to wait.
    let mut young = Client::new();
    young.stored = young.stored.created_at(NOW_MS);
    assert_eq!(young.ask(3, NOW_MS, skew(skew_ms), NOW_MS, &after), None);
    assert_eq!(young.ask(3, NOW_MS, skew(skew_ms), NOW_MS, &after), Some(Verdict::Replayed));
}

/// After the last timestamp the window shrinks, and then nothing is accepted; nothing is ever
/// accepted twice.
#[test]
fn the_last_timestamp_is_accepted_once() {
    let client = Client::new();
    let skew_ms = 60_000;
    let guard = guard(Start::First, skew(skew_ms));
    let ask =
        |number, signed_ms, now_ms| client.ask(number, signed_ms, skew(skew_ms), now_ms, &guard);
    let mut accepted = 0;
    for now_ms in [LAST_MS - 60_000, LAST_MS, LAST_MS + 1, LAST_MS + 60_000, LAST_MS + 60_001] {
        for (number, signed_ms) in [(1, LAST_MS - 120_000), (2, LAST_MS - 1), (3, LAST_MS)] {
            accepted += u32::from(ask(number, signed_ms, now_ms).is_none());
        }
    }
    assert_eq!(accepted, 3);
    assert_eq!(ask(4, LAST_MS, LAST_MS + 60_000), None);
    assert_eq!(ask(5, LAST_MS, LAST_MS + 60_001), Some(Verdict::TimestampStale));
    assert_eq!(ask(5, LAST_MS, u64::MAX), Some(Verdict::TimestampStale));
    assert_eq!(ask(5, LAST_MS, 0), Some(Verdict::TimestampFuture));
    assert!(Timestamp::from_ms(LAST_MS + 1).is_err());
}

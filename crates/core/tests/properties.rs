//! Properties that hold for every key, nonce and time: nonces are uniform, a signed request is
//! accepted once, and any change to it is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chacha20::ChaCha20Rng;
use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, NoReplayGuard, Start};
use proptest::prelude::*;
use rand_core::SeedableRng;

const NOW_MS: u64 = 1_790_611_732_512;

fn seeded(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn key_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0x21..=0x7e_u8, 1..=256)
}

fn pairs(signer: &Signer, seed: u64, now_ms: u64) -> Vec<(&'static str, Vec<u8>)> {
    let headers = signer.sign(&mut seeded(seed), Timestamp::from_ms(now_ms).unwrap());
    headers.iter().map(|(name, value)| (name, value.as_bytes().to_vec())).collect()
}

fn verdict(pairs: &[(&'static str, Vec<u8>)], stored: &StoredKey, now_ms: u64) -> Verdict {
    let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
    Request::parse(headers, NonceLengths::EXACT)
        .and_then(|request| Verifier::new().verify(&request, Some(stored), now_ms, &NoReplayGuard))
        .err()
        .unwrap_or(Verdict::Accept)
}

proptest! {
    #[test]
    fn a_nonce_is_64_letters_and_digits(seed: u64) {
        let nonce = Nonce::generate(&mut seeded(seed));
        prop_assert!(Nonce::new(nonce.as_bytes()).is_ok());
    }

    #[test]
    fn signed_requests_are_accepted(
        key in key_bytes(), id in 1..=u64::MAX, seed: u64, advanced: bool, drift in -60_000..=60_000_i64,
    ) {
        let key = Key::new(&key).unwrap();
        let id = KeyId::new(id).unwrap();
        let level = if advanced { Level::Advanced } else { Level::Standard };
        let pairs = pairs(&Signer::new(id, level, key), seed, NOW_MS.saturating_add_signed(drift));
        prop_assert_eq!(verdict(&pairs, &StoredKey::new(id, level, key), NOW_MS), Verdict::Accept);
        prop_assert_eq!(verdict(&pairs, &StoredKey::editable(id, level, key), NOW_MS), Verdict::Accept);
    }

    #[test]
    fn any_changed_byte_is_refused(
        key in key_bytes(), seed: u64, header in 0..4_usize, at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let key = Key::new(&key).unwrap();
        let id = KeyId::new(7).unwrap();
        let mut pairs = pairs(&Signer::new(id, Level::Advanced, key), seed, NOW_MS);
        let value = &mut pairs[header].1;
        let at = at.index(value.len());
        value[at] ^= flip;
        let stored = StoredKey::new(id, Level::Advanced, key);
        prop_assert_ne!(verdict(&pairs, &stored, NOW_MS), Verdict::Accept);
    }

    /// The digest covers nonce and timestamp without a separator, so the same digest matches
    /// every way to split them. Only one way is accepted.
    #[test]
    fn accepted_requests_with_one_digest_are_equal(
        key in key_bytes(), seed: u64, signed_ms in NOW_MS - 60_000..=NOW_MS + 60_000,
    ) {
        let key = Key::new(&key).unwrap();
        let id = KeyId::new(7).unwrap();
        let stored = StoredKey::new(id, Level::Advanced, key);
        let signed = pairs(&Signer::new(id, Level::Advanced, key), seed, signed_ms);
        let value = |name: &str| &signed.iter().find(|(n, _)| *n == name).unwrap().1;
        let whole = [value("x-xdr-nonce").as_slice(), value("x-xdr-timestamp")].concat();
        for lengths in [NonceLengths::EXACT, NonceLengths::LENIENT] {
            for cut in 0..=whole.len() {
                let mut pairs = signed.clone();
                for (name, value) in &mut pairs {
                    match *name {
                        "x-xdr-nonce" => whole[..cut].clone_into(value),
                        "x-xdr-timestamp" => whole[cut..].clone_into(value),
                        _ => {}
                    }
                }
                let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
                let accepted = Request::parse(headers, lengths).is_ok_and(|request| {
                    Verifier::new().verify(&request, Some(&stored), NOW_MS, &NoReplayGuard).is_ok()
                });
                prop_assert_eq!(accepted, cut == 64);
            }
        }
    }

    #[test]
    fn no_headers_panic(
        headers in proptest::collection::vec(
            (prop::sample::select(vec!["x-xdr-auth-id", "Authorization", "X-XDR-NONCE", "x-xdr-timestamp", "host"]),
             proptest::collection::vec(any::<u8>(), 0..140)), 0..6),
    ) {
        let key = Key::new(b"k").unwrap();
        let stored = StoredKey::new(KeyId::new(7).unwrap(), Level::Advanced, key);
        prop_assert_ne!(verdict(&headers, &stored, NOW_MS), Verdict::Accept);
    }
}

#[test]
fn a_request_is_accepted_once() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let guard = guard(Start::First, 100_000);
    let pairs = pairs(&Signer::new(id, Level::Advanced, key), 3, NOW_MS);
    let check = |now_ms| {
        let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
        let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
        Verifier::new().verify(&request, Some(&stored), now_ms, &guard).err()
    };
    assert_eq!(check(NOW_MS), None);
    for later in [0, 1, 30_000, 60_000] {
        assert_eq!(check(NOW_MS + later), Some(Verdict::Replayed));
        assert_eq!(check(NOW_MS - later), Some(Verdict::Replayed));
    }
}

#[test]
fn a_new_guard_refuses_requests_from_before_its_start() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let old = StoredKey::new(id, Level::Advanced, key).created_at(NOW_MS - 1);
    let new = StoredKey::new(id, Level::Advanced, key).created_at(NOW_MS);
    let guard = guard(Start::Fresh { at_ms: NOW_MS }, 100_000);
    for (seed, stored, signed_ms, expected) in [
        (1, &old, NOW_MS, Some(Verdict::ReplayGuardStarting)),
        (2, &old, NOW_MS + 60_000, Some(Verdict::ReplayGuardStarting)),
        (3, &old, NOW_MS + 60_001, None),
        (4, &new, NOW_MS, None),
    ] {
        let pairs = pairs(&signer, seed, signed_ms);
        let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
        let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
        let verdict = Verifier::new().verify(&request, Some(stored), signed_ms, &guard);
        assert_eq!(verdict.err(), expected, "seed {seed}");
    }
}

#[test]
fn a_full_guard_refuses_and_forgets_nothing() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let signer = Signer::new(id, Level::Advanced, key);
    let guard = guard(Start::First, 1);
    let check = |seed| {
        let pairs = pairs(&signer, seed, NOW_MS);
        let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
        let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
        Verifier::new().verify(&request, Some(&stored), NOW_MS, &guard).err()
    };
    // A guard with one entry has room for thousands, because its lines are drawn at random.
    let first: Vec<_> = (0..20_000).map(check).collect();
    assert!(first.contains(&None) && first.contains(&Some(Verdict::ReplayGuardFull)));
    for (seed, verdict) in first.iter().enumerate() {
        let expected = verdict.unwrap_or(Verdict::Replayed);
        assert_eq!(check(seed as u64), Some(expected));
    }
}

#[test]
fn no_clock_change_makes_a_guard_accept_twice() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let signer = Signer::new(id, Level::Advanced, key);
    let guard = guard(Start::First, 1_000_000);
    let mut accepted = std::collections::BTreeSet::new();
    // The clock jumps back and forth over four hours; each request is sent at many times.
    for step in 0..20_000_u64 {
        let now_ms = NOW_MS + (step * 7_919_003) % 14_400_000;
        let seed = (step * 31) % 500;
        let signed_ms = NOW_MS + seed * 28_800;
        let pairs = pairs(&signer, seed, signed_ms);
        let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
        let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
        for now_ms in [now_ms, signed_ms] {
            if Verifier::new().verify(&request, Some(&stored), now_ms, &guard).is_ok() {
                assert!(accepted.insert(seed), "accepted twice: {seed}");
            }
        }
    }
    assert!(!accepted.is_empty());
}

fn guard(start: Start, entries: usize) -> MemoryGuard {
    MemoryGuard::new(MemoryGuardConfig {
        entries,
        skew: Skew::DEFAULT,
        start,
        secret: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
    })
}

#[test]
fn racing_duplicates_are_accepted_once() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let signer = Signer::new(id, Level::Advanced, key);
    let guard = guard(Start::First, 100_000);
    for seed in 0..200 {
        let pairs = pairs(&signer, seed, NOW_MS);
        let accepted = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
                    let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
                    if Verifier::new().verify(&request, Some(&stored), NOW_MS, &guard).is_ok() {
                        accepted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}

#[test]
fn refused_requests_do_not_reach_the_guard() {
    use cortexkey_core::replay::{GuardRefusal, ReplayGuard, VerifiedUse};

    /// Counts how often it is called.
    #[derive(Default)]
    struct Counting(std::cell::Cell<u32>);

    impl ReplayGuard for Counting {
        fn check_and_insert(&self, _: &VerifiedUse) -> Result<(), GuardRefusal> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }

    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let good = StoredKey::new(id, Level::Advanced, key);
    let other = StoredKey::new(id, Level::Advanced, Key::new(b"other-api-key").unwrap());
    let revoked = StoredKey::new(id, Level::Advanced, key);
    revoked.revoke();
    let expired = StoredKey::new(id, Level::Advanced, key)
        .expiring(cortexkey_core::lifecycle::Expiry::At { ms: NOW_MS });
    let guard = Counting::default();
    let pairs = pairs(&signer, 1, NOW_MS);
    let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
    let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
    let ask = |stored, now_ms| Verifier::new().verify(&request, stored, now_ms, &guard).is_ok();
    assert!(!ask(None, NOW_MS));
    assert!(!ask(Some(&other), NOW_MS));
    assert!(!ask(Some(&revoked), NOW_MS));
    assert!(!ask(Some(&expired), NOW_MS));
    assert!(!ask(Some(&good), NOW_MS + 60_001));
    assert!(!ask(Some(&good), NOW_MS - 60_001));
    assert_eq!(guard.0.get(), 0);
    assert!(ask(Some(&good), NOW_MS));
    assert_eq!(guard.0.get(), 1);
}

#[test]
fn one_key_cannot_fill_a_guard() {
    use cortexkey_core::replay::Quota;

    let key = Key::new(b"test-api-key").unwrap();
    let guard = guard(Start::First, 10_000).with_quota(Quota { uses_per_key: 100, keys: 10 });
    let accepted = |id, count| {
        let id = KeyId::new(id).unwrap();
        let stored = StoredKey::new(id, Level::Advanced, key);
        let signer = Signer::new(id, Level::Advanced, key);
        let verdicts: Vec<_> = (0..count)
            .map(|seed| {
                let pairs = pairs(&signer, seed, NOW_MS);
                let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
                let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
                Verifier::new().verify(&request, Some(&stored), NOW_MS, &guard).err()
            })
            .collect();
        verdicts.iter().filter(|verdict| verdict.is_none()).count()
    };
    assert_eq!(accepted(7, 1_000), 100);
    assert_eq!(accepted(8, 50), 50);
    // A replay does not count towards the quota.
    assert_eq!(accepted(8, 50), 0);
    assert_eq!(accepted(8, 100), 50);
}

/// A refused request, whatever the reason, does not count towards the key's quota.
#[test]
fn refused_uses_do_not_count() {
    use cortexkey_core::replay::Quota;

    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let signer = Signer::new(id, Level::Advanced, key);
    let guard = guard(Start::First, 10_000).with_quota(Quota { uses_per_key: 300, keys: 10 });
    let accepted = |seeds: core::ops::Range<u64>, now_ms| {
        let accept = |seed: &u64| {
            let pairs = pairs(&signer, *seed, now_ms);
            let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
            let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
            Verifier::new().verify(&request, Some(&stored), now_ms, &guard).is_ok()
        };
        seeds.filter(accept).count()
    };
    assert_eq!(accepted(0..200, NOW_MS), 200);
    // The clock goes back to a time that the guard has dropped, and forward again.
    assert_eq!(accepted(1_000..1_400, NOW_MS - 3_600_000), 0);
    assert_eq!(accepted(2_000..2_400, NOW_MS), 100);
}

/// The verifier may have a smaller skew than a verifier before the restart.
#[test]
fn a_new_guard_uses_its_own_skew() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, key);
    let pairs = pairs(&Signer::new(id, Level::Advanced, key), 1, NOW_MS + 250_000);
    let headers = pairs.iter().map(|(name, value)| (name, value.as_slice()));
    let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 1_000,
        skew: Skew::MAX,
        start: Start::Fresh { at_ms: NOW_MS },
        secret: [1, 2],
    });
    let verdict = Verifier::new().verify(&request, Some(&stored), NOW_MS + 200_000, &guard);
    assert_eq!(verdict.err(), Some(Verdict::ReplayGuardStarting));
}

/// An edited level breaks every client of the key, and no request in the old form is accepted.
#[test]
fn levels_are_edited_where_they_may_be() {
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let signed = |level| pairs(&Signer::new(id, level, key), 1, NOW_MS);
    let standard = signed(Level::Standard);
    let advanced = signed(Level::Advanced);
    let mut stored = StoredKey::editable(id, Level::Standard, key);
    for (level, good, bad) in
        [(Level::Advanced, &advanced, &standard), (Level::Standard, &standard, &advanced)]
    {
        stored.set_level(level).unwrap();
        assert_eq!(stored.level(), level);
        assert_eq!(verdict(good, &stored, NOW_MS), Verdict::Accept);
        assert_eq!(verdict(bad, &stored, NOW_MS), Verdict::LevelMismatch);
    }
    for (level, other) in [(Level::Standard, Level::Advanced), (Level::Advanced, Level::Standard)] {
        let mut fixed = StoredKey::new(id, level, key);
        assert_eq!(fixed.set_level(level), Ok(()));
        assert!(fixed.set_level(other).is_err());
        assert_eq!(fixed.level(), level);
    }
}

/// The tag that processes share is a format. The expected value is from Python's hashlib.
#[test]
fn the_shared_tag_is_the_same_in_every_process() {
    use cortexkey_core::replay::{GuardRefusal, ReplayGuard, VerifiedUse};

    /// Checks the use that it gets.
    struct CheckingGuard;

    impl ReplayGuard for CheckingGuard {
        fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
            assert_eq!(hex::encode(verified.shared_tag()), "bff7e9b981f76bfe8dfd6d402222f3dd");
            assert_eq!(verified.remember_until_ms(), 1_700_000_060_000);
            assert!(!format!("{verified:?}").contains("cf, 8d"));
            Err(GuardRefusal::Unavailable)
        }
    }

    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let stored = StoredKey::new(id, Level::Advanced, key);
    let nonce = Nonce::new(&[b'a'; 64]).unwrap();
    let headers = signer.sign_with(nonce, Timestamp::from_ms(1_700_000_000_000).unwrap());
    let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
    let request = Request::parse(pairs, NonceLengths::EXACT).unwrap();
    let verdict =
        Verifier::new().verify(&request, Some(&stored), 1_700_000_000_000, &CheckingGuard);
    assert_eq!(verdict.err(), Some(Verdict::ReplayGuardUnavailable));
}

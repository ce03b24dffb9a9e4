//! Unauthenticated clients cost no memory: the process does not grow, whatever they send. It is a
//! separate binary, so that nothing else affects the measurement.
//!
//! `CORTEXKEY_UNAUTHENTICATED` sets the number of requests (1,000,000 by default).

#![cfg(target_os = "linux")]
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cortexkey_core::auth::{Key, KeyId, Level, Request, Skew, StoredKey, Verdict, Verifier};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start};

const NOW_MS: u64 = 1_790_611_732_512;

#[test]
fn unauthenticated_requests_use_no_memory() {
    let count: u64 =
        std::env::var("CORTEXKEY_UNAUTHENTICATED").map_or(1_000_000, |text| text.parse().unwrap());
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 1_000_000,
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
    })
    .with_quota(Quota { uses_per_key: 1_000, keys: 1_000 });
    let key = Key::new(b"test-api-key").unwrap();
    let stored = StoredKey::new(KeyId::new(7).unwrap(), Level::Advanced, key);
    // The first request of each kind uses code and stack pages for the first time.
    send(&guard, &stored, 0..1_000);
    let before = private_bytes();
    send(&guard, &stored, 1_000..count);
    let grown = private_bytes().saturating_sub(before);
    println!("{grown} bytes more after {count} requests");
    assert!(grown < 1 << 20, "{grown} bytes more after {count} requests");
}

/// Requests of unauthenticated clients: unknown keys, wrong digests, the wrong level, and five that are malformed.
fn send(guard: &MemoryGuard, stored: &StoredKey, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let unknown: &str = &(number + 8).to_string();
        let nonce: &str = &format!("{number:064}");
        let timestamp: &str = &(NOW_MS - number % 60_000).to_string();
        let digest: &str = &format!("{number:064x}");
        let stamped = |id, nonce, timestamp, digest| {
            vec![
                ("x-xdr-auth-id", id),
                ("x-xdr-nonce", nonce),
                ("x-xdr-timestamp", timestamp),
                ("Authorization", digest),
            ]
        };
        let (headers, expected) = match number % 8 {
            0 => (stamped(unknown, nonce, timestamp, digest), Verdict::UnknownKey),
            1 => (stamped("7", nonce, timestamp, digest), Verdict::WrongSignature),
            2 => (vec![("x-xdr-auth-id", "7"), ("Authorization", digest)], Verdict::LevelMismatch),
            3 => (stamped("7", &nonce[1..], timestamp, digest), Verdict::BadNonce),
            4 => (stamped("7", nonce, &timestamp[3..], digest), Verdict::BadTimestamp),
            5 => (stamped("7", nonce, timestamp, &digest[1..]), Verdict::BadAuthorization),
            6 => (stamped("0", nonce, timestamp, digest), Verdict::BadKeyId),
            _ => (vec![("Authorization", digest)], Verdict::MissingHeader),
        };
        let verifier = Verifier::new();
        let answer = Request::parse(headers, verifier.nonce_lengths()).and_then(|request| {
            let stored = Some(stored).filter(|stored| stored.key_id() == request.key_id());
            verifier.verify(&request, stored, NOW_MS, guard)
        });
        assert_eq!(answer, Err(expected), "request {number}");
    }
}

/// The process's resident memory.
fn private_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

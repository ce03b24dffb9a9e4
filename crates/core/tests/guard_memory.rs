//! A guard with a million entries remembers a million uses in 20 bytes each. It is a separate
//! binary, so that nothing else affects the measurement.

#![cfg(target_os = "linux")]
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Start};

const NOW_MS: u64 = 1_790_611_732_512;
const ENTRIES: u64 = 1_000_000;
const BYTES_AN_ENTRY: u64 = 20;

#[test]
fn a_million_entries_use_20_bytes_each() {
    let before = private_bytes();
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: usize::try_from(ENTRIES).unwrap(),
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
    });
    let key = Key::new(b"test-api-key").unwrap();
    let id = KeyId::new(7).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let stored = StoredKey::new(id, Level::Advanced, key);
    for number in 0..ENTRIES {
        // Spread evenly over the window, like a steady stream of requests.
        let signed_ms = NOW_MS - 60_000 + number * 120_000 / ENTRIES;
        let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
        let headers = signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap());
        let request = Request::parse(headers.iter(), NonceLengths::EXACT).unwrap();
        let answer = Verifier::new().verify(&request, Some(&stored), NOW_MS, &guard);
        assert!(answer.is_ok(), "use {number}: {answer:?}");
    }
    let taken = private_bytes().saturating_sub(before);
    println!("{taken} bytes for {ENTRIES} uses");
    assert!(taken >= ENTRIES * 8, "{taken} bytes cannot hold the tags: nothing was measured");
    assert!(taken <= ENTRIES * BYTES_AN_ENTRY, "{taken} bytes for {ENTRIES} uses");
    drop(guard);
}

/// The process's resident memory.
fn private_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

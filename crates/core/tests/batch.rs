//! Batches have the same results as single requests, with every kernel that this processor
//! supports.

#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use chacha20::ChaCha20Rng;
use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signature, Signer, Skew, StoredKey, Timestamp,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, NoReplayGuard, Start};
use rand_core::SeedableRng as _;

const NOW_MS: u64 = 1_790_611_732_512;

fn signer(level: Level, key: &[u8]) -> Signer {
    Signer::new(KeyId::new(7).unwrap(), level, Key::new(key).unwrap())
}

/// Runs a test with each kind of kernel. The choice applies to the whole process, so only one test
/// makes it.
fn with_every_kernel(test: impl Fn()) {
    #[cfg(feature = "kernels")]
    {
        use std::sync::{Mutex, PoisonError};

        static CHOICE: Mutex<()> = Mutex::new(());
        let _choice = CHOICE.lock().unwrap_or_else(PoisonError::into_inner);
        for path in cortexkey_kernels::Path::ALL {
            path.limit();
            test();
        }
    }
    #[cfg(not(feature = "kernels"))]
    test();
}

/// Every length of key, and every batch size at which a step could be wrong.
#[test]
fn a_batch_gives_the_same_signatures_as_single_calls() {
    with_every_kernel(sign_batches);
}

fn sign_batches() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let now = Timestamp::from_ms(NOW_MS).unwrap();
    let mut nonces = BTreeSet::new();
    let mut count = 0;
    for key_len in 1..=255 {
        let key: Vec<u8> = (0..key_len).map(|i: u8| b'!' + i.wrapping_mul(31) % 94).collect();
        let signer = signer(Level::Advanced, &key);
        let sizes = if key_len % 64 < 2 { 0..=66 } else { 30..=33 };
        for size in sizes {
            let mut batch = vec![Signature::EMPTY; size];
            signer.advanced().unwrap().sign_batch(&mut rng, now, &mut batch);
            for signature in &batch {
                let nonce = Nonce::new(signature.nonce().as_bytes()).unwrap();
                let alone = signer.sign_with(nonce, now);
                assert_eq!(signature.authorization(), alone.authorization(), "{key_len} {size}");
                nonces.insert(signature.nonce().to_owned());
                count += 1;
            }
        }
    }
    assert_eq!(nonces.len(), count, "no nonce comes twice");
}

#[test]
fn a_standard_key_has_no_batches() {
    assert!(signer(Level::Standard, b"test-api-key").advanced().is_none());
}

#[test]
fn a_batch_gives_the_same_verdicts_as_single_calls() {
    with_every_kernel(|| {
        for key in [&[b'k'; 128][..], &[b'k'; 256], &[b'k'; 65], b"test-api-key"] {
            for size in [0, 1, 2, 3, 5, 15, 16, 31, 32, 33, 70] {
                verify_batch(key, size);
            }
        }
    });
}

/// Authentic requests, replays, forgeries, Standard ones, unknown keys, other lengths of nonce, and
/// timestamps outside the window.
fn verify_batch(key: &[u8], size: usize) {
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, Key::new(key).unwrap());
    let signers = [
        signer(Level::Advanced, b"another-key"),
        signer(Level::Standard, key),
        Signer::new(KeyId::new(8).unwrap(), Level::Advanced, Key::new(key).unwrap()),
    ];
    let authentic = signer(Level::Advanced, key);
    let sent: Vec<Vec<_>> = (0..size)
        .map(|i| {
            let signer = if i % 7 == 3 { &signers[i / 7 % 3] } else { &authentic };
            let nonce = Nonce::new(format!("{:064}", i % 50).as_bytes()).unwrap();
            let time = Timestamp::from_ms(NOW_MS + 7_000 * u64::try_from(i % 10).unwrap()).unwrap();
            let mut headers: Vec<_> = signer
                .sign_with(nonce, time)
                .iter()
                .map(|(name, value)| (name, value.as_bytes().to_vec()))
                .collect();
            if i % 11 == 5 && headers.len() == 4 {
                headers[2].1.truncate(16 + i);
            }
            headers
        })
        .collect();
    let requests: Vec<_> = sent
        .iter()
        .map(|headers| {
            let headers = headers.iter().map(|(name, value)| (name, value.as_slice()));
            Request::parse(headers, NonceLengths::LENIENT).unwrap()
        })
        .collect();
    let guard = || {
        let secret = MemoryGuardConfig::secret_from_system().unwrap();
        let skew = Skew::DEFAULT;
        MemoryGuard::new(MemoryGuardConfig { entries: 1_000, skew, start: Start::First, secret })
    };
    let guard_of_batch = guard();
    let guard_of_single = guard();
    let lookup = |wanted| (wanted == id).then_some(&stored);
    let mut batch = Vec::new();
    Verifier::new().verify_batch(&requests, lookup, NOW_MS, &guard_of_batch, |index, answer| {
        assert_eq!(index, batch.len());
        batch.push(answer);
    });
    let single: Vec<_> = requests
        .iter()
        .map(|request| {
            Verifier::new().verify(request, lookup(request.key_id()), NOW_MS, &guard_of_single)
        })
        .collect();
    assert_eq!(batch, single);
    if size == 70 {
        let refused: BTreeSet<_> =
            batch.iter().filter_map(|answer| Some(answer.err()?.code())).collect();
        assert!(refused.len() >= 5, "{refused:?}");
        assert!(batch.iter().any(Result::is_ok));
    }
}

/// Neighbours, and requests at the same position of the next part of the batch, have keys of other
/// lengths.
#[test]
fn each_request_of_a_batch_may_have_a_key_of_its_own() {
    let keys: Vec<_> = [64, 12, 128, 65, 256, 1, 192, 127, 63, 255, 43]
        .into_iter()
        .enumerate()
        .map(|(index, len)| {
            let key: Vec<u8> = b"key-0123456789ab".repeat(16)[..len].to_vec();
            let id = KeyId::new(index as u64 + 1).unwrap();
            let level = Level::Advanced;
            let key = Key::new(&key).unwrap();
            (Signer::new(id, level, key), StoredKey::new(id, level, key))
        })
        .collect();
    let now = Timestamp::from_ms(NOW_MS).unwrap();
    let sent: Vec<Vec<_>> = (0..150)
        .map(|i| {
            let nonce = Nonce::new(format!("{i:064}").as_bytes()).unwrap();
            let headers = keys[i % keys.len()].0.sign_with(nonce, now);
            headers.iter().map(|(name, value)| (name, value.to_owned())).collect()
        })
        .collect();
    let requests: Vec<_> = sent
        .iter()
        .map(|headers| {
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
            Request::parse(headers, NonceLengths::EXACT).unwrap()
        })
        .collect();
    with_every_kernel(|| {
        let lookup =
            |id: KeyId| keys.iter().map(|(_, stored)| stored).find(|key| key.key_id() == id);
        let mut accepted = 0;
        Verifier::new().verify_batch(&requests, lookup, NOW_MS, &NoReplayGuard, |index, answer| {
            let id = answer.map(|principal| principal.key_id());
            assert_eq!(id, Ok(requests[index].key_id()), "{index}");
            accepted += 1;
        });
        assert_eq!(accepted, requests.len());
    });
}

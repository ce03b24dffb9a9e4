//! Batches: what is signed or verified together is what would be one by one.

#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use chacha20::ChaCha20Rng;
use cortexkey_core::auth::{Key, KeyId, Level, Nonce, Signature, Signer, Timestamp};
use rand_core::SeedableRng as _;

const NOW_MS: u64 = 1_790_611_732_512;

fn signer(level: Level, key: &[u8]) -> Signer {
    Signer::new(KeyId::new(7).unwrap(), level, Key::new(key).unwrap())
}

/// Every length of key, and every size of batch that a step of the work could get wrong.
#[test]
fn a_batch_holds_what_one_signature_would() {
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

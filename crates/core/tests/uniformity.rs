//! Nonces are uniform, with every generator and every kernel.
//!
//! `CORTEXKEY_CHARACTERS` sets the number of characters.

#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;

use chacha20::ChaCha20Rng;
use cortexkey_core::auth::{Key, KeyId, Level, Nonce, Signature, Signer, Timestamp};
use rand_core::SeedableRng as _;

fn nonces() -> u64 {
    let characters = env::var("CORTEXKEY_CHARACTERS");
    characters.map_or(1_280_000, |count| count.parse::<u64>().unwrap()).div_ceil(64)
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn signer() -> Signer {
    Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(b"test-api-key").unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_ms(1_790_611_732_512).unwrap()
}

/// How often each character occurred at each position of a nonce.
struct Counts(Vec<[u32; 256]>);

impl Counts {
    fn of(nonces: impl IntoIterator<Item = [u8; 64]>) -> Self {
        let mut counts = Self(vec![[0; 256]; 64]);
        for nonce in nonces {
            for (place, byte) in counts.0.iter_mut().zip(nonce) {
                place[usize::from(byte)] += 1;
            }
        }
        counts
    }

    fn hold(&self) {
        let mut all = [0_u64; 256];
        for place in &self.0 {
            all.iter_mut().zip(place).for_each(|(all, count)| *all += u64::from(*count));
            // 61 degrees of freedom: a fair source exceeds 135 at one of 64 positions once in about
            // 150,000 runs.
            let chi_square = chi_square(&place.map(u64::from));
            assert!(chi_square < 135.0, "{chi_square} at one place");
        }
        // Above 112.3 once in 10,000 runs. A byte modulo 62, as some clients use, gives
        // about 12,000 with 1,280,000 characters.
        let chi_square = chi_square(&all);
        assert!(chi_square < 112.3, "{chi_square}");
        assert!(chi_square > 25.0, "too even to be chance: {chi_square}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts that a float holds")]
fn chi_square(counts: &[u64; 256]) -> f64 {
    let characters = (0..=255_u8).filter(u8::is_ascii_alphanumeric);
    let counted: u64 = characters.clone().map(|byte| counts[usize::from(byte)]).sum();
    assert_eq!(counted, counts.iter().sum::<u64>(), "letters and digits only");
    let expected = counted as f64 / 62.0;
    let distance = |byte: u8| (counts[usize::from(byte)] as f64 - expected).powi(2) / expected;
    characters.map(distance).sum()
}

#[test]
fn nonce_characters_are_uniformly_distributed() {
    let mut rng = rng();
    Counts::of((0..nonces()).map(|_| *Nonce::generate(&mut rng).as_bytes())).hold();
}

#[test]
fn batch_characters_are_uniformly_distributed() {
    let mut rng = rng();
    Counts::of(batches(|advanced, batch| advanced.sign_batch(&mut rng, now(), batch))).hold();
}

/// The seed is the system's, so this fails by chance about once in 10,000 runs; then it tries
/// again.
#[cfg(feature = "kernels")]
#[test]
fn thread_generator_characters_are_uniformly_distributed() {
    let hold = || {
        use cortexkey_kernels::Path;

        // Nonces of the fourth path are those of `Vectors`.
        for path in [Path::Plain, Path::Vectors, Path::Avx512] {
            path.limit();
            hold_of_thread();
        }
    };
    std::panic::catch_unwind(hold).unwrap_or_else(|_| hold());
}

#[cfg(feature = "kernels")]
fn hold_of_thread() {
    let signer = signer();
    let one = || signer.sign_from_thread(now()).unwrap().nonce().unwrap().as_bytes().try_into();
    Counts::of((0..nonces()).map(|_| one().unwrap())).hold();
    Counts::of(batches(|advanced, batch| {
        advanced.sign_batch_from_thread(now(), batch).unwrap();
    }))
    .hold();
}

fn batches(
    mut sign: impl FnMut(cortexkey_core::auth::AdvancedSigner<'_>, &mut [Signature]),
) -> impl Iterator<Item = [u8; 64]> {
    let signer = signer();
    (0..nonces().div_ceil(40)).flat_map(move |_| {
        let mut batch = vec![Signature::EMPTY; 40];
        sign(signer.advanced().unwrap(), &mut batch);
        batch.into_iter().map(|signature| *signature.as_bytes().1)
    })
}

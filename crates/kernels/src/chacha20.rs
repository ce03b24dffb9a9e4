//! The keystream of ChaCha20, sixteen blocks at a time, for the generator.
//!
//! It has no nonce, so a key serves for one run of the counter. The caller wipes key and keystream.

use core::arch::x86_64::*;

use crate::avx512::{Avx512, store};

/// The length of the keystream of one call.
pub(crate) const RUN_BYTES: usize = 1024;

/// Sixteen blocks of keystream from `counter` on: the first words of all blocks, then the second ones,
/// and so on. For random bytes the order does not matter.
pub(crate) fn keystream(_: Avx512, key: &[u8; 32], counter: u32, out: &mut [u8; RUN_BYTES]) {
    // SAFETY: an `Avx512` exists only if the processor supports what the function needs.
    unsafe { sixteen_blocks(key, counter, out) }
}

/// Four quarter rounds, step by step, since the steps of one depend on each other. Unrolled, so that the
/// words stay in registers.
macro_rules! quarter_rounds {
    ($x:ident, $([$a:literal, $b:literal, $c:literal, $d:literal])*) => {
        quarter_rounds!(step 16 $x, $([$a, $b, $d])*);
        quarter_rounds!(step 12 $x, $([$c, $d, $b])*);
        quarter_rounds!(step 8 $x, $([$a, $b, $d])*);
        quarter_rounds!(step 7 $x, $([$c, $d, $b])*);
    };
    (step $bits:literal $x:ident, $([$a:literal, $b:literal, $d:literal])*) => {
        $($x[$a] = _mm512_add_epi32($x[$a], $x[$b]);)*
        $($x[$d] = _mm512_rol_epi32::<$bits>(_mm512_xor_si512($x[$d], $x[$a]));)*
    };
}

#[target_feature(enable = "avx512f")]
fn sixteen_blocks(key: &[u8; 32], counter: u32, out: &mut [u8; RUN_BYTES]) {
    let mut start = [_mm512_setzero_si512(); 16];
    for (word, constant) in start.iter_mut().zip(b"expand 32-byte k".as_chunks::<4>().0) {
        *word = _mm512_set1_epi32(i32::from_le_bytes(*constant));
    }
    for (word, bytes) in start[4..].iter_mut().zip(key.as_chunks::<4>().0) {
        *word = _mm512_set1_epi32(i32::from_le_bytes(*bytes));
    }
    let lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    start[12] = _mm512_add_epi32(lanes, _mm512_set1_epi32(counter.cast_signed()));

    let mut x = start;
    for _ in 0..10 {
        quarter_rounds!(x, [0, 4, 8, 12] [1, 5, 9, 13] [2, 6, 10, 14] [3, 7, 11, 15]);
        quarter_rounds!(x, [0, 5, 10, 15] [1, 6, 11, 12] [2, 7, 8, 13] [3, 4, 9, 14]);
    }
    for ((place, word), start) in out.as_chunks_mut().0.iter_mut().zip(x).zip(start) {
        store(place, _mm512_add_epi32(word, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha20Rng;
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;

    /// The same sixteen blocks, one after another.
    fn in_order(key: &[u8; 32], counter: u32) -> Option<[[u8; 64]; 16]> {
        let mut by_words = [0; RUN_BYTES];
        keystream(Avx512::detect()?, key, counter, &mut by_words);
        let mut blocks = [[0; 64]; 16];
        for (i, words) in by_words.as_chunks::<64>().0.iter().enumerate() {
            for (block, word) in blocks.iter_mut().zip(words.as_chunks::<4>().0) {
                block[4 * i..4 * i + 4].copy_from_slice(word);
            }
        }
        Some(blocks)
    }

    /// RFC 8439, appendix A.1, test vectors 1 to 4: those without a nonce.
    #[test]
    fn it_matches_the_rfcs_vectors() {
        let mut last_is_one = [0; 32];
        last_is_one[31] = 1;
        let mut second_is_ff = [0; 32];
        second_is_ff[1] = 0xff;
        for (key, counter, expected) in [
            (
                [0; 32],
                0,
                "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
                 da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
            ),
            (
                [0; 32],
                1,
                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
                 29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
            ),
            (
                last_is_one,
                1,
                "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a\
                 8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
            ),
            (
                second_is_ff,
                2,
                "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca\
                 13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
            ),
        ] {
            let Some(blocks) = in_order(&key, counter) else { return };
            assert_eq!(hex::encode(blocks[0]), expected, "counter {counter}");
        }
    }

    proptest! {
        #[test]
        fn it_matches_the_chacha20_crate(key: [u8; 32], runs in 0..4_u32) {
            let mut rng = ChaCha20Rng::from_seed(key);
            for run in 0..=runs {
                let Some(blocks) = in_order(&key, 16 * run) else { return Ok(()) };
                let mut expected = [0; RUN_BYTES];
                rng.fill_bytes(&mut expected);
                prop_assert_eq!(blocks.as_flattened(), expected.as_slice());
            }
        }
    }
}

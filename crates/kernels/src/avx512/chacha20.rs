//! The keystream of ChaCha20, sixteen blocks at a time, for the generator.
//!
//! It has no nonce, so a key is used for only one run of the counter. The caller wipes the key and
//! the keystream.

use core::arch::x86_64::*;

use super::{Avx512, store};

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

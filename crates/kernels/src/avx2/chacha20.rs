//! The keystream of ChaCha20, sixteen blocks at a time, for the generator.
//!
//! It has no nonce, so a key is used for only one run of the counter. The caller wipes the key and
//! the keystream.

use core::arch::x86_64::*;
use core::hint::black_box;

use super::{Avx2, store};

/// The length of the keystream of one call.
pub(crate) const RUN_BYTES: usize = 1024;
/// The number of sets of eight blocks. A single set is bound by latency and takes half as long
/// again.
const SETS: usize = 2;

/// Sixteen blocks of keystream from `counter` on: the first words of the first eight blocks, then the
/// second ones, and so on; then those of the other eight. For random bytes the order does not matter.
pub(crate) fn keystream(_: Avx2, key: &[u8; 32], counter: u32, out: &mut [u8; RUN_BYTES]) {
    // SAFETY: an `Avx2` exists only if the processor supports what the function needs.
    unsafe { sixteen_blocks(key, counter, out) }
}

/// Rotates the words of a vector: by whole bytes with a shuffle, otherwise with two shifts.
macro_rules! rotate {
    (16 $v:expr, $masks:ident) => {
        _mm256_shuffle_epi8($v, $masks[0])
    };
    (8 $v:expr, $masks:ident) => {
        _mm256_shuffle_epi8($v, $masks[1])
    };
    (12 $v:expr, $masks:ident) => {
        _mm256_or_si256(_mm256_slli_epi32::<12>($v), _mm256_srli_epi32::<20>($v))
    };
    (7 $v:expr, $masks:ident) => {
        _mm256_or_si256(_mm256_slli_epi32::<7>($v), _mm256_srli_epi32::<25>($v))
    };
}

/// Four quarter rounds of both sets, step by step, since the steps of one depend on each other.
macro_rules! quarter_rounds {
    ($x:ident, $masks:ident, $([$a:literal, $b:literal, $c:literal, $d:literal])*) => {
        quarter_rounds!(step 16 $x, $masks, $([$a, $b, $d])*);
        quarter_rounds!(step 12 $x, $masks, $([$c, $d, $b])*);
        quarter_rounds!(step 8 $x, $masks, $([$a, $b, $d])*);
        quarter_rounds!(step 7 $x, $masks, $([$c, $d, $b])*);
    };
    (step $bits:tt $x:ident, $masks:ident, $([$a:literal, $b:literal, $d:literal])*) => {
        for x in &mut $x {
            $(x[$a] = _mm256_add_epi32(x[$a], x[$b]);)*
            $(x[$d] = rotate!($bits _mm256_xor_si256(x[$d], x[$a]), $masks);)*
        }
    };
}

#[target_feature(enable = "avx2")]
fn sixteen_blocks(key: &[u8; 32], counter: u32, out: &mut [u8; RUN_BYTES]) {
    let mut start = [[_mm256_setzero_si256(); 16]; SETS];
    for (set, counter) in start.iter_mut().zip((counter..).step_by(8)) {
        for (word, constant) in set.iter_mut().zip(b"expand 32-byte k".as_chunks::<4>().0) {
            *word = _mm256_set1_epi32(i32::from_le_bytes(*constant));
        }
        for (word, bytes) in set[4..].iter_mut().zip(key.as_chunks::<4>().0) {
            *word = _mm256_set1_epi32(i32::from_le_bytes(*bytes));
        }
        let lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
        set[12] = _mm256_add_epi32(lanes, _mm256_set1_epi32(counter.cast_signed()));
    }

    // Hidden from the compiler, which would replace one shuffle with two.
    let masks = black_box([
        bytes(0x0d0c_0f0e_0908_0b0a, 0x0504_0706_0100_0302),
        bytes(0x0e0d_0c0f_0a09_080b, 0x0605_0407_0201_0003),
    ]);
    let mut x = start;
    for _ in 0..10 {
        quarter_rounds!(x, masks, [0, 4, 8, 12] [1, 5, 9, 13] [2, 6, 10, 14] [3, 7, 11, 15]);
        quarter_rounds!(x, masks, [0, 5, 10, 15] [1, 6, 11, 12] [2, 7, 8, 13] [3, 4, 9, 14]);
    }
    let words = x.as_flattened();
    let start = start.as_flattened();
    for ((out, word), start) in out.as_chunks_mut().0.iter_mut().zip(words).zip(start) {
        store(out, _mm256_add_epi32(*word, *start));
    }
}

/// Copies 16 bytes into both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes(high: i64, low: i64) -> __m256i {
    _mm256_broadcastsi128_si256(_mm_set_epi64x(high, low))
}

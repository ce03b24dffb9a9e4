//! SHA-256 of eight messages at a time, for processors without instructions for SHA-256.

use core::arch::x86_64::*;

use zeroize::optimization_barrier;

use super::{Avx2, load, load_words, store_words};
use crate::sha256::{K, SharedBlock, Words};
use crate::sizes::LANES;

/// How many messages are hashed at a time.
const SET: usize = 8;
const SETS: usize = LANES / SET;

/// Compresses a block into each lane whose bit is set in `active`.
pub(crate) fn compress_each(_: Avx2, words: &mut Words, blocks: &[&[u8; 64]; LANES], active: u32) {
    for (set, blocks) in blocks.as_chunks::<SET>().0.iter().enumerate() {
        let active = active >> (SET * set) & 0xff;
        if active != 0 {
            // SAFETY: an `Avx2` exists only if the processor supports what the function needs.
            unsafe { compress_eight(words, set, blocks, active) }
        }
    }
}

/// Compresses one block into all lanes of the sets that have one of the first `count` lanes.
pub(crate) fn compress_shared(_: Avx2, words: &mut Words, block: &SharedBlock, count: usize) {
    for set in 0..count.div_ceil(SET).min(SETS) {
        // SAFETY: as above.
        unsafe { compress_eight_shared(words, set, block.sums()) }
    }
}

type State = [__m256i; 8];

#[target_feature(enable = "avx2")]
fn compress_eight(words: &mut Words, set: usize, blocks: &[&[u8; 64]; SET], active: u32) {
    let mut schedule = transposed(blocks);
    let mut state = load_state(words, set);
    for (sixteen, constants) in K.as_chunks::<16>().0.iter().enumerate() {
        if sixteen > 0 {
            expand(&mut schedule);
        }
        sixteen_rounds(&mut state, |i| {
            _mm256_add_epi32(schedule[i], _mm256_set1_epi32(constants[i].cast_signed()))
        });
    }
    add_state(words, set, &state, active);
    // The blocks may hold a part of a key.
    schedule = [_mm256_setzero_si256(); 16];
    optimization_barrier(&schedule);
}

#[target_feature(enable = "avx2")]
fn compress_eight_shared(words: &mut Words, set: usize, sums: &[u32; 64]) {
    let mut state = load_state(words, set);
    for sums in sums.as_chunks::<16>().0 {
        sixteen_rounds(&mut state, |i| _mm256_set1_epi32(sums[i].cast_signed()));
    }
    add_state(words, set, &state, u32::MAX);
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_state(words: &Words, set: usize) -> State {
    words.each_ref().map(|word| load_words(&word.as_flattened().as_chunks::<SET>().0[set]))
}

/// Adds the result of the rounds to the previous state, in the active lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn add_state(words: &mut Words, set: usize, state: &State, active: u32) {
    let bits = _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1);
    let chosen = _mm256_and_si256(_mm256_set1_epi32(active.cast_signed()), bits);
    let mask = _mm256_cmpeq_epi32(chosen, bits);
    for (word, change) in words.iter_mut().zip(state) {
        let lanes = &mut word.as_flattened_mut().as_chunks_mut::<SET>().0[set];
        let change = _mm256_and_si256(*change, mask);
        store_words(lanes, _mm256_add_epi32(load_words(lanes), change));
    }
}

macro_rules! rotated {
    ($v:expr, $bits:literal) => {
        _mm256_or_si256(_mm256_srli_epi32::<$bits>($v), _mm256_slli_epi32::<{ 32 - $bits }>($v))
    };
}

/// Replaces sixteen words of a schedule with the next sixteen.
#[inline]
#[target_feature(enable = "avx2")]
fn expand(w: &mut [__m256i; 16]) {
    for i in 0..16 {
        let early = w[(i + 1) % 16];
        let late = w[(i + 14) % 16];
        let early = xor3(rotated!(early, 7), rotated!(early, 18), _mm256_srli_epi32::<3>(early));
        let late = xor3(rotated!(late, 17), rotated!(late, 19), _mm256_srli_epi32::<10>(late));
        let sum = _mm256_add_epi32(w[i], w[(i + 9) % 16]);
        w[i] = _mm256_add_epi32(_mm256_add_epi32(sum, early), late);
    }
}

/// Sixteen rounds; `schedule` returns the sum of word and constant for a round.
#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
#[inline]
#[target_feature(enable = "avx2")]
fn sixteen_rounds(state: &mut State, schedule: impl Fn(usize) -> __m256i) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! round {
        ($i:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
            let s1 = xor3(rotated!($e, 6), rotated!($e, 11), rotated!($e, 25));
            let choice = _mm256_xor_si256($g, _mm256_and_si256($e, _mm256_xor_si256($f, $g)));
            let sum = _mm256_add_epi32($h, schedule($i));
            let sum = _mm256_add_epi32(sum, _mm256_add_epi32(s1, choice));
            $d = _mm256_add_epi32($d, sum);
            let s0 = xor3(rotated!($a, 2), rotated!($a, 13), rotated!($a, 22));
            let majority = _mm256_or_si256(
                _mm256_and_si256($a, $b),
                _mm256_and_si256($c, _mm256_or_si256($a, $b)),
            );
            $h = _mm256_add_epi32(sum, _mm256_add_epi32(s0, majority));
        };
    }
    for i in [0, 8] {
        round!(i, a b c d e f g h);
        round!(i + 1, h a b c d e f g);
        round!(i + 2, g h a b c d e f);
        round!(i + 3, f g h a b c d e);
        round!(i + 4, e f g h a b c d);
        round!(i + 5, d e f g h a b c);
        round!(i + 6, c d e f g h a b);
        round!(i + 7, b c d e f g h a);
    }
    *state = [a, b, c, d, e, f, g, h];
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

/// Word `i` of each of eight blocks in vector `i`.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(blocks: &[&[u8; 64]; SET]) -> [__m256i; 16] {
    let big_endian =
        _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let mut out = [_mm256_setzero_si256(); 16];
    for (half, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut r = [_mm256_setzero_si256(); 8];
        for (row, block) in r.iter_mut().zip(blocks) {
            let (halves, _) = block.as_chunks::<32>();
            *row = _mm256_shuffle_epi8(load(&halves[half]), big_endian);
        }
        // Interleaves two words, then four words of adjacent rows; then exchanges the halves.
        let mut s = r;
        for i in (0..8).step_by(2) {
            s[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
            s[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
        }
        for i in [0, 4] {
            r[i] = _mm256_unpacklo_epi64(s[i], s[i + 2]);
            r[i + 1] = _mm256_unpackhi_epi64(s[i], s[i + 2]);
            r[i + 2] = _mm256_unpacklo_epi64(s[i + 1], s[i + 3]);
            r[i + 3] = _mm256_unpackhi_epi64(s[i + 1], s[i + 3]);
        }
        for i in 0..4 {
            out[i] = _mm256_permute2x128_si256::<0x20>(r[i], r[i + 4]);
            out[i + 4] = _mm256_permute2x128_si256::<0x31>(r[i], r[i + 4]);
        }
    }
    out
}

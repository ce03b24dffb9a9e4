//! SHA-256 of 32 messages at a time, in two sets of sixteen lanes.
//!
//! One set is bound by latency; two keep the processor busy. The rounds are a loop of four times sixteen:
//! fully unrolled they would not fit the cache of decoded instructions.

use core::arch::x86_64::*;

use zeroize::optimization_barrier;

use super::text::{big_endian_byte_positions, hex_digits};
use super::{Avx512, load, load_words, store, store_words};
use crate::sha256::{K, SharedBlock, Words};
use crate::sizes::LANES;

const SET: usize = 16;
const SETS: usize = LANES / SET;
/// Both sets of a word.
type Pair = [__m512i; SETS];

/// Compresses a block into each lane whose bit is set in `active`.
pub(crate) fn compress_each(
    _: Avx512,
    words: &mut Words,
    blocks: &[&[u8; 64]; LANES],
    active: u32,
) {
    // SAFETY: an `Avx512` exists only if the processor supports what the function needs.
    unsafe { compress_each_lane(words, blocks, active) }
}

/// Compresses one block into all lanes.
pub(crate) fn compress_shared(_: Avx512, words: &mut Words, block: &SharedBlock) {
    // SAFETY: as above.
    unsafe { compress_all_lanes(words, block.sums()) }
}

/// Writes the digests, each as eight words. Returns a bit for each lane whose digest a string holds as hexadecimal
/// digits.
pub(crate) fn check(
    _: Avx512,
    words: &Words,
    texts: &[&[u8; 64]; LANES],
    digests: &mut [[u32; 8]; LANES],
) -> u32 {
    // SAFETY: as above.
    unsafe { store_and_compare(words, texts, digests) }
}

/// Writes the digests as hexadecimal digits.
pub(crate) fn write_hex(_: Avx512, words: &Words, texts: &mut [Option<&mut [u8; 64]>; LANES]) {
    // SAFETY: as above.
    unsafe { store_hex(words, texts) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compress_each_lane(words: &mut Words, blocks: &[&[u8; 64]; LANES], active: u32) {
    let (sets, _) = blocks.as_chunks::<SET>();
    let mut schedule = [transposed(&sets[0]), transposed(&sets[1])];
    let mut state = load_state(words);
    for (sixteen, constants) in K.as_chunks::<16>().0.iter().enumerate() {
        if sixteen > 0 {
            let [first, second] = &mut schedule;
            expand(first);
            expand(second);
        }
        sixteen_rounds(&mut state, |i, set| {
            _mm512_add_epi32(schedule[set][i], _mm512_set1_epi32(constants[i].cast_signed()))
        });
    }
    add_state(words, &state, active);
    // The blocks may hold a part of a key.
    schedule = [[_mm512_setzero_si512(); 16]; SETS];
    optimization_barrier(&schedule);
}

#[target_feature(enable = "avx512f")]
fn compress_all_lanes(words: &mut Words, sums: &[u32; 64]) {
    let mut state = load_state(words);
    for sums in sums.as_chunks::<16>().0 {
        sixteen_rounds(&mut state, |i, _| _mm512_set1_epi32(sums[i].cast_signed()));
    }
    add_state(words, &state, u32::MAX);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_state(words: &Words) -> [Pair; 8] {
    words.each_ref().map(|word| word.each_ref().map(|lanes| load_words(lanes)))
}

/// Adds the result of the rounds to the previous state, in the active lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_state(words: &mut Words, state: &[Pair; 8], active: u32) {
    #[expect(clippy::cast_possible_truncation, reason = "each half is used")]
    let masks = [active as u16, (active >> 16) as u16];
    for (word, change) in words.iter_mut().zip(state) {
        for ((lanes, change), mask) in word.iter_mut().zip(change).zip(masks) {
            let before = load_words(lanes);
            store_words(lanes, _mm512_mask_add_epi32(before, mask, before, *change));
        }
    }
}

/// Replaces sixteen words of a schedule with the next sixteen.
#[inline]
#[target_feature(enable = "avx512f")]
fn expand(w: &mut [__m512i; 16]) {
    // Unrolled, so that the words stay in registers.
    macro_rules! word {
        ($($i:literal)*) => {$(
            let early = w[($i + 1) % 16];
            let late = w[($i + 14) % 16];
            let early = xor3(
                _mm512_ror_epi32::<7>(early),
                _mm512_ror_epi32::<18>(early),
                _mm512_srli_epi32::<3>(early),
            );
            let late = xor3(
                _mm512_ror_epi32::<17>(late),
                _mm512_ror_epi32::<19>(late),
                _mm512_srli_epi32::<10>(late),
            );
            let sum = _mm512_add_epi32(w[$i], w[($i + 9) % 16]);
            w[$i] = _mm512_add_epi32(_mm512_add_epi32(sum, early), late);
        )*};
    }
    word!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// Sixteen rounds of both sets; `schedule` returns the sum of word and constant for a round and a set.
#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
#[inline]
#[target_feature(enable = "avx512f")]
fn sixteen_rounds(state: &mut [Pair; 8], schedule: impl Fn(usize, usize) -> __m512i) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! round {
        ($i:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
            for set in 0..SETS {
                let s1 = xor3(
                    _mm512_ror_epi32::<6>($e[set]),
                    _mm512_ror_epi32::<11>($e[set]),
                    _mm512_ror_epi32::<25>($e[set]),
                );
                let choice = _mm512_ternarylogic_epi32::<0xca>($e[set], $f[set], $g[set]);
                let sum = _mm512_add_epi32($h[set], schedule($i, set));
                let sum = _mm512_add_epi32(sum, _mm512_add_epi32(s1, choice));
                $d[set] = _mm512_add_epi32($d[set], sum);
                let s0 = xor3(
                    _mm512_ror_epi32::<2>($a[set]),
                    _mm512_ror_epi32::<13>($a[set]),
                    _mm512_ror_epi32::<22>($a[set]),
                );
                let majority = _mm512_ternarylogic_epi32::<0xe8>($a[set], $b[set], $c[set]);
                $h[set] = _mm512_add_epi32(sum, _mm512_add_epi32(s0, majority));
            }
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
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// Word `i` of each of sixteen blocks in vector `i`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn transposed(blocks: &[&[u8; 64]; SET]) -> [__m512i; 16] {
    let big_endian = big_endian();
    let mut r = [_mm512_setzero_si512(); 16];
    for (row, block) in r.iter_mut().zip(blocks) {
        *row = _mm512_shuffle_epi8(load(block), big_endian);
    }
    // Interleaves two words, then four words of adjacent rows; then exchanges the quarters, twice.
    let mut s = r;
    for i in (0..16).step_by(2) {
        s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for i in (0..16).step_by(4) {
        r[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
    }
    for i in 0..4 {
        for j in [0, 8] {
            s[i + j] = _mm512_shuffle_i32x4::<0x88>(r[i + j], r[i + j + 4]);
            s[i + j + 4] = _mm512_shuffle_i32x4::<0xdd>(r[i + j], r[i + j + 4]);
        }
    }
    for i in 0..4 {
        r[i] = _mm512_shuffle_i32x4::<0x88>(s[i], s[i + 8]);
        r[i + 4] = _mm512_shuffle_i32x4::<0x88>(s[i + 4], s[i + 12]);
        r[i + 8] = _mm512_shuffle_i32x4::<0xdd>(s[i], s[i + 8]);
        r[i + 12] = _mm512_shuffle_i32x4::<0xdd>(s[i + 4], s[i + 12]);
    }
    r
}

/// The shuffle that reverses the bytes of each word.
#[inline]
#[target_feature(enable = "avx512f")]
fn big_endian() -> __m512i {
    _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203))
}

/// The digests of sixteen lanes, two in a vector: for `k` below 4, vector `k` holds those of the lanes
/// `k` and `k + 4`, and vector `k + 4` those of `k + 8` and `k + 12`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn rows(words: &Words, set: usize) -> [__m512i; 8] {
    let mut r = [_mm512_setzero_si512(); 8];
    for (vector, word) in r.iter_mut().zip(words) {
        *vector = load_words(&word[set]);
    }
    let mut s = r;
    for i in (0..8).step_by(2) {
        s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for i in [0, 4] {
        r[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
    }
    // Quarter `q` of vector `k` holds the words 0 to 3 of lane `k + 4 * q`, and that of vector `k + 4`
    // the words 4 to 7.
    let front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    let back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    for k in 0..4 {
        s[k] = _mm512_permutex2var_epi64(r[k], front, r[k + 4]);
        s[k + 4] = _mm512_permutex2var_epi64(r[k], back, r[k + 4]);
    }
    s
}

/// The lanes whose digests [`rows`] puts into a vector.
const fn lanes_of(vector: usize) -> [usize; 2] {
    let first = vector % 4 + vector / 4 * 8;
    [first, first + 4]
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store_and_compare(
    words: &Words,
    texts: &[&[u8; 64]; LANES],
    digests: &mut [[u32; 8]; LANES],
) -> u32 {
    let first = load(&const { big_endian_byte_positions(0) });
    let second = load(&const { big_endian_byte_positions(32) });
    let mut matches = 0;
    for set in 0..SETS {
        for (vector, row) in rows(words, set).into_iter().enumerate() {
            let mut both = [0; 16];
            store_words(&mut both, row);
            let (halves, _) = both.as_chunks::<8>();
            let lanes = lanes_of(vector).into_iter().zip([first, second]).zip(halves);
            for ((lane, places), half) in lanes {
                let lane = SET * set + lane;
                digests[lane] = *half;
                let digits = hex_digits(_mm512_permutexvar_epi8(places, row));
                let is_equal = _mm512_cmpneq_epi8_mask(digits, load(texts[lane])) == 0;
                matches |= u32::from(is_equal) << lane;
            }
        }
    }
    matches
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store_hex(words: &Words, texts: &mut [Option<&mut [u8; 64]>; LANES]) {
    let first = load(&const { big_endian_byte_positions(0) });
    let second = load(&const { big_endian_byte_positions(32) });
    for (set, texts) in texts.as_chunks_mut::<SET>().0.iter_mut().enumerate() {
        for (vector, row) in rows(words, set).into_iter().enumerate() {
            for (lane, half) in lanes_of(vector).into_iter().zip([first, second]) {
                if let Some(text) = &mut texts[lane] {
                    store(text, hex_digits(_mm512_permutexvar_epi8(half, row)));
                }
            }
        }
    }
}

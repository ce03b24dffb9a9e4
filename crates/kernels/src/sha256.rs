//! [`Lanes`]: SHA-256 of 32 messages at a time with AVX-512, in two sets of sixteen lanes.
//!
//! It compresses blocks that are already padded, and is wiped on drop, since its state may be the
//! midstate of a key.
//!
//! One set is bound by latency; two keep the processor busy. The rounds are a loop of four times sixteen:
//! fully unrolled they would not fit the cache of decoded instructions.

use core::arch::x86_64::*;
use core::array;

use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

use crate::avx512::{Avx512, load, load_words, store, store_words};
use crate::text::{big_endian_byte_positions, hex_digits};

/// The number of messages that are hashed at a time.
pub const LANES: usize = 32;
const SET: usize = 16;
const SETS: usize = LANES / SET;

/// The state of 32 hashes.
#[repr(C, align(64))]
pub struct Lanes {
    /// By word, then set, then lane.
    words: [[[u32; SET]; SETS]; 8],
}

/// The expanded message schedule of a block that is the same in all lanes.
pub struct SharedBlock([u32; 64]);

impl SharedBlock {
    /// Expands the schedule of a block.
    pub fn new(block: &[u8; 64]) -> Self {
        let mut schedule = [0; 64];
        for (word, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for t in 16..64 {
            let (early, late) = (schedule[t - 15], schedule[t - 2]);
            let early = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
            let late = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
            let sum = schedule[t - 16].wrapping_add(schedule[t - 7]);
            schedule[t] = sum.wrapping_add(early).wrapping_add(late);
        }
        for (word, k) in schedule.iter_mut().zip(K) {
            *word = word.wrapping_add(k);
        }
        Self(schedule)
    }
}

impl Lanes {
    /// All lanes start with the same state.
    pub fn all(state: &[u32; 8]) -> Self {
        Self { words: state.map(|word| [[word; SET]; SETS]) }
    }

    /// Sets the initial state of one lane.
    pub fn set_state(&mut self, lane: usize, state: &[u32; 8]) {
        for (word, value) in self.words.iter_mut().zip(state) {
            if let Some(place) = word.as_flattened_mut().get_mut(lane) {
                *place = *value;
            }
        }
    }

    /// Compresses a block into each lane whose bit is set in `active`; the others do not change.
    pub fn compress_each(&mut self, _: Avx512, blocks: [&[u8; 64]; LANES], active: u32) {
        // SAFETY: an `Avx512` exists only if the processor supports what the function needs.
        unsafe { compress_each(&mut self.words, blocks, active) }
    }

    /// Compresses one block into all lanes.
    pub fn compress_shared(&mut self, _: Avx512, block: &SharedBlock) {
        // SAFETY: as above.
        unsafe { compress_shared(&mut self.words, block) }
    }

    /// The digests, each as eight words.
    pub fn digests(&self, _: Avx512) -> [[u32; 8]; LANES] {
        let mut digests = [[0; 8]; LANES];
        // SAFETY: as above.
        unsafe { write_digests(&self.words, &mut digests) };
        digests
    }

    /// Writes the digests of the first lanes as lower-case hexadecimal digits, one to each text.
    pub fn write_hex<'t>(&self, _: Avx512, texts: impl Iterator<Item = &'t mut [u8; 64]>) {
        let mut texts = texts.fuse();
        let mut texts = array::from_fn(|_| texts.next());
        // SAFETY: as above.
        unsafe { write_hex(&self.words, &mut texts) }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.words.as_flattened_mut().as_flattened_mut().zeroize();
    }
}

impl ZeroizeOnDrop for Lanes {}

type Words = [[[u32; SET]; SETS]; 8];
/// Both sets of a word.
type Pair = [__m512i; SETS];

#[target_feature(enable = "avx512f,avx512bw")]
fn compress_each(words: &mut Words, blocks: [&[u8; 64]; LANES], active: u32) {
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
fn compress_shared(words: &mut Words, block: &SharedBlock) {
    let mut state = load_state(words);
    for schedule in block.0.as_chunks::<16>().0 {
        sixteen_rounds(&mut state, |i, _| _mm512_set1_epi32(schedule[i].cast_signed()));
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
            let (early, late) = (w[($i + 1) % 16], w[($i + 14) % 16]);
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

#[target_feature(enable = "avx512f,avx512bw")]
fn write_digests(words: &Words, digests: &mut [[u32; 8]; LANES]) {
    for (set, digests) in digests.as_chunks_mut::<SET>().0.iter_mut().enumerate() {
        for (vector, row) in rows(words, set).into_iter().enumerate() {
            let mut both = [0; 16];
            store_words(&mut both, row);
            let (halves, _) = both.as_chunks::<8>();
            for (lane, half) in lanes_of(vector).into_iter().zip(halves) {
                digests[lane] = *half;
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn write_hex(words: &Words, places: &mut [Option<&mut [u8; 64]>; LANES]) {
    let first = load(&const { big_endian_byte_positions(0) });
    let second = load(&const { big_endian_byte_positions(32) });
    for (set, places) in places.as_chunks_mut::<SET>().0.iter_mut().enumerate() {
        for (vector, row) in rows(words, set).into_iter().enumerate() {
            for (lane, half) in lanes_of(vector).into_iter().zip([first, second]) {
                if let Some(place) = &mut places[lane] {
                    store(place, hex_digits(_mm512_permutexvar_epi8(half, row)));
                }
            }
        }
    }
}

#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha20Rng;
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;
    use sha2::block_api::compress256;

    /// Pseudorandom states and blocks.
    fn random(seed: u64) -> ([[u32; 8]; LANES], [[u8; 64]; LANES]) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut states = [[0; 8]; LANES];
        states.as_flattened_mut().iter_mut().for_each(|word| *word = rng.next_u32());
        let mut blocks = [[0; 64]; LANES];
        rng.fill_bytes(blocks.as_flattened_mut());
        (states, blocks)
    }

    fn bytes(state: [u32; 8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
            *place = word.to_be_bytes();
        }
        bytes
    }

    proptest! {
        #[test]
        fn every_lane_equals_sha2(seed: u64, active: u32) {
            let Some(avx512) = Avx512::detect() else { return Ok(()) };
            let (mut states, blocks) = random(seed);
            let mut lanes = Lanes::all(&[0; 8]);
            states.iter().enumerate().for_each(|(lane, state)| lanes.set_state(lane, state));
            lanes.compress_each(avx512, blocks.each_ref(), active);
            lanes.compress_shared(avx512, &SharedBlock::new(&blocks[0]));
            for (lane, state) in states.iter_mut().enumerate() {
                if active >> lane & 1 == 1 {
                    compress256(state, &blocks[lane..=lane]);
                }
                compress256(state, &blocks[..1]);
            }
            prop_assert_eq!(lanes.digests(avx512), states);
            for count in [0, 1, 31, 32] {
                let mut texts = vec![[0; 64]; count];
                lanes.write_hex(avx512, texts.iter_mut());
                for (text, state) in texts.iter().zip(states) {
                    prop_assert_eq!(text.to_vec(), hex::encode(bytes(state)).into_bytes());
                }
            }
        }
    }
}

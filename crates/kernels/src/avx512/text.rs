//! Checks and digits of 64 characters at a time, the length of a nonce and of a digest in hexadecimal.

use core::arch::x86_64::*;

use super::{Avx512, load, store};

/// Whether all characters are ASCII letters and digits.
#[inline]
pub(crate) fn are_alphanumeric(_: Avx512, text: &[u8; 64]) -> bool {
    // SAFETY: an `Avx512` exists only if the processor supports what the function needs.
    unsafe { all_alphanumeric(text) }
}

/// Whether all characters are lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_hex_digits(_: Avx512, text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { all_hex_digits(text) }
}

/// Whether a nonce is ASCII letters and digits, and a digest lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_nonce_and_digest(_: Avx512, nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { both_valid(nonce, digest) }
}

/// Writes the eight words of a digest as lower-case hexadecimal digits.
#[inline]
pub(crate) fn write_hex(_: Avx512, words: &[u32; 8], text: &mut [u8; 64]) {
    // SAFETY: as above.
    unsafe { store_hex(words, text) }
}

/// Whether the text is what [`write_hex`] would write, in constant time.
#[inline]
pub(crate) fn is_hex_of(_: Avx512, words: &[u32; 8], text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { equals_hex(words, text) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn both_valid(nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    all_alphanumeric(nonce) & all_hex_digits(digest)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn all_alphanumeric(text: &[u8; 64]) -> bool {
    let text = load(text);
    let lower = _mm512_or_si512(text, _mm512_set1_epi8(0x20));
    let digits = within(text, b'0', 10);
    let letters = within(lower, b'a', 26);
    digits | letters == u64::MAX
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn all_hex_digits(text: &[u8; 64]) -> bool {
    let text = load(text);
    within(text, b'0', 10) | within(text, b'a', 6) == u64::MAX
}

/// The bytes that are among the `count` values from `first` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn within(bytes: __m512i, first: u8, count: u8) -> u64 {
    let from_first = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first.cast_signed()));
    _mm512_cmplt_epu8_mask(from_first, _mm512_set1_epi8(count.cast_signed()))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store_hex(words: &[u32; 8], text: &mut [u8; 64]) {
    store(text, hex_of(words));
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn equals_hex(words: &[u32; 8], text: &[u8; 64]) -> bool {
    _mm512_cmpneq_epi8_mask(hex_of(words), load(text)) == 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn hex_of(words: &[u32; 8]) -> __m512i {
    // Two loads, which match the stores of the code that computed the words.
    let (halves, _) = words.as_chunks::<4>();
    let [low, high] = [0, 1].map(|i| {
        // SAFETY: the reference covers the 4 words of the unaligned load.
        unsafe { _mm_loadu_si128(halves[i].as_ptr().cast()) }
    });
    let words = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
    let places = load(&const { big_endian_byte_positions(0) });
    hex_digits(_mm512_permutexvar_epi8(places, _mm512_castsi256_si512(words)))
}

/// The digits of bytes that are each given twice: the upper half of the first copy and the lower half of
/// the second.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) fn hex_digits(twice: __m512i) -> __m512i {
    let digits = _mm512_broadcast_i32x4(_mm_set_epi64x(
        i64::from_le_bytes(*b"89abcdef"),
        i64::from_le_bytes(*b"01234567"),
    ));
    let upper = _mm512_srli_epi16::<4>(twice);
    let halves = _mm512_mask_blend_epi8(0x5555_5555_5555_5555, twice, upper);
    _mm512_shuffle_epi8(digits, _mm512_and_si512(halves, _mm512_set1_epi8(0x0f)))
}

/// The positions of the bytes of eight words from `start` on, in big-endian order, each twice.
pub(crate) const fn big_endian_byte_positions(start: u8) -> [u8; 64] {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
        let byte = (place / 2) as u8;
        places[place] = start + (byte ^ 3);
        place += 1;
    }
    places
}

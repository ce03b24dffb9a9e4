//! Checks and digits of 64 characters at a time, the length of a nonce and of a digest in hexadecimal.

use core::arch::x86_64::*;

use super::{Avx2, load_halves, load_words, store};

/// Whether all characters are ASCII letters and digits.
#[inline]
pub(crate) fn are_alphanumeric(_: Avx2, text: &[u8; 64]) -> bool {
    // SAFETY: an `Avx2` exists only if the processor supports what the function needs.
    unsafe { all_alphanumeric(text) }
}

/// Whether all characters are lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_hex_digits(_: Avx2, text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { all_hex_digits(text) }
}

/// Whether a nonce is ASCII letters and digits, and a digest lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_nonce_and_digest(_: Avx2, nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { both_valid(nonce, digest) }
}

/// Writes the eight words of a digest as lower-case hexadecimal digits.
#[inline]
pub(crate) fn write_hex(_: Avx2, words: &[u32; 8], text: &mut [u8; 64]) {
    // SAFETY: as above.
    unsafe { store_hex(words, text) }
}

/// Whether the text is what [`write_hex`] would write, in constant time.
#[inline]
pub(crate) fn is_hex_of(_: Avx2, words: &[u32; 8], text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { equals_hex(words, text) }
}

#[target_feature(enable = "avx2")]
fn both_valid(nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    all_alphanumeric(nonce) & all_hex_digits(digest)
}

#[inline]
#[target_feature(enable = "avx2")]
fn all_alphanumeric(text: &[u8; 64]) -> bool {
    let [a, b] = load_halves(text).map(|half| {
        let lower = _mm256_or_si256(half, _mm256_set1_epi8(0x20));
        _mm256_or_si256(within(half, b'0', 10), within(lower, b'a', 26))
    });
    _mm256_movemask_epi8(_mm256_and_si256(a, b)) == -1
}

#[inline]
#[target_feature(enable = "avx2")]
fn all_hex_digits(text: &[u8; 64]) -> bool {
    let [a, b] = load_halves(text)
        .map(|half| _mm256_or_si256(within(half, b'0', 10), within(half, b'a', 6)));
    _mm256_movemask_epi8(_mm256_and_si256(a, b)) == -1
}

/// All ones in the bytes that are among the `count` values from `first` on.
#[inline]
#[target_feature(enable = "avx2")]
fn within(bytes: __m256i, first: u8, count: u8) -> __m256i {
    let from_first = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first.cast_signed()));
    let last = _mm256_set1_epi8((count - 1).cast_signed());
    // There is no unsigned comparison: a value is at most `last` if the smaller of both is the value.
    _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, last), from_first)
}

#[target_feature(enable = "avx2")]
fn store_hex(words: &[u32; 8], text: &mut [u8; 64]) {
    store_hex_of(load_words(words), text);
}

/// Writes the eight words of a digest as lower-case hexadecimal digits.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store_hex_of(words: __m256i, text: &mut [u8; 64]) {
    let (halves, _) = text.as_chunks_mut::<32>();
    for (half, digits) in halves.iter_mut().zip(hex_of(words)) {
        store(half, digits);
    }
}

#[target_feature(enable = "avx2")]
fn equals_hex(words: &[u32; 8], text: &[u8; 64]) -> bool {
    equals_hex_of(load_words(words), text)
}

/// Whether the text is the eight words of a digest as lower-case hexadecimal digits.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn equals_hex_of(words: __m256i, text: &[u8; 64]) -> bool {
    let [digits, text] = [hex_of(words), load_halves(text)];
    let difference =
        _mm256_or_si256(_mm256_xor_si256(digits[0], text[0]), _mm256_xor_si256(digits[1], text[1]));
    _mm256_testz_si256(difference, difference) == 1
}

#[inline]
#[target_feature(enable = "avx2")]
fn hex_of(words: __m256i) -> [__m256i; 2] {
    let digits = _mm256_broadcastsi128_si256(_mm_set_epi64x(
        i64::from_le_bytes(*b"89abcdef"),
        i64::from_le_bytes(*b"01234567"),
    ));
    let big_endian =
        _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let bytes = _mm256_shuffle_epi8(words, big_endian);
    let low_four = _mm256_set1_epi8(0x0f);
    let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low_four);
    let [upper, lower] = [upper, _mm256_and_si256(bytes, low_four)]
        .map(|values| _mm256_shuffle_epi8(digits, values));
    // Each interleaves within both halves of a vector.
    let front = _mm256_unpacklo_epi8(upper, lower);
    let back = _mm256_unpackhi_epi8(upper, lower);
    [_mm256_permute2x128_si256::<0x20>(front, back), _mm256_permute2x128_si256::<0x31>(front, back)]
}

//! Maps random bytes to the uniform letters and digits of a nonce.

use core::arch::x86_64::*;

use super::{Avx512, load, store};
use crate::sizes::RANDOM_BYTES;

/// The first of these bytes hold four six-bit numbers in every three.
const PACKED_BYTES: usize = 48;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789--";

/// Writes 64 uniform letters and digits. Returns false if the random bytes do not suffice.
///
/// 48 bytes hold 64 numbers of six bits. The low six bits of the other 16 replace those above 61.
#[must_use]
pub(crate) fn alphanumeric(
    _: Avx512,
    random: &[u8; RANDOM_BYTES],
    characters: &mut [u8; 64],
) -> bool {
    // SAFETY: an `Avx512` exists only if the processor supports what the function needs.
    unsafe { map(random, characters) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
fn map(random: &[u8; RANDOM_BYTES], characters: &mut [u8; 64]) -> bool {
    let random = load(random);
    let alphabet = load(ALPHABET);
    let low_six = _mm512_set1_epi8(63);
    let limit = _mm512_set1_epi8(62);
    // Six bytes into each group of eight, then eight times six bits out of them.
    let spread = _mm512_permutexvar_epi8(load(&const { spread() }), random);
    let shifts = _mm512_set1_epi64(i64::from_le_bytes([0, 6, 12, 18, 24, 30, 36, 42]));
    let packed = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, spread), low_six);
    let packed_valid = _mm512_cmplt_epu8_mask(packed, limit);
    let reserve = _mm512_and_si512(random, low_six);
    let reserve_valid = _mm512_cmplt_epu8_mask(reserve, limit) & (u64::MAX << PACKED_BYTES);

    // The valid numbers, followed by as many of the reserve as there is room for.
    let len = packed_valid.count_ones();
    let numbers = _mm512_mask_expand_epi8(
        _mm512_maskz_compress_epi8(packed_valid, packed),
        u64::MAX.checked_shl(len).unwrap_or(0),
        _mm512_maskz_compress_epi8(reserve_valid, reserve),
    );
    store(characters, _mm512_permutexvar_epi8(numbers, alphabet));
    len + reserve_valid.count_ones() >= 64
}

const fn spread() -> [u8; 64] {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 49")]
        {
            places[place] = (place / 8 * 6 + place % 8) as u8;
        }
        place += 1;
    }
    places
}

//! Random bytes become the letters and digits of a nonce.
//!
//! It refuses to prefer a character: what would be above the 62nd is drawn again.

use core::arch::x86_64::*;

use crate::wide::{Wide, load, store};

/// How many random bytes [`alphanumeric`] takes.
pub const RANDOM_BYTES: usize = 64;
/// Of these, as many stand for four characters of six bits in each three bytes.
const PACKED_BYTES: usize = 48;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789--";

/// Writes 64 letters and digits, each as likely as the other. False where the random bytes are not
/// enough, once in a thousand million times: then draw others.
///
/// 48 bytes are 64 numbers of six bits; the low six bits of the 16 others stand in for those that
/// are above 61.
#[must_use]
pub fn alphanumeric(_: Wide, random: &[u8; RANDOM_BYTES], characters: &mut [u8; 64]) -> bool {
    // SAFETY: a `Wide` exists only where the processor has what the function needs.
    unsafe { map(random, characters) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
fn map(random: &[u8; RANDOM_BYTES], characters: &mut [u8; 64]) -> bool {
    let random = load(random);
    let alphabet = load(ALPHABET);
    let low_six = _mm512_set1_epi8(63);
    let limit = _mm512_set1_epi8(62);
    // Six bytes into each eight, then eight times six bits out of them.
    let spread = _mm512_permutexvar_epi8(load(&const { spread() }), random);
    let shifts = _mm512_set1_epi64(i64::from_le_bytes([0, 6, 12, 18, 24, 30, 36, 42]));
    let packed = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, spread), low_six);
    let packed_fit = _mm512_cmplt_epu8_mask(packed, limit);
    let reserve = _mm512_and_si512(random, low_six);
    let reserve_fit = _mm512_cmplt_epu8_mask(reserve, limit) & (u64::MAX << PACKED_BYTES);

    // What fits, and behind it as much of the reserve as there is room for.
    let len = packed_fit.count_ones();
    let numbers = _mm512_mask_expand_epi8(
        _mm512_maskz_compress_epi8(packed_fit, packed),
        u64::MAX.checked_shl(len).unwrap_or(0),
        _mm512_maskz_compress_epi8(reserve_fit, reserve),
    );
    store(characters, _mm512_permutexvar_epi8(numbers, alphabet));
    len + reserve_fit.count_ones() >= 64
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, one number after the other.
    fn slowly(random: &[u8; RANDOM_BYTES]) -> Option<[u8; 64]> {
        let (packed, reserve) = random.split_at(PACKED_BYTES);
        let bits = |place: usize| packed[place / 8] >> (place % 8) & 1;
        let packed = (0..64).map(|i| (0..6).map(|bit| bits(6 * i + bit) << bit).sum());
        let numbers = packed.chain(reserve.iter().map(|byte| byte & 63));
        let characters = numbers.filter(|number: &u8| *number < 62);
        let characters: Vec<u8> = characters.map(|number| ALPHABET[usize::from(number)]).collect();
        characters.first_chunk().copied()
    }

    proptest! {
        #[test]
        fn it_is_what_one_number_after_the_other_makes(random: [u8; 32], more: [u8; 32]) {
            let Some(wide) = Wide::detect() else { return Ok(()) };
            let random: [u8; RANDOM_BYTES] = [random, more].concat().try_into().unwrap();
            let mut characters = [0; 64];
            let is_enough = alphanumeric(wide, &random, &mut characters);
            prop_assert_eq!(is_enough.then_some(characters), slowly(&random));
        }

        /// Few fit, so there is often not enough.
        #[test]
        fn what_is_not_enough_is_told(
            random in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => Just(0xff)], 64),
        ) {
            let Some(wide) = Wide::detect() else { return Ok(()) };
            let random: [u8; RANDOM_BYTES] = random.try_into().unwrap();
            let mut characters = [0; 64];
            let is_enough = alphanumeric(wide, &random, &mut characters);
            prop_assert_eq!(is_enough.then_some(characters), slowly(&random));
        }
    }
}

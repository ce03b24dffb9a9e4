//! Maps random bytes to the uniform letters and digits of a nonce.

use core::arch::x86_64::*;

use super::{Avx2, load, store};
use crate::sizes::RANDOM_BYTES;

/// Writes 64 uniform letters and digits. Returns false if the random bytes do not suffice.
///
/// The low six bits of 48 bytes, and the high two bits of three bytes together, are 64 numbers. The low
/// six bits of the other 16 bytes, from the last one on, replace those above 61.
#[must_use]
pub(crate) fn alphanumeric(
    _: Avx2,
    random: &[u8; RANDOM_BYTES],
    characters: &mut [u8; 64],
) -> bool {
    // SAFETY: an `Avx2` exists only if the processor supports what the function needs.
    unsafe { map(random, characters) }
}

#[target_feature(enable = "avx2")]
fn map(random: &[u8; RANDOM_BYTES], characters: &mut [u8; 64]) -> bool {
    let low_six = _mm256_set1_epi8(63);
    let low_two = _mm256_set1_epi8(3);
    let (halves, _) = random.as_chunks::<32>();
    let first = load(&halves[0]);
    let last = load(&halves[1]);
    // The third 16 bytes, and the 64 numbers in order.
    let third = _mm256_broadcastsi128_si256(_mm256_castsi256_si128(last));
    let high_two = |bytes| _mm256_and_si256(_mm256_srli_epi16::<6>(bytes), low_two);
    let second = _mm256_permute4x64_epi64::<0xee>(first);
    let packed = _mm256_or_si256(
        high_two(first),
        _mm256_or_si256(
            _mm256_slli_epi16::<2>(high_two(second)),
            _mm256_slli_epi16::<4>(high_two(third)),
        ),
    );
    let numbers = [
        _mm256_and_si256(first, low_six),
        _mm256_permute2x128_si256::<0x20>(_mm256_and_si256(third, low_six), packed),
    ];
    let (halves, _) = characters.as_chunks_mut::<32>();
    let mut rejected = 0;
    for (i, (half, numbers)) in halves.iter_mut().zip(numbers).enumerate() {
        let above = _mm256_cmpgt_epi8(numbers, _mm256_set1_epi8(61));
        rejected |= u64::from(_mm256_movemask_epi8(above).cast_unsigned()) << (32 * i);
        store(half, characters_of(numbers));
    }
    replace(characters, rejected, random)
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How many numbers are replaced without a branch: enough in 19 of 20 cases.
const REPLACED: usize = 4;

/// Replaces the characters of rejected numbers; false if the reserve does not suffice.
fn replace(characters: &mut [u8; 64], rejected: u64, random: &[u8; RANDOM_BYTES]) -> bool {
    let mut left = rejected;
    let mut is_valid = true;
    for byte in random.iter().rev().take(REPLACED) {
        let number = usize::from(byte & 63);
        is_valid &= number < ALPHABET.len();
        let position = left.trailing_zeros() as usize % 64;
        let character = ALPHABET[number.min(ALPHABET.len() - 1)];
        characters[position] = if left == 0 { characters[position] } else { character };
        left &= left.wrapping_sub(1);
    }
    (is_valid && left == 0) || replace_any(characters, rejected, random)
}

/// Replaces any number of characters.
#[cold]
fn replace_any(characters: &mut [u8; 64], mut rejected: u64, random: &[u8; RANDOM_BYTES]) -> bool {
    let mut reserve =
        random[48..].iter().rev().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
    while rejected != 0 {
        let Some(character) = reserve.next() else { return false };
        characters[rejected.trailing_zeros() as usize] = *character;
        rejected &= rejected - 1;
    }
    true
}

/// The letters and digits of numbers below 62.
#[inline]
#[target_feature(enable = "avx2")]
fn characters_of(numbers: __m256i) -> __m256i {
    let above = |limit: i8, step: u8| {
        let is_above = _mm256_cmpgt_epi8(numbers, _mm256_set1_epi8(limit));
        _mm256_and_si256(is_above, _mm256_set1_epi8(step.cast_signed()))
    };
    let letters = _mm256_add_epi8(numbers, _mm256_set1_epi8(b'A'.cast_signed()));
    let letters = _mm256_add_epi8(letters, above(25, b'a' - b'Z' - 1));
    _mm256_sub_epi8(letters, above(51, b'z' - b'0' + 1))
}

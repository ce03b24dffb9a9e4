//! Uniform letters and digits: nonces and generated keys.
//!
//! A six-bit number of 62 or 63 is drawn again; taking it modulo 62 would bias some characters.

use core::iter;

use rand_core::TryCryptoRng;
use zeroize::{Zeroize, optimization_barrier};

/// The characters that are drawn together: a nonce, or half of a generated key.
pub(super) const PART_BYTES: usize = 64;
/// Random bytes for 64 six-bit numbers.
const DRAWN_BYTES: usize = PART_BYTES * 6 / 8;
/// On average two of 64 numbers are drawn again. These bytes usually suffice; the vector kernels
/// start over if they do not.
const RESERVE_BYTES: usize = if cfg!(feature = "kernels") { 16 } else { 6 };
/// The random bytes for one nonce.
pub(super) type Random = [u8; DRAWN_BYTES + RESERVE_BYTES];
pub(super) const NO_RANDOM: Random = [0; DRAWN_BYTES + RESERVE_BYTES];

/// Draws a nonce.
pub(super) fn fill_nonce<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    nonce: &mut [u8; PART_BYTES],
) -> Result<(), R::Error> {
    fill_nonces(rng, &mut [NO_RANDOM], iter::once(nonce))
}

/// Draws a nonce for each element of `random`. One call of the generator serves all of them,
/// because most generators have a high cost per call.
pub(super) fn fill_nonces<'n, R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    random: &mut [Random],
    nonces: impl Iterator<Item = &'n mut [u8; PART_BYTES]>,
) -> Result<(), R::Error> {
    let mut filled = rng.try_fill_bytes(random.as_flattened_mut());
    for (nonce, random) in nonces.zip(&mut *random) {
        filled =
            filled.and_then(|()| map_with_kernel(nonce, random, |more| rng.try_fill_bytes(more)));
    }
    // `zeroize` writes byte by byte.
    random.fill(NO_RANDOM);
    optimization_barrier(random);
    filled
}

/// Draws nonces from the thread's generator, directly from its buffer where a kernel can.
#[cfg(feature = "kernels")]
pub(super) fn fill_from_thread<'n>(
    mut nonces: impl Iterator<Item = &'n mut [u8; PART_BYTES]>,
) -> Result<(), getrandom::Error> {
    let mut generator = cortexkey_kernels::ThreadGenerator::new();
    if let Some(kernel) = cortexkey_kernels::NonceKernel::detect() {
        return generator.try_fill_nonces(kernel, nonces);
    }
    nonces.try_for_each(|nonce| fill_nonce(&mut generator, nonce))
}

/// Draws the thread's next nonce ahead of time, where that is faster.
#[cfg(feature = "kernels")]
pub(super) fn prepare_for_thread() {
    if let Some(kernel) = cortexkey_kernels::NonceKernel::detect() {
        cortexkey_kernels::ThreadGenerator::new().prepare_nonce(kernel);
    }
}

/// Draws a part of a key. It uses no kernel: the kernels are meant for nonces, which are public,
/// and may leave copies in registers.
pub(crate) fn fill_key_part<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    part: &mut [u8; PART_BYTES],
) -> Result<(), R::Error> {
    let mut random = NO_RANDOM;
    let filled = rng
        .try_fill_bytes(&mut random)
        .and_then(|()| map(part, &mut random, |more| rng.try_fill_bytes(more)));
    random.as_mut_slice().zeroize();
    filled
}

/// Like [`map`], with a vector kernel where the processor supports one.
fn map_with_kernel<E>(
    nonce: &mut [u8; PART_BYTES],
    random: &mut Random,
    refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    #[cfg(feature = "kernels")]
    if let Some(kernel) = cortexkey_kernels::NonceKernel::detect() {
        let mut refill = refill;
        while !kernel.map(random, nonce) {
            refill(random)?;
        }
        return Ok(());
    }
    map(nonce, random, refill)
}

/// Maps random bytes to letters and digits; `refill` draws more of them.
fn map<E>(
    part: &mut [u8; PART_BYTES],
    random: &mut Random,
    refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (drawn, reserve) = random.split_at_mut(DRAWN_BYTES);
    *part = six_bits(drawn);
    map_to_alphanumeric(part, reserve, refill)
}

/// The low six bits of each of 48 bytes, then the high two bits of three bytes together. These three
/// are 16 bytes apart, so that the compiler vectorizes the loop.
fn six_bits(drawn: &[u8]) -> [u8; PART_BYTES] {
    let mut numbers = [0; PART_BYTES];
    for (number, byte) in numbers.iter_mut().zip(drawn) {
        *number = byte & 63;
    }
    if let [a, b, c] = drawn.as_chunks::<16>().0 {
        for (i, number) in numbers[DRAWN_BYTES..].iter_mut().enumerate() {
            *number = a[i] >> 6 | b[i] >> 6 << 2 | c[i] >> 6 << 4;
        }
    }
    numbers
}

/// Maps numbers of six bits to letters and digits. Replaces 62 and 63 with numbers from the reserve,
/// which `refill` fills again.
fn map_to_alphanumeric<E>(
    part: &mut [u8; PART_BYTES],
    reserve: &mut [u8],
    mut refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut rejected = rejected_positions(part);
    *part = part.map(character);
    let mut left = reserve.len();
    while rejected != 0 {
        if left == 0 {
            refill(reserve)?;
            left = reserve.len();
        }
        left -= 1;
        let six_bits = reserve.get(left).map_or(63, |byte| byte & 63);
        if six_bits < 62 {
            let bit = rejected.trailing_zeros() as usize;
            if let Some(out) = part.get_mut(bit % 8 * 8 + bit / 8) {
                *out = character(six_bits);
            }
            rejected &= rejected - 1;
        }
    }
    Ok(())
}

/// The letter or digit of a number below 62. Arithmetic instead of a table lets the compiler
/// vectorize it, and no address depends on what may become a key.
fn character(number: u8) -> u8 {
    let to_lower = if number > 25 { b'a' - b'Z' - 1 } else { 0 };
    let to_digit = if number > 51 { b'z' - b'0' + 1 } else { 0 };
    (b'A' + number + to_lower).wrapping_sub(to_digit)
}

/// Which of 64 numbers are above 61: bit `8 * i + k` stands for number `8 * k + i`.
fn rejected_positions(numbers: &[u8; PART_BYTES]) -> u64 {
    let mut rejected = 0;
    for (k, word) in numbers.as_chunks::<8>().0.iter().enumerate() {
        let carries = (u64::from_le_bytes(*word) + 0x0202_0202_0202_0202) & 0x4040_4040_4040_4040;
        rejected |= carries >> 6 << k;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// The same by a table, a number at a time: 48 numbers are the low bits of a byte, and 16 the high bits of three.
    /// Numbers without a character take the reserve's bytes from its end, in the order of columns of eight.
    fn naive(random: &Random, mut refill: impl FnMut(&mut [u8])) -> [u8; PART_BYTES] {
        let (drawn, reserve) = random.split_at(DRAWN_BYTES);
        let high = |i: usize| usize::from(drawn[i] / 64);
        let number = |i: usize| match i.checked_sub(DRAWN_BYTES) {
            None => usize::from(drawn[i] % 64),
            Some(i) => high(i) + 4 * high(i + 16) + 16 * high(i + 32),
        };
        let mut reserve = reserve.to_vec();
        let mut left = reserve.len();
        let mut part = [0; PART_BYTES];
        for i in (0..8).flat_map(|column| (0..8).map(move |row| 8 * row + column)) {
            let mut number = number(i);
            while number >= ALPHABET.len() {
                if left == 0 {
                    refill(&mut reserve);
                    left = reserve.len();
                }
                left -= 1;
                number = usize::from(reserve[left] % 64);
            }
            part[i] = ALPHABET[number];
        }
        part
    }

    /// Refills that differ, and of which half have no character.
    fn refills() -> impl FnMut(&mut [u8]) {
        let mut next = 55_u8;
        move |bytes| {
            for byte in bytes {
                next = next.wrapping_add(67);
                *byte = if next.is_multiple_of(2) { 63 } else { next };
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_map_as_by_a_table(
            // Numbers above 61 are common enough to use up the reserve.
            drawn in proptest::collection::vec(prop_oneof![any::<u8>(), 62_u8..64, Just(255)], DRAWN_BYTES),
            reserve in proptest::collection::vec(any::<u8>(), RESERVE_BYTES),
        ) {
            let mut random = NO_RANDOM;
            random[..DRAWN_BYTES].copy_from_slice(&drawn);
            random[DRAWN_BYTES..].copy_from_slice(&reserve);
            let expected = naive(&random, refills());
            let mut refill = refills();
            let mut part = [0; PART_BYTES];
            let Ok::<(), core::convert::Infallible>(()) = map(&mut part, &mut random, |bytes| {
                refill(bytes);
                Ok(())
            });
            prop_assert_eq!(part, expected);
        }
    }
}

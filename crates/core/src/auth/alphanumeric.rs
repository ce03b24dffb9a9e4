//! Letters and digits, each as likely as the other: nonces, and generated keys.
//!
//! It refuses to take a number modulo 62: what is above is drawn again.

use core::iter;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::nonce::NONCE_BYTES;

/// 64 numbers of six bits.
const DRAWN_BYTES: usize = NONCE_BYTES * 6 / 8;
/// Two numbers in 64 are drawn again; these are enough in most cases. The vector kernels have no
/// other cases.
const RESERVE_BYTES: usize = if cfg!(feature = "kernels") { 16 } else { 6 };
/// What a nonce is drawn from.
pub(super) type Random = [u8; DRAWN_BYTES + RESERVE_BYTES];
pub(super) const NO_RANDOM: Random = [0; DRAWN_BYTES + RESERVE_BYTES];

/// Draws a nonce.
pub(super) fn fill_nonce<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    nonce: &mut [u8; NONCE_BYTES],
) -> Result<(), R::Error> {
    fill_nonces(rng, &mut [NO_RANDOM], iter::once(nonce))
}

/// Draws as many nonces as there is room for randomness. One draw serves them all, since most
/// generators take long to begin.
pub(super) fn fill_nonces<'n, R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    random: &mut [Random],
    nonces: impl Iterator<Item = &'n mut [u8; NONCE_BYTES]>,
) -> Result<(), R::Error> {
    let mut filled = rng.try_fill_bytes(random.as_flattened_mut());
    for (nonce, random) in nonces.zip(&mut *random) {
        filled = filled.and_then(|()| map_quickly(nonce, random, |more| rng.try_fill_bytes(more)));
    }
    random.as_flattened_mut().zeroize();
    filled
}

/// Draws nonces from the thread's own generator, where they are made from what it keeps.
#[cfg(feature = "kernels")]
pub(super) fn fill_from_thread<'n>(
    mut nonces: impl Iterator<Item = &'n mut [u8; NONCE_BYTES]>,
) -> Result<(), getrandom::Error> {
    let mut generator = cortexkey_kernels::ThreadGenerator::new();
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = cortexkey_kernels::Wide::detect() {
        return generator.try_fill_nonces(wide, nonces);
    }
    nonces.try_for_each(|nonce| fill_nonce(&mut generator, nonce))
}

/// Makes the thread's next nonce ahead, where that is faster.
#[cfg(feature = "kernels")]
pub(super) fn prepare_for_thread() {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = cortexkey_kernels::Wide::detect() {
        cortexkey_kernels::ThreadGenerator::new().prepare_nonce(wide);
    }
}

/// Draws a part of a key. The kernels have no part in it: a nonce is public, and nobody looks at
/// what they leave of one.
pub(crate) fn fill_key_part<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    part: &mut [u8; NONCE_BYTES],
) -> Result<(), R::Error> {
    let mut random = NO_RANDOM;
    let filled = rng
        .try_fill_bytes(&mut random)
        .and_then(|()| map(part, &mut random, |more| rng.try_fill_bytes(more)));
    random.as_mut_slice().zeroize();
    filled
}

/// As [`map`], by the vector kernels where there are any.
fn map_quickly<E>(
    nonce: &mut [u8; NONCE_BYTES],
    random: &mut Random,
    refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    #[cfg(all(feature = "kernels", target_arch = "x86_64"))]
    if let Some(wide) = cortexkey_kernels::Wide::detect() {
        let mut refill = refill;
        while !cortexkey_kernels::alphanumeric(wide, random, nonce) {
            refill(random)?;
        }
        return Ok(());
    }
    map(nonce, random, refill)
}

/// Makes letters and digits of what was drawn; `refill` draws more.
fn map<E>(
    part: &mut [u8; NONCE_BYTES],
    random: &mut Random,
    refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (drawn, reserve) = random.split_at_mut(DRAWN_BYTES);
    *part = six_bits(drawn);
    map_to_alphanumeric(part, reserve, refill)
}

/// The low six bits of each of 48 bytes, and the high two of three bytes together. Those three are
/// far from each other, so that the compiler turns it into vector code.
fn six_bits(drawn: &[u8]) -> [u8; NONCE_BYTES] {
    let mut numbers = [0; NONCE_BYTES];
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

/// Numbers of six bits become letters and digits; 62 and 63 are drawn again, from the reserve and
/// from what fills it.
fn map_to_alphanumeric<E>(
    part: &mut [u8; NONCE_BYTES],
    reserve: &mut [u8],
    mut refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut unfit = unfit_places(part);
    *part = part.map(character);
    let mut left = reserve.len();
    while unfit != 0 {
        if left == 0 {
            refill(reserve)?;
            left = reserve.len();
        }
        left -= 1;
        let six_bits = reserve.get(left).map_or(63, |byte| byte & 63);
        if six_bits < 62 {
            let bit = unfit.trailing_zeros() as usize;
            if let Some(place) = part.get_mut(bit % 8 * 8 + bit / 8) {
                *place = character(six_bits);
            }
            unfit &= unfit - 1;
        }
    }
    Ok(())
}

/// The letter or digit of a number below 62. Arithmetic rather than a table: the compiler turns it
/// into vector code, and no address depends on what may become a key.
fn character(number: u8) -> u8 {
    let to_lower = if number > 25 { b'a' - b'Z' - 1 } else { 0 };
    let to_digit = if number > 51 { b'z' - b'0' + 1 } else { 0 };
    (b'A' + number + to_lower).wrapping_sub(to_digit)
}

/// Which of 64 numbers are above 61: bit `8 * i + k` is for number `8 * k + i`.
fn unfit_places(numbers: &[u8; NONCE_BYTES]) -> u64 {
    let mut unfit = 0;
    for (k, word) in numbers.as_chunks::<8>().0.iter().enumerate() {
        let carries = (u64::from_le_bytes(*word) + 0x0202_0202_0202_0202) & 0x4040_4040_4040_4040;
        unfit |= carries >> 6 << k;
    }
    unfit
}

//! [`NonceKernel`]: the widest kernel that maps random bytes to the uniform letters and digits of a nonce.

use crate::sizes::RANDOM_BYTES;
#[cfg(target_arch = "x86_64")]
use crate::{
    avx2::{self, Avx2},
    avx512::{self, Avx512},
};

/// A kernel for nonces, which this processor supports. The kernels map the same bytes to different
/// nonces.
#[derive(Clone, Copy, Debug)]
pub enum NonceKernel {
    /// 64 characters at a time with AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// 32 characters at a time with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl NonceKernel {
    /// The widest kernel; `None` if the processor supports none.
    #[inline]
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Avx512::detect().map(Self::Avx512).or_else(|| Avx2::detect().map(Self::Avx2));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// Writes 64 uniform letters and digits. Returns false if the random bytes do not suffice, once in 10^9
    /// times; the caller then draws others.
    #[inline]
    #[must_use]
    pub fn map(self, random: &[u8; RANDOM_BYTES], characters: &mut [u8; 64]) -> bool {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (random, characters);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(proof) => avx512::alphanumeric::alphanumeric(proof, random, characters),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(proof) => avx2::alphanumeric::alphanumeric(proof, random, characters),
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const PACKED_BYTES: usize = 48;

    fn kernels() -> Vec<NonceKernel> {
        let avx512 = Avx512::detect().map(NonceKernel::Avx512);
        avx512.into_iter().chain(Avx2::detect().map(NonceKernel::Avx2)).collect()
    }

    /// The same, one number after another.
    fn one_by_one(kernel: NonceKernel, random: &[u8; RANDOM_BYTES]) -> Option<[u8; 64]> {
        match kernel {
            NonceKernel::Avx512(_) => appended(random),
            NonceKernel::Avx2(_) => replaced(random),
        }
    }

    /// Valid numbers move up, and numbers of the reserve follow them.
    fn appended(random: &[u8; RANDOM_BYTES]) -> Option<[u8; 64]> {
        let (packed, reserve) = random.split_at(PACKED_BYTES);
        let bits = |place: usize| packed[place / 8] >> (place % 8) & 1;
        let packed = (0..64).map(|i| (0..6).map(|bit| bits(6 * i + bit) << bit).sum());
        let numbers = packed.chain(reserve.iter().map(|byte| byte & 63));
        let characters =
            numbers.filter_map(|number: u8| ALPHABET.get(usize::from(number)).copied());
        characters.collect::<Vec<_>>().first_chunk().copied()
    }

    /// Each invalid number is replaced with one of the reserve, from its end on.
    fn replaced(random: &[u8; RANDOM_BYTES]) -> Option<[u8; 64]> {
        let (packed, reserve) = random.split_at(PACKED_BYTES);
        let high = |i: usize| packed[i] >> 6 | packed[i + 16] >> 6 << 2 | packed[i + 32] >> 6 << 4;
        let numbers = packed.iter().map(|byte| byte & 63).chain((0..16).map(high));
        let mut reserve = reserve.iter().rev().map(|byte| byte & 63).filter(|number| *number < 62);
        let valid = numbers.map(|number| if number < 62 { Some(number) } else { reserve.next() });
        let valid: Vec<_> = valid.collect::<Option<_>>()?;
        let characters: Vec<_> =
            valid.iter().map(|number| ALPHABET[usize::from(*number)]).collect();
        characters.first_chunk().copied()
    }

    proptest! {
        #[test]
        fn it_equals_one_number_after_another(random: [u8; 32], more: [u8; 32]) {
            let random: [u8; RANDOM_BYTES] = [random, more].concat().try_into().unwrap();
            for kernel in kernels() {
                let mut characters = [0; 64];
                let is_enough = kernel.map(&random, &mut characters);
                prop_assert_eq!(is_enough.then_some(characters), one_by_one(kernel, &random));
            }
        }

        /// Few numbers are valid, so the bytes often do not suffice.
        #[test]
        fn too_few_valid_numbers_are_reported(
            packed in proptest::collection::vec(prop_oneof![9 => Just(0_u8), 1 => Just(0xff)], 48),
            reserve in proptest::collection::vec(prop_oneof![1 => Just(1_u8), 1 => Just(0xff)], 16),
        ) {
            let random: [u8; RANDOM_BYTES] = [packed, reserve].concat().try_into().unwrap();
            for kernel in kernels() {
                let mut characters = [0; 64];
                let is_enough = kernel.map(&random, &mut characters);
                prop_assert_eq!(is_enough.then_some(characters), one_by_one(kernel, &random));
            }
        }
    }
}

//! [`Avx512`]: proof that the processor supports AVX-512 with VBMI2, and its loads and stores.

pub(crate) mod alphanumeric;
pub(crate) mod chacha20;
pub(crate) mod sha256;
pub(crate) mod text;

use core::arch::x86_64::*;

use crate::found;

/// Proof that this processor supports AVX-512 with VBMI2: without them there is no value of it, so a
/// kernel that takes it may use the instructions.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// Returns the proof, or `None` if a feature is missing or not allowed.
    #[inline]
    pub fn detect() -> Option<Self> {
        found::has(found::AVX512).then_some(Self(()))
    }
}

/// Loads 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes of the unaligned load.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Stores 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store(bytes: &mut [u8; 64], value: __m512i) {
    // SAFETY: the reference covers the 64 bytes of the unaligned store.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
}

/// Loads sixteen words.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_words(words: &[u32; 16]) -> __m512i {
    // SAFETY: the reference covers the 16 words of the unaligned load.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// Stores sixteen words.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_words(words: &mut [u32; 16], value: __m512i) {
    // SAFETY: the reference covers the 16 words of the unaligned store.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}

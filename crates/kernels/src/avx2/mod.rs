//! [`Avx2`]: proof that the processor supports AVX2, and its loads and stores.

pub(crate) mod alphanumeric;
pub(crate) mod chacha20;
pub(crate) mod sha256;
pub(crate) mod text;

use core::arch::x86_64::*;

use crate::found;

/// Proof that this processor supports AVX2: without it there is no value of this type, so a kernel that
/// takes it may use the instructions.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// Returns the proof, or `None` if the feature is missing or not allowed.
    #[inline]
    pub fn detect() -> Option<Self> {
        found::has(found::VECTORS).then_some(Self(()))
    }
}

/// Loads 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes of the unaligned load.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Stores 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store(bytes: &mut [u8; 32], value: __m256i) {
    // SAFETY: the reference covers the 32 bytes of the unaligned store.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}

/// Loads eight words.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_words(words: &[u32; 8]) -> __m256i {
    // SAFETY: the reference covers the 8 words of the unaligned load.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

/// Stores eight words.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store_words(words: &mut [u32; 8], value: __m256i) {
    // SAFETY: the reference covers the 8 words of the unaligned store.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), value) }
}

/// Both halves of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_halves(bytes: &[u8; 64]) -> [__m256i; 2] {
    let (halves, _) = bytes.as_chunks::<32>();
    [load(&halves[0]), load(&halves[1])]
}

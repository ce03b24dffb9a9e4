//! [`Wide`]: proof that the processor has AVX-512 with VBMI2, and what all wide kernels share.
//!
//! It refuses to exist where the processor has not; so a kernel that takes it may rely on it.

use core::arch::x86_64::*;

/// Proof that this processor has AVX-512 with VBMI2: it exists only there.
#[derive(Clone, Copy, Debug)]
pub struct Wide(());

impl Wide {
    /// Looks at the processor; none where it lacks something, or where this crate is built with
    /// `--cfg cortexkey_portable`, which hides what it has.
    #[inline]
    pub fn detect() -> Option<Self> {
        use std::is_x86_feature_detected as has;
        let has_all = cfg!(not(cortexkey_portable))
            && has!("avx512f")
            && has!("avx512bw")
            && has!("avx512vl")
            && has!("avx512vbmi")
            && has!("avx512vbmi2")
            && has!("popcnt");
        has_all.then_some(Self(()))
    }
}

/// 64 bytes from memory.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 bytes, and an unaligned load asks for no more.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// 64 bytes to memory.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store(bytes: &mut [u8; 64], value: __m512i) {
    // SAFETY: the reference is to 64 bytes, and an unaligned store asks for no more.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
}

/// Sixteen words from memory.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load_words(words: &[u32; 16]) -> __m512i {
    // SAFETY: the reference is to 16 words of 4 bytes, and an unaligned load asks for no more.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// Sixteen words to memory.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store_words(words: &mut [u32; 16], value: __m512i) {
    // SAFETY: the reference is to 16 words of 4 bytes, and an unaligned store asks for no more.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}

//! [`Wide`]: proof that the processor has AVX-512 with VBMI2, and what all wide kernels share.
//!
//! It refuses to exist where the processor has not; so a kernel that takes it may rely on it.

use core::arch::x86_64::*;
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::Relaxed;

/// Proof that this processor has AVX-512 with VBMI2: it exists only there.
#[derive(Clone, Copy, Debug)]
pub struct Wide(());

impl Wide {
    /// Looks at the processor, once; none where it lacks something, or where this crate is built
    /// with `--cfg cortexkey_portable`, which hides what it has.
    #[inline]
    pub fn detect() -> Option<Self> {
        match FOUND.load(Relaxed) {
            YES => Some(Self(())),
            NO => None,
            _ => look(),
        }
    }
}

/// What was found, so that a kernel of a few nanoseconds pays for one load.
static FOUND: AtomicU8 = AtomicU8::new(NOT_LOOKED);
const NOT_LOOKED: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

#[cold]
fn look() -> Option<Wide> {
    use std::is_x86_feature_detected as has;
    let has_all = cfg!(not(cortexkey_portable))
        && has!("avx512f")
        && has!("avx512bw")
        && has!("avx512vl")
        && has!("avx512vbmi")
        && has!("avx512vbmi2")
        && has!("popcnt");
    FOUND.store(if has_all { YES } else { NO }, Relaxed);
    has_all.then_some(Wide(()))
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

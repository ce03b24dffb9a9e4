//! [`Avx512`]: proof that the processor supports AVX-512 with VBMI2, and its loads and stores.

use core::arch::x86_64::*;
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::Relaxed;

/// Proof that this processor supports AVX-512 with VBMI2: without them there is no value of it, so a
/// kernel that takes it may use the instructions.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// Detects the features once; `None` if one is missing, or with `--cfg cortexkey_portable`.
    #[inline]
    pub fn detect() -> Option<Self> {
        match FOUND.load(Relaxed) {
            YES => Some(Self(())),
            NO => None,
            _ => look(),
        }
    }
}

/// The result of the detection, so that a kernel of a few nanoseconds pays for one load.
static FOUND: AtomicU8 = AtomicU8::new(NOT_LOOKED);
const NOT_LOOKED: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

#[cold]
fn look() -> Option<Avx512> {
    use std::is_x86_feature_detected as has;
    let has_all = cfg!(not(cortexkey_portable))
        && has!("avx512f")
        && has!("avx512bw")
        && has!("avx512vl")
        && has!("avx512vbmi")
        && has!("avx512vbmi2")
        && has!("popcnt");
    FOUND.store(if has_all { YES } else { NO }, Relaxed);
    has_all.then_some(Avx512(()))
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

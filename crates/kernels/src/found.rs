//! The processor's features, detected once and kept as bits, so that a kernel of a few nanoseconds pays
//! for one load.

use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::Relaxed;

/// AVX2, or NEON.
pub(crate) const VECTORS: u8 = 1;
/// Instructions for SHA-256, beside [`VECTORS`].
pub(crate) const SHA: u8 = 2;
/// AVX-512 with VBMI2.
pub(crate) const AVX512: u8 = 4;
/// The features have been detected.
const DETECTED: u8 = 128;

static FOUND: AtomicU8 = AtomicU8::new(0);

/// Whether kernels that need a feature may run.
#[inline]
pub(crate) fn has(feature: u8) -> bool {
    let found = FOUND.load(Relaxed);
    let found = if found == 0 { allow(u8::MAX) } else { found };
    found & feature != 0
}

/// Allows the features of a mask, as far as the processor supports them.
#[cold]
pub(crate) fn allow(mask: u8) -> u8 {
    let found = DETECTED | if cfg!(cortexkey_portable) { 0 } else { detect() & mask };
    FOUND.store(found, Relaxed);
    found
}

#[cfg(target_arch = "x86_64")]
fn detect() -> u8 {
    use std::is_x86_feature_detected as has;
    let has_avx512 = has!("avx512f")
        && has!("avx512bw")
        && has!("avx512vl")
        && has!("avx512vbmi")
        && has!("avx512vbmi2")
        && has!("popcnt");
    let has_avx2 = has!("avx2");
    let bit = |feature, is_found| if is_found { feature } else { 0 };
    bit(AVX512, has_avx512) | bit(SHA, has_avx2 && has!("sha")) | bit(VECTORS, has_avx2)
}

#[cfg(target_arch = "aarch64")]
fn detect() -> u8 {
    if std::arch::is_aarch64_feature_detected!("sha2") { SHA | VECTORS } else { VECTORS }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn detect() -> u8 {
    0
}

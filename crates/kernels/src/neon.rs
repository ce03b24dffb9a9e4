//! [`Neon`]: proof that the processor supports NEON, and checks and digits of 64 characters at a time.
//!
//! There is no kernel for nonces: every 64-bit ARM has NEON, so the compiler vectorizes the plain
//! code.

use core::arch::aarch64::*;

use crate::found;

/// Proof that this processor supports NEON, and that its kernels are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// Returns the proof, or `None` if the kernels are not allowed.
    #[inline]
    pub fn detect() -> Option<Self> {
        found::has(found::VECTORS).then_some(Self(()))
    }
}

/// Whether all characters are ASCII letters and digits.
#[inline]
pub(crate) fn are_alphanumeric(_: Neon, text: &[u8; 64]) -> bool {
    // SAFETY: a `Neon` exists only if the processor supports what the function needs.
    unsafe { all_alphanumeric(text) }
}

/// Whether all characters are lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_hex_digits(_: Neon, text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { all_hex_digits(text) }
}

/// Whether a nonce is ASCII letters and digits, and a digest lower-case hexadecimal digits.
#[inline]
pub(crate) fn are_nonce_and_digest(_: Neon, nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { both_valid(nonce, digest) }
}

/// Writes the eight words of a digest as lower-case hexadecimal digits.
#[inline]
pub(crate) fn write_hex(_: Neon, words: &[u32; 8], text: &mut [u8; 64]) {
    // SAFETY: as above.
    unsafe { store_hex(words, text) }
}

/// Whether the text is what [`write_hex`] would write, in constant time.
#[inline]
pub(crate) fn is_hex_of(_: Neon, words: &[u32; 8], text: &[u8; 64]) -> bool {
    // SAFETY: as above.
    unsafe { equals_hex(words, text) }
}

type Quarters = [uint8x16_t; 4];

#[target_feature(enable = "neon")]
fn both_valid(nonce: &[u8; 64], digest: &[u8; 64]) -> bool {
    all_alphanumeric(nonce) & all_hex_digits(digest)
}

#[inline]
#[target_feature(enable = "neon")]
fn all_alphanumeric(text: &[u8; 64]) -> bool {
    all(load(text).map(|bytes| {
        let lower = vorrq_u8(bytes, vdupq_n_u8(0x20));
        vorrq_u8(within(bytes, b'0', 10), within(lower, b'a', 26))
    }))
}

#[inline]
#[target_feature(enable = "neon")]
fn all_hex_digits(text: &[u8; 64]) -> bool {
    all(load(text).map(|bytes| vorrq_u8(within(bytes, b'0', 10), within(bytes, b'a', 6))))
}

#[target_feature(enable = "neon")]
fn store_hex(words: &[u32; 8], text: &mut [u8; 64]) {
    for (quarter, digits) in text.as_chunks_mut::<16>().0.iter_mut().zip(hex_of(words)) {
        // SAFETY: the reference covers the 16 bytes of the store.
        unsafe { vst1q_u8(quarter.as_mut_ptr(), digits) }
    }
}

#[target_feature(enable = "neon")]
fn equals_hex(words: &[u32; 8], text: &[u8; 64]) -> bool {
    let expected = hex_of(words);
    let presented = load(text);
    all([0, 1, 2, 3].map(|i| vceqq_u8(expected[i], presented[i])))
}

#[inline]
#[target_feature(enable = "neon")]
fn load(text: &[u8; 64]) -> Quarters {
    let (quarters, _) = text.as_chunks::<16>();
    // SAFETY: the reference covers the 16 bytes of the load.
    [0, 1, 2, 3].map(|i| unsafe { vld1q_u8(quarters[i].as_ptr()) })
}

/// All ones in the bytes that are among the `count` values from `first` on.
#[inline]
#[target_feature(enable = "neon")]
fn within(bytes: uint8x16_t, first: u8, count: u8) -> uint8x16_t {
    vcltq_u8(vsubq_u8(bytes, vdupq_n_u8(first)), vdupq_n_u8(count))
}

/// Whether all bits are ones.
#[inline]
#[target_feature(enable = "neon")]
fn all([a, b, c, d]: Quarters) -> bool {
    vminvq_u8(vandq_u8(vandq_u8(a, b), vandq_u8(c, d))) == u8::MAX
}

#[inline]
#[target_feature(enable = "neon")]
fn hex_of(words: &[u32; 8]) -> Quarters {
    // SAFETY: the reference covers the 16 bytes of the load.
    let digits = unsafe { vld1q_u8(b"0123456789abcdef".as_ptr()) };
    let (halves, _) = words.as_chunks::<4>();
    let [[a, b], [c, d]] = [0, 1].map(|i| {
        // SAFETY: the reference covers the 4 words of the load.
        let words = unsafe { vld1q_u32(halves[i].as_ptr()) };
        let bytes = vrev32q_u8(vreinterpretq_u8_u32(words));
        let upper = vqtbl1q_u8(digits, vshrq_n_u8::<4>(bytes));
        let lower = vqtbl1q_u8(digits, vandq_u8(bytes, vdupq_n_u8(0x0f)));
        [vzip1q_u8(upper, lower), vzip2q_u8(upper, lower)]
    });
    [a, b, c, d]
}

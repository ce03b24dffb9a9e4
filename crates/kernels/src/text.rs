//! Checks and digits of 64 characters, the length of a nonce and of a digest in hexadecimal, with the
//! widest kernel.

#[cfg(target_arch = "aarch64")]
use crate::neon::{self, Neon};
#[cfg(target_arch = "x86_64")]
use crate::{
    avx2::{self, Avx2},
    avx512::{self, Avx512},
};

/// Calls the widest kernel; `None` if the processor supports none.
macro_rules! widest {
    ($kernel:ident($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = Avx512::detect() {
            return Some(avx512::text::$kernel(proof, $($argument),*));
        } else if let Some(proof) = Avx2::detect() {
            return Some(avx2::text::$kernel(proof, $($argument),*));
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(proof) = Neon::detect() {
            return Some(neon::$kernel(proof, $($argument),*));
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = ($($argument),*);
        None
    }};
}

/// Whether all characters are ASCII letters and digits; `None` without a kernel.
#[inline]
pub fn are_alphanumeric(text: &[u8; 64]) -> Option<bool> {
    widest!(are_alphanumeric(text))
}

/// Whether all characters are lower-case hexadecimal digits; `None` without a kernel.
#[inline]
pub fn are_hex_digits(text: &[u8; 64]) -> Option<bool> {
    widest!(are_hex_digits(text))
}

/// Whether a nonce is ASCII letters and digits, and a digest lower-case hexadecimal digits; `None` without
/// a kernel.
#[inline]
pub fn are_nonce_and_digest(nonce: &[u8; 64], digest: &[u8; 64]) -> Option<bool> {
    widest!(are_nonce_and_digest(nonce, digest))
}

/// Whether the text is the lower-case hexadecimal digits of the eight words of a digest, in constant
/// time; `None` without a kernel.
#[inline]
pub fn is_hex_of(words: &[u32; 8], text: &[u8; 64]) -> Option<bool> {
    widest!(is_hex_of(words, text))
}

/// Writes the eight words of a digest as lower-case hexadecimal digits; `None` without a kernel, and
/// then nothing is written.
#[inline]
#[must_use]
pub fn write_hex(words: &[u32; 8], text: &mut [u8; 64]) -> Option<()> {
    widest!(write_hex(words, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// The same tests for each kernel that this processor supports.
    macro_rules! tests_of {
        ($name:ident, $proof:ty, $($kernel:ident)::+) => {
            mod $name {
                use super::*;
                use crate::$($kernel)::+::{are_alphanumeric, are_hex_digits, are_nonce_and_digest, is_hex_of, write_hex};

                #[test]
                fn every_byte_is_checked_at_every_position() {
                    let Some(proof) = <$proof>::detect() else { return };
                    for position in 0..64 {
                        for byte in 0..=255_u8 {
                            let mut text = [b'a'; 64];
                            text[position] = byte;
                            let is_alphanumeric = byte.is_ascii_alphanumeric();
                            assert_eq!(are_alphanumeric(proof, &text), is_alphanumeric, "{byte:#x}");
                            let is_hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                            assert_eq!(are_hex_digits(proof, &text), is_hex, "{byte:#x}");
                            let [good, both] = [[b'a'; 64], text];
                            assert_eq!(are_nonce_and_digest(proof, &good, &both), is_hex);
                            assert_eq!(are_nonce_and_digest(proof, &both, &good), is_alphanumeric);
                        }
                    }
                }

                proptest! {
                    #[test]
                    fn digests_are_written_like_the_hex_crate_does(words: [u32; 8]) {
                        let Some(proof) = <$proof>::detect() else { return Ok(()) };
                        let mut text = [0; 64];
                        write_hex(proof, &words, &mut text);
                        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
                        prop_assert_eq!(text.to_vec(), hex::encode(bytes).into_bytes());
                        prop_assert!(is_hex_of(proof, &words, &text));
                        for position in 0..64 {
                            for bit in 0..8 {
                                let mut other = text;
                                other[position] ^= 1 << bit;
                                prop_assert!(!is_hex_of(proof, &words, &other));
                            }
                        }
                    }
                }
            }
        };
    }

    #[cfg(target_arch = "x86_64")]
    tests_of!(avx512, crate::Avx512, avx512::text);
    #[cfg(target_arch = "x86_64")]
    tests_of!(avx2, crate::Avx2, avx2::text);
    #[cfg(target_arch = "aarch64")]
    tests_of!(neon, crate::neon::Neon, neon);
}

//! [`Nonce`]: 64 uniform characters of `[A-Za-z0-9]`.
//!
//! The alphabet matters for safety: a digest can be extended without the key, and each extension
//! puts the byte 0x80 into the nonce.

use core::fmt;

use rand_core::{CryptoRng, TryCryptoRng};

use super::alphanumeric;

/// The length of a nonce that this crate draws.
pub const NONCE_BYTES: usize = alphanumeric::PART_BYTES;

/// The nonce of one request. It is sent in the clear and used once.
///
/// ```
/// use cortexkey_core::auth::Nonce;
///
/// assert!(Nonce::new(&[b'n'; 64]).is_ok());
/// assert!(Nonce::new(b"too short").is_err());
/// assert!(Nonce::new(&[b'-'; 64]).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; NONCE_BYTES]);

impl Nonce {
    /// Checks a caller's nonce: exactly 64 ASCII letters and digits.
    pub fn new(text: &[u8]) -> Result<Self, NonceError> {
        NonceLengths::EXACT.check(text)?;
        text.try_into().map(Self).map_err(|_| NonceError::BadLength { len: text.len() })
    }

    /// Draws a nonce from a cryptographic generator.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        match Self::try_generate(rng) {
            Ok(nonce) => nonce,
            Err(never) => match never {},
        }
    }

    /// Draws a nonce from a generator that can fail, and returns its error.
    pub fn try_generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        let mut nonce = [0; NONCE_BYTES];
        alphanumeric::fill_nonce(rng, &mut nonce)?;
        Ok(Self(nonce))
    }

    /// Draws a nonce from the operating system.
    #[cfg(feature = "system")]
    pub fn from_system() -> Result<Self, getrandom::Error> {
        Self::try_generate(&mut getrandom::SysRng)
    }

    /// The 64 characters.
    pub const fn as_bytes(&self) -> &[u8; NONCE_BYTES] {
        &self.0
    }
}

impl AsRef<[u8]> for Nonce {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Which lengths of nonce a verifier accepts; exactly 64 by default.
///
/// Some clients send 32 hexadecimal digits. 16 to 128 characters are also safe, because safety
/// depends on the alphabet and on the form of the timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceLengths {
    min: u8,
    max: u8,
}

impl NonceLengths {
    /// Exactly 64 characters, as the product's own samples send.
    pub const EXACT: Self = Self { min: 64, max: 64 };
    /// 16 to 128 characters.
    pub const LENIENT: Self = Self { min: 16, max: 128 };

    /// Whether the text is a nonce of one of these lengths.
    pub fn check(self, text: &[u8]) -> Result<(), NonceError> {
        if !(usize::from(self.min)..=usize::from(self.max)).contains(&text.len()) {
            return Err(NonceError::BadLength { len: text.len() });
        }
        if are_alphanumeric(text) {
            return Ok(());
        }
        let at = text.iter().position(|byte| !byte.is_ascii_alphanumeric());
        Err(NonceError::BadCharacter { position: at.unwrap_or(0) + 1 })
    }
}

fn are_alphanumeric(text: &[u8]) -> bool {
    #[cfg(feature = "kernels")]
    if let Some(answer) = text.try_into().ok().and_then(cortexkey_kernels::are_alphanumeric) {
        return answer;
    }
    // Without an early exit, the compiler vectorizes it.
    text.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

impl Default for NonceLengths {
    fn default() -> Self {
        Self::EXACT
    }
}

/// Why a string is not a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceError {
    /// The string is too short or too long.
    BadLength {
        /// Its length in bytes.
        len: usize,
    },
    /// A byte is not an ASCII letter or digit.
    BadCharacter {
        /// Its position, counted from 1.
        position: usize,
    },
}

impl fmt::Display for NonceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLength { len } => write!(f, "the nonce has the length {len}")?,
            Self::BadCharacter { position } => {
                write!(f, "character {position} of the nonce is not an ASCII letter or digit")?;
            }
        }
        f.write_str("; expected 64 characters of A-Z, a-z and 0-9")
    }
}

impl core::error::Error for NonceError {}

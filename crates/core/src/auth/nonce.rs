//! [`Nonce`]: 64 characters of `[A-Za-z0-9]`, each as likely as the other.
//!
//! It refuses every other character. That is a matter of safety, not of taste: a digest can be
//! extended without the key, and each extension puts the byte 0x80 into the nonce.

use core::fmt;

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::Zeroize;

/// How many characters a nonce of ours has.
pub const NONCE_BYTES: usize = 64;

/// The nonce of one request. It is sent in the clear and is used once.
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
    /// Takes a nonce that the caller has: exactly 64 ASCII letters and digits.
    pub fn new(text: &[u8]) -> Result<Self, NonceError> {
        NonceLengths::EXACT.check(text)?;
        text.try_into().map(Self).map_err(|_| NonceError::BadLength { len: text.len() })
    }

    /// Draws a nonce. The generator must be cryptographic; nothing else protects against a guess.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        match Self::try_generate(rng) {
            Ok(nonce) => nonce,
            Err(never) => match never {},
        }
    }

    /// Draws a nonce from a generator that can fail; its error is returned.
    pub fn try_generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        let mut nonce = [0; NONCE_BYTES];
        fill_alphanumeric(rng, [&mut nonce])?;
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

/// 64 numbers of six bits.
const DRAWN_BYTES: usize = NONCE_BYTES * 6 / 8;
/// Two numbers in 64 are drawn again; these are enough in most cases.
const RESERVE_BYTES: usize = 6;

/// Fills parts with letters and digits, each as likely as the other: nonces, and keys. One draw
/// serves them all, since most generators take long to begin.
pub(crate) fn fill_alphanumeric<R: TryCryptoRng + ?Sized, const N: usize>(
    rng: &mut R,
    parts: [&mut [u8; NONCE_BYTES]; N],
) -> Result<(), R::Error> {
    let mut random = [[0; DRAWN_BYTES + RESERVE_BYTES]; N];
    let mut filled = rng.try_fill_bytes(random.as_flattened_mut());
    for (part, random) in parts.into_iter().zip(&mut random) {
        let (drawn, reserve) = random.split_at_mut(DRAWN_BYTES);
        *part = six_bits(drawn);
        filled = filled.and_then(|()| {
            map_to_alphanumeric(part, reserve, |reserve| rng.try_fill_bytes(reserve))
        });
    }
    // They may have become a key.
    random.as_flattened_mut().zeroize();
    filled
}

/// The low six bits of each of 48 bytes, and the high two of three bytes together. Those three are
/// far from each other, so that the compiler turns it into vector code.
fn six_bits(drawn: &[u8]) -> [u8; NONCE_BYTES] {
    let mut numbers = [0; NONCE_BYTES];
    for (number, byte) in numbers.iter_mut().zip(drawn) {
        *number = byte & 63;
    }
    if let [a, b, c] = drawn.as_chunks::<16>().0 {
        for (i, number) in numbers[DRAWN_BYTES..].iter_mut().enumerate() {
            *number = a[i] >> 6 | b[i] >> 6 << 2 | c[i] >> 6 << 4;
        }
    }
    numbers
}

/// Numbers of six bits become letters and digits; 62 and 63 are drawn again, from the reserve and
/// from what fills it.
fn map_to_alphanumeric<E>(
    part: &mut [u8; NONCE_BYTES],
    reserve: &mut [u8],
    mut refill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut unfit = unfit_places(part);
    *part = part.map(character);
    let mut left = reserve.len();
    while unfit != 0 {
        if left == 0 {
            refill(reserve)?;
            left = reserve.len();
        }
        left -= 1;
        let six_bits = reserve.get(left).map_or(63, |byte| byte & 63);
        if six_bits < 62 {
            let bit = unfit.trailing_zeros() as usize;
            if let Some(place) = part.get_mut(bit % 8 * 8 + bit / 8) {
                *place = character(six_bits);
            }
            unfit &= unfit - 1;
        }
    }
    Ok(())
}

/// The letter or digit of a number below 62. Arithmetic rather than a table: the compiler turns it
/// into vector code, and no address depends on what may become a key.
fn character(number: u8) -> u8 {
    let to_lower = if number > 25 { b'a' - b'Z' - 1 } else { 0 };
    let to_digit = if number > 51 { b'z' - b'0' + 1 } else { 0 };
    (b'A' + number + to_lower).wrapping_sub(to_digit)
}

/// Which of 64 numbers are above 61: bit `8 * i + k` is for number `8 * k + i`.
fn unfit_places(numbers: &[u8; NONCE_BYTES]) -> u64 {
    let mut unfit = 0;
    for (k, word) in numbers.as_chunks::<8>().0.iter().enumerate() {
        let carries = (u64::from_le_bytes(*word) + 0x0202_0202_0202_0202) & 0x4040_4040_4040_4040;
        unfit |= carries >> 6 << k;
    }
    unfit
}

impl AsRef<[u8]> for Nonce {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Which lengths of nonce a verifier takes. Strict unless changed: exactly 64.
///
/// Some clients send 32 hexadecimal digits. A range from 16 to 128 stays sound, since the
/// alphabet and the form of the timestamp carry the safety.
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
        // Without a way out in between, the compiler turns it into vector code.
        if text.iter().fold(true, |fits, byte| fits & byte.is_ascii_alphanumeric()) {
            return Ok(());
        }
        let at = text.iter().position(|byte| !byte.is_ascii_alphanumeric());
        Err(NonceError::BadCharacter { position: at.unwrap_or(0) + 1 })
    }
}

impl Default for NonceLengths {
    fn default() -> Self {
        Self::EXACT
    }
}

/// Why text is no nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceError {
    /// It is too short or too long.
    BadLength {
        /// How long it is, in bytes.
        len: usize,
    },
    /// A byte is no ASCII letter or digit.
    BadCharacter {
        /// Which one, counted from 1.
        position: usize,
    },
}

impl fmt::Display for NonceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLength { len } => write!(f, "the length of the nonce is {len}")?,
            Self::BadCharacter { position } => {
                write!(f, "character {position} of the nonce is no ASCII letter or digit")?;
            }
        }
        f.write_str("; a nonce is 64 characters of A-Z, a-z and 0-9")
    }
}

impl core::error::Error for NonceError {}

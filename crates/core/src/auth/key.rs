//! [`Key`], [`KeyId`] and [`Level`], restricted to values that the product generates.

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

use super::digits::Decimal;

/// The maximum length of a key.
pub const KEY_BYTES_MAX: usize = 256;

/// A borrowed key: 1 to 256 bytes of visible ASCII (0x21 to 0x7E).
///
/// It has no `Debug`, no `Display` and no `serde`. The caller owns the bytes and wipes them.
///
/// ```
/// use cortexkey_core::auth::Key;
///
/// assert!(Key::new(b"DCdIeow0xm73EwnxjPza").is_ok());
/// let error = Key::new(b"pasted with a newline\n").err().map(|e| e.to_string());
/// assert_eq!(error.as_deref(), Some("byte 7 of the key is a space; expected visible ASCII only"));
/// ```
///
/// ```compile_fail
/// // A key cannot be printed.
/// println!("{:?}", cortexkey_core::auth::Key::new(b"secret").ok());
/// ```
#[derive(Clone, Copy)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// Checks the bytes of a key. An error names a position and a kind of byte, never the byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong { len: bytes.len() });
        }
        match bytes.iter().position(|byte| !is_visible_ascii(*byte)) {
            Some(at) => Err(KeyError::BadByte { position: at + 1, kind: KeyByte::of(bytes[at]) }),
            None => Ok(Self(bytes)),
        }
    }

    /// A key of letters and digits that this crate drew.
    pub(crate) fn from_generated(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

pub(super) fn is_visible_ascii(byte: u8) -> bool {
    (0x21..=0x7e).contains(&byte)
}

/// Why bytes are not a key. It names a position and a kind of byte, never the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// There are no bytes.
    Empty,
    /// There are more than 256 bytes.
    TooLong {
        /// The number of bytes.
        len: usize,
    },
    /// A byte is not visible ASCII.
    BadByte {
        /// Its position, counted from 1.
        position: usize,
        /// Its kind.
        kind: KeyByte,
    },
}

/// The kind of an invalid byte of a key: as much as may be revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyByte {
    /// A space or a tab.
    Space,
    /// A carriage return or line feed.
    LineEnd,
    /// Another control character.
    Control,
    /// A byte above 0x7F.
    NotAscii,
}

impl KeyByte {
    fn of(byte: u8) -> Self {
        match byte {
            b' ' | b'\t' => Self::Space,
            b'\r' | b'\n' => Self::LineEnd,
            0x80.. => Self::NotAscii,
            _ => Self::Control,
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the key is empty; expected 1 to 256 characters"),
            Self::TooLong { len } => {
                write!(f, "the key has {len} bytes; expected at most {KEY_BYTES_MAX}")
            }
            Self::BadByte { position, kind } => {
                let what = match kind {
                    KeyByte::Space => "a space",
                    KeyByte::LineEnd => "a line ending",
                    KeyByte::Control => "a control character",
                    KeyByte::NotAscii => "not ASCII",
                };
                write!(f, "byte {position} of the key is {what}; expected visible ASCII only")
            }
        }
    }
}

impl core::error::Error for KeyError {}

/// The number that the console shows in the *ID* column: 1 to 2^64-1.
///
/// ```
/// use cortexkey_core::auth::KeyId;
///
/// assert_eq!("56".parse::<KeyId>()?.get(), 56);
/// for bad in ["", "0", "-1", "+5", "007", "1e3", "18446744073709551616"] {
///     assert!(bad.parse::<KeyId>().is_err(), "{bad}");
/// }
/// # Ok::<(), cortexkey_core::auth::KeyIdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(NonZeroU64);

impl KeyId {
    /// A key id, or `None` for 0.
    pub const fn new(id: u64) -> Option<Self> {
        match NonZeroU64::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// Parses decimal digits, without a sign, leading zeros or white space.
    pub fn parse(text: &[u8]) -> Result<Self, KeyIdError> {
        match text {
            [] => return Err(KeyIdError::Empty),
            [b'0'] => return Err(KeyIdError::Zero),
            [b'0', ..] if text.iter().all(u8::is_ascii_digit) => {
                return Err(KeyIdError::LeadingZero);
            }
            _ => {}
        }
        let mut id = 0_u64;
        for byte in text {
            if !byte.is_ascii_digit() {
                return Err(KeyIdError::NotDigits);
            }
            id = id
                .checked_mul(10)
                .and_then(|id| id.checked_add(u64::from(byte - b'0')))
                .ok_or(KeyIdError::TooLarge)?;
        }
        Self::new(id).ok_or(KeyIdError::Zero)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    pub(super) fn decimal(self) -> Decimal {
        Decimal::new(self.get())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        Self::parse(text.as_bytes())
    }
}

/// Why a string is not a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyIdError {
    /// The string is empty.
    Empty,
    /// No key has the id 0.
    Zero,
    /// The number begins with 0.
    LeadingZero,
    /// The string contains characters other than the digits 0 to 9: a sign, a space, a letter.
    NotDigits,
    /// The number is above 2^64-1.
    TooLarge,
}

impl fmt::Display for KeyIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = match self {
            Self::Empty => "the key id is empty",
            Self::Zero => "the key id is 0",
            Self::LeadingZero => "the key id starts with 0",
            Self::NotDigits => "the key id contains characters other than the digits 0 to 9",
            Self::TooLarge => "the key id is above 18446744073709551615",
        };
        write!(f, "{seen}; expected the number in the ID column of the API Keys table, such as 56")
    }
}

impl core::error::Error for KeyIdError {}

/// How a key authenticates: *Security Level* in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The key itself is sent.
    Standard,
    /// A digest of the key, a nonce and the time is sent.
    Advanced,
}

impl Level {
    /// The name in the product's API and in key definitions: `standard` or `advanced`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Advanced => "advanced",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        match text {
            "standard" => Ok(Self::Standard),
            "advanced" => Ok(Self::Advanced),
            _ => Err(LevelError),
        }
    }
}

/// The string is neither `standard` nor `advanced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelError;

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the security level is neither `standard` nor `advanced`")
    }
}

impl core::error::Error for LevelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_checked() {
        for byte in 0..=255_u8 {
            let is_visible = (b'!'..=b'~').contains(&byte);
            assert_eq!(Key::new(&[b'a', byte]).is_ok(), is_visible, "{byte:#x}");
        }
    }

    #[test]
    fn a_bad_byte_is_named_by_kind_and_position() {
        for (byte, expected) in [
            (b' ', KeyByte::Space),
            (b'\t', KeyByte::Space),
            (b'\r', KeyByte::LineEnd),
            (b'\n', KeyByte::LineEnd),
            (0, KeyByte::Control),
            (0x1f, KeyByte::Control),
            (0x7f, KeyByte::Control),
            (0xc3, KeyByte::NotAscii),
        ] {
            let error = Key::new(&[b'a', byte]).err();
            assert!(
                matches!(error, Some(KeyError::BadByte { position: 2, kind }) if kind == expected),
                "{byte:#x}: {error:?}"
            );
        }
    }

    #[test]
    fn lengths() {
        assert!(matches!(Key::new(b""), Err(KeyError::Empty)));
        assert!(Key::new(&[b'k'; 256]).is_ok());
        assert!(matches!(Key::new(&[b'k'; 257]), Err(KeyError::TooLong { len: 257 })));
    }

    #[test]
    fn key_ids_at_the_edges() {
        assert_eq!(KeyId::parse(b"18446744073709551615").map(KeyId::get), Ok(u64::MAX));
        assert_eq!(KeyId::parse(b"18446744073709551616"), Err(KeyIdError::TooLarge));
        assert_eq!(KeyId::parse(b""), Err(KeyIdError::Empty));
        assert_eq!(KeyId::parse(b"0"), Err(KeyIdError::Zero));
        assert_eq!(KeyId::parse(b"007"), Err(KeyIdError::LeadingZero));
        assert_eq!(KeyId::parse(b"0x10"), Err(KeyIdError::NotDigits));
        assert_eq!(KeyId::parse("٣".as_bytes()), Err(KeyIdError::NotDigits));
    }
}

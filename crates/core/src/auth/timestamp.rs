//! [`Timestamp`]: Unix time in milliseconds, exactly 13 digits.
//!
//! No other form is accepted. With a leading zero or a twelfth digit, a digit could move between
//! nonce and timestamp under the same digest.

use core::fmt;

use super::digits::{format_13_digits, parse_13_digits};

const MIN_MS: u64 = 1_000_000_000_000; // 2001-09-09
const MAX_MS: u64 = 9_999_999_999_999; // 2286-11-20

/// The time of a request: milliseconds since 1970, from 2001-09-09 to 2286-11-20.
///
/// ```
/// use cortexkey_core::auth::Timestamp;
///
/// assert_eq!(Timestamp::parse(b"1590969600000")?.as_ms(), 1_590_969_600_000);
/// assert!(Timestamp::parse(b"1590969600").is_err(), "seconds");
/// # Ok::<(), cortexkey_core::auth::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Checks a time in milliseconds since 1970.
    pub const fn from_ms(ms: u64) -> Result<Self, TimestampError> {
        match ms {
            MIN_MS..=MAX_MS => Ok(Self(ms)),
            _ => Err(TimestampError),
        }
    }

    /// Parses exactly 13 ASCII digits, of which the first is not 0.
    pub fn parse(text: &[u8]) -> Result<Self, TimestampError> {
        let digits: &[u8; 13] = text.try_into().map_err(|_| TimestampError)?;
        Self::from_ms(parse_13_digits(digits).ok_or(TimestampError)?)
    }

    /// Converts a time of the machine's clock.
    #[cfg(feature = "std")]
    pub fn from_system_time(time: std::time::SystemTime) -> Result<Self, TimestampError> {
        let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| TimestampError)?;
        Self::from_ms(u64::try_from(since.as_millis()).map_err(|_| TimestampError)?)
    }

    /// Milliseconds since 1970.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The 13 digits of the header.
    pub(super) fn digits(self) -> [u8; 13] {
        format_13_digits(self.0)
    }
}

/// The time is not 13 digits of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError;

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the timestamp is not 13 digits; expected Unix time in milliseconds, not seconds, \
             such as 1790611727783",
        )
    }
}

impl core::error::Error for TimestampError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges() {
        assert!(Timestamp::from_ms(MIN_MS - 1).is_err());
        assert_eq!(Timestamp::from_ms(MIN_MS).map(Timestamp::digits), Ok(*b"1000000000000"));
        assert_eq!(Timestamp::from_ms(MAX_MS).map(Timestamp::digits), Ok(*b"9999999999999"));
        assert!(Timestamp::from_ms(MAX_MS + 1).is_err());
        assert!(Timestamp::parse(b"0999999999999").is_err());
    }
}

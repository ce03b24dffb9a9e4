//! [`SettingsError`]: why there is nothing to call with.
//!
//! It refuses to repeat a value: a key may have been given in a wrong place.

use core::fmt;

use cortexkey_core::address::AddressError;
use cortexkey_core::auth::KeyIdError;

use super::{KeyProblem, Origin};

/// Why a setting is missing or unfit.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// Nothing says where the tenant is.
    NoAddress,
    /// Nothing says which key id.
    NoKeyId,
    /// Nothing says which security level.
    NoLevel,
    /// There is no key.
    NoKey,
    /// A variable is set to nothing.
    Empty {
        /// Which one.
        origin: Origin,
    },
    /// A variable holds bytes that are no text.
    NotText {
        /// Which one.
        origin: Origin,
    },
    /// Two variables for one setting hold different values.
    Disagree {
        /// One.
        one: Origin,
        /// The other.
        other: Origin,
    },
    /// The address is none.
    Address {
        /// Where it came from.
        origin: Origin,
        /// What is wrong with it.
        error: AddressError,
    },
    /// The key id is none.
    KeyId {
        /// Where it came from.
        origin: Origin,
        /// What is wrong with it.
        error: KeyIdError,
    },
    /// The security level is none.
    Level {
        /// Where it came from.
        origin: Origin,
    },
    /// The key cannot be read or is none.
    Key {
        /// Where it came from.
        origin: Origin,
        /// What is wrong.
        problem: KeyProblem,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str(
                "no tenant is given; give --fqdn, or set CORTEXKEY_FQDN to what the button Copy \
                 API URL gives",
            ),
            Self::NoKeyId => f.write_str(
                "no key id is given; give --key-id, or set CORTEXKEY_API_KEY_ID to the number in \
                 the column ID of the API Keys table",
            ),
            Self::NoLevel => f.write_str(
                "no security level is given; give --level, or set CORTEXKEY_API_KEY_TYPE to \
                 `standard` or `advanced`, whichever the API Keys table shows; it cannot be told \
                 from the key, since keys of both levels look the same",
            ),
            Self::NoKey => f.write_str(
                "no key is given; give --key-file or --key-stdin, or set CORTEXKEY_API_KEY",
            ),
            Self::Empty { origin } => {
                write!(f, "{origin} is set but empty; give it a value, or unset it")
            }
            Self::NotText { origin } => write!(f, "{origin} holds bytes that are no text (UTF-8)"),
            Self::Disagree { one, other } => {
                write!(f, "{one} and {other} name different tenants; unset one of them")
            }
            Self::Address { origin, error } => write!(f, "{origin}: {error}"),
            Self::KeyId { origin, error } => write!(f, "{origin}: {error}"),
            Self::Level { origin } => {
                write!(f, "{origin} is neither `standard` nor `advanced`")
            }
            Self::Key { origin, problem } => write!(f, "{origin} {problem}"),
        }
    }
}

impl core::error::Error for SettingsError {}

//! [`SettingsError`]: why there is nothing to call with.
//!
//! It refuses to repeat a value: a key may have been given in a wrong place.

use core::fmt;

use cortexkey_core::address::AddressError;
use cortexkey_core::auth::KeyIdError;

use std::path::PathBuf;

use super::{ConfigProblem, KeyProblem, Origin};
use crate::transport::RootsError;

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
    /// The user's configuration cannot be used.
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: ConfigProblem,
    },
    /// There is no profile of this name.
    NoProfile {
        /// Who asks for it.
        origin: Origin,
        /// The configuration, where there is one.
        path: Option<PathBuf>,
        /// The profiles that there are.
        known: Vec<String>,
    },
    /// The key belongs to another tenant.
    Apart {
        /// Where the address came from.
        address: Origin,
        /// Where the key would come from.
        key: Origin,
    },
    /// The child tenant is none.
    ChildTenant {
        /// Where it came from.
        origin: Origin,
    },
    /// There are no certificates to trust.
    Roots {
        /// Where the file's name came from.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: RootsError,
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
                "no tenant is given; give --fqdn or --profile, or set CORTEXKEY_FQDN to what the \
                 button Copy API URL gives",
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
            Self::Config { path, problem } => {
                write!(f, "the configuration {} {problem}", path.display())
            }
            Self::NoProfile { origin, path, known } => {
                write!(f, "{origin} asks for a profile that there is not")?;
                match (path, known.is_empty()) {
                    (None, _) => f.write_str("; there is no configuration, see `config explain`"),
                    (Some(path), true) => write!(f, "; {} has none", path.display()),
                    (Some(_), false) => write!(f, "; there are {}", known.join(", ")),
                }
            }
            Self::Apart { address, key } => write!(
                f,
                "the tenant comes from {address} and the key would come from {key}, which does \
                 not go with it; a key is sent to its own tenant alone; name one --profile, or \
                 unset what is left over"
            ),
            Self::ChildTenant { origin } => write!(
                f,
                "{origin} is no id of a child tenant: up to 200 letters, digits and signs, without \
                 spaces"
            ),
            Self::Roots { origin, path, problem } => {
                write!(f, "{origin} names {}, which {problem}", path.display())
            }
        }
    }
}

impl core::error::Error for SettingsError {}

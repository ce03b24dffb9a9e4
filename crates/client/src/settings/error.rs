//! [`SettingsError`]: why the settings do not suffice for a call.
//!
//! Errors never repeat a value, which may be a key in the wrong place.

use cortexkey_core::address::AddressError;
use cortexkey_core::auth::KeyIdError;
use thiserror::Error;

use std::path::{Path, PathBuf};

use super::{ConfigProblem, KeyProblem, SettingOrigin};
use crate::transport::RootsError;

/// Why a setting is missing or invalid.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No tenant is set.
    #[error(
        "no tenant is set\nhelp: pass --fqdn or --profile, or set CORTEXKEY_FQDN to the address that the \
         console's button Copy API URL copies"
    )]
    NoAddress,
    /// No key id is set.
    #[error(
        "no key id is set\nhelp: pass --key-id, or set CORTEXKEY_API_KEY_ID to the number in the ID \
         column of the API Keys table"
    )]
    NoKeyId,
    /// No security level is set.
    #[error(
        "no security level is set, and the key does not reveal it: keys of both levels look the \
         same\nhelp: pass --level, or set CORTEXKEY_API_KEY_TYPE to `standard` or `advanced`, as the \
         API Keys table shows it"
    )]
    NoLevel,
    /// No key is set.
    #[error("no key is set\nhelp: pass --key-file or --key-stdin, or set CORTEXKEY_API_KEY")]
    NoKey,
    /// A variable is empty.
    #[error("{origin} is set but empty\nhelp: give it a value, or unset it")]
    Empty {
        /// The variable.
        origin: SettingOrigin,
    },
    /// A variable is not valid UTF-8.
    #[error("{origin} is not valid UTF-8")]
    NotText {
        /// The variable.
        origin: SettingOrigin,
    },
    /// Two variables for one setting have different values.
    #[error("{one} and {other} name different tenants\nhelp: unset one of them")]
    Disagree {
        /// The first variable.
        one: SettingOrigin,
        /// The second variable.
        other: SettingOrigin,
    },
    /// The address is invalid.
    #[error("{origin}: {error}")]
    Address {
        /// Where it came from.
        origin: SettingOrigin,
        /// What is wrong with it.
        error: AddressError,
    },
    /// The key id is invalid.
    #[error("{origin}: {error}")]
    KeyId {
        /// Where it came from.
        origin: SettingOrigin,
        /// What is wrong with it.
        error: KeyIdError,
    },
    /// The security level is invalid.
    #[error("{origin} is neither `standard` nor `advanced`")]
    Level {
        /// Where it came from.
        origin: SettingOrigin,
    },
    /// The user's configuration cannot be used.
    #[error("the configuration {} {problem}", path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        problem: ConfigProblem,
    },
    /// There is no profile of this name.
    #[error(
        "{origin} names a profile that does not exist{}",
        profiles(path.as_deref(), known)
    )]
    NoProfile {
        /// Where the name came from.
        origin: SettingOrigin,
        /// The configuration file, if there is one.
        path: Option<PathBuf>,
        /// The existing profiles.
        known: Vec<String>,
    },
    /// The key belongs to another tenant.
    #[error(
        "the tenant comes from {address} and the key from {key}, which do not belong together\nhelp: select \
         one --profile, unset the variables of the other tenant, or say where the key is \
         (--key-file, --key-stdin or --key-store)"
    )]
    Apart {
        /// Where the address came from.
        address: SettingOrigin,
        /// Where the key would come from.
        key: SettingOrigin,
    },
    /// The stored metadata does not match the settings.
    #[error(
        "{key} contains {stored}, but {other} sets another one\nhelp: correct it, or remove it to use \
         the stored one"
    )]
    StoredApart {
        /// Where the key came from.
        key: SettingOrigin,
        /// What is stored.
        stored: String,
        /// Where the other value came from.
        other: SettingOrigin,
    },
    /// The child tenant's id is invalid.
    #[error(
        "{origin} is not the id of a child tenant: expected up to 200 visible ASCII characters without spaces"
    )]
    ChildTenant {
        /// Where it came from.
        origin: SettingOrigin,
    },
    /// The certificates to trust cannot be used.
    #[error("{origin} names {}, which {problem}", path.display())]
    Roots {
        /// Where the file's name came from.
        origin: SettingOrigin,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: RootsError,
    },
    /// The key cannot be read or is invalid.
    #[error("{origin} {problem}")]
    Key {
        /// Where it came from.
        origin: SettingOrigin,
        /// What is wrong with it.
        problem: KeyProblem,
    },
}

fn profiles(path: Option<&Path>, known: &[String]) -> String {
    match path {
        None => {
            ", because there is no configuration\nhelp: `cortexkey config explain` shows where it is read"
                .to_owned()
        }
        Some(path) if known.is_empty() => format!(": {} has none", path.display()),
        Some(_) => format!("; expected one of {}", known.join(", ")),
    }
}

//! [`Resolved`] and [`SettingOrigin`]: a setting, and where it came from.
//!
//! It never contains a key.

use core::fmt;
use std::path::PathBuf;

/// A setting, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: SettingOrigin,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingOrigin {
    /// An argument, such as `--key-id`.
    Argument(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A field of a profile in the user's configuration.
    Profile {
        /// The profile.
        name: String,
        /// The field.
        field: &'static str,
    },
    /// The user's configuration, outside profiles.
    Config(&'static str),
    /// A file that contains a key.
    KeyFile(PathBuf),
    /// A secret store, by the key's address in it.
    Store(String),
    /// The program that a profile names for its key.
    KeyCommand {
        /// The profile.
        profile: String,
        /// The program's name.
        program: String,
    },
    /// Standard input.
    Stdin,
    /// The default.
    Default,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "the argument {name}"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Profile { name, field } => write!(f, "the profile {name} ({field})"),
            Self::Config(field) => write!(f, "the configuration ({field})"),
            Self::KeyFile(path) => write!(f, "the key file {}", path.display()),
            Self::Store(url) => write!(f, "the secret store ({url})"),
            Self::KeyCommand { profile, program } => {
                write!(f, "the key_command of the profile {profile} ({program})")
            }
            Self::Stdin => f.write_str("standard input"),
            Self::Default => f.write_str("the default"),
        }
    }
}

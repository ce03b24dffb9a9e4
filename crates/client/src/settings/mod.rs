//! Where the settings of a call come from: arguments first, then our environment variables, then
//! the Terraform provider's.
//!
//! It refuses to guess. A setting that is there but empty is a mistake, not an absent one. The
//! security level is never told from a key's length: keys of both levels are equally long.
//! No value is repeated in an error, since people mix variables up and a key may be among them.

mod error;
mod key_source;

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use core::fmt;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{Key, KeyId, Level, Signer};

pub use error::SettingsError;
pub use key_source::{KEY_SOURCE_BYTES_MAX, KeyProblem, KeySource};

/// Looks up an environment variable; `std::env::var_os`, or a table in tests.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

const ADDRESS_NAMES: [&str; 3] = ["CORTEXKEY_FQDN", "CORTEXKEY_API_URL", "CORTEXCLOUD_API_URL"];
const KEY_NAMES: [&str; 2] = ["CORTEXKEY_API_KEY", "CORTEXCLOUD_API_KEY"];
const KEY_ID_NAMES: [&str; 2] = ["CORTEXKEY_API_KEY_ID", "CORTEXCLOUD_API_KEY_ID"];
const LEVEL_NAMES: [&str; 2] = ["CORTEXKEY_API_KEY_TYPE", "CORTEXCLOUD_API_KEY_TYPE"];

/// What was given by hand; what is `None` is looked for in the environment.
#[derive(Debug, Default)]
pub struct Given {
    /// `--fqdn`: the tenant, in any form that people paste.
    pub fqdn: Option<String>,
    /// Whether the tenant is on premises: its host is taken as it is, without `api-`.
    pub on_premises: bool,
    /// `--key-id`.
    pub key_id: Option<String>,
    /// `--level`.
    pub level: Option<Level>,
    /// `--key-file` or `--key-stdin`.
    pub key: Option<KeySource>,
}

/// A setting, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What it is.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// An argument, such as `--key-id`.
    Argument(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A file with a key.
    KeyFile(PathBuf),
    /// Standard input.
    Stdin,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "the argument {name}"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::KeyFile(path) => write!(f, "the key file {}", path.display()),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// All that a call needs: where to, and what signs it.
#[derive(Debug)]
pub struct Connection {
    /// Where the tenant's API is.
    pub address: Found<Address>,
    /// What signs.
    pub credentials: Credentials,
}

impl Connection {
    /// Finds address and credentials. Standard input is read only where the key is asked from it.
    pub fn resolve(
        given: &Given,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        let address = resolve_address(given, environment)?;
        let credentials = Credentials::resolve(given, environment, stdin)?;
        Ok(Self { address, credentials })
    }
}

/// A key, ready to sign. `Debug` does not show it.
pub struct Credentials {
    /// The key's id.
    pub key_id: Found<KeyId>,
    /// The key's security level.
    pub level: Found<Level>,
    /// Where the key came from.
    pub key_origin: Origin,
    /// Signs with it.
    pub signer: Signer,
}

impl Credentials {
    /// Finds key id, level and key, in this order, so that nothing is read in vain. What was read
    /// of the key is wiped.
    pub fn resolve(
        given: &Given,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        let key_id = resolve_key_id(given, environment)?;
        let level = resolve_level(given, environment)?;
        let Found { value: bytes, origin: key_origin } = match &given.key {
            Some(source) => source.read(stdin)?,
            None => key_source::from_environment(&KEY_NAMES, environment)?,
        };
        let key = Key::new(&bytes).map_err(|error| SettingsError::Key {
            origin: key_origin.clone(),
            problem: KeyProblem::Malformed(error),
        })?;
        let signer = Signer::new(key_id.value, level.value, key);
        Ok(Self { key_id, level, key_origin, signer })
    }
}

/// Says which key it is and where it came from, and nothing of the key.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key_id", &self.key_id)
            .field("level", &self.level)
            .field("key_origin", &self.key_origin)
            .finish_non_exhaustive()
    }
}

/// Finds where the tenant's API is.
pub fn resolve_address(
    given: &Given,
    environment: &Environment<'_>,
) -> Result<Found<Address>, SettingsError> {
    let parse = if given.on_premises { Address::parse_on_premises } else { Address::parse };
    let read = |found: Found<String>| match parse(&found.value) {
        Ok(value) => Ok(Found { value, origin: found.origin }),
        Err(error) => Err(SettingsError::Address { origin: found.origin, error }),
    };
    if let Some(fqdn) = &given.fqdn {
        return read(Found { value: fqdn.clone(), origin: Origin::Argument("--fqdn") });
    }
    let [fqdn, api_url, terraform] = ADDRESS_NAMES;
    // Two names for one thing may both be set, as long as they agree.
    let ours = [variable(fqdn, environment)?, variable(api_url, environment)?];
    match ours {
        [Some(fqdn), Some(api_url)] => {
            let (fqdn, api_url) = (read(fqdn)?, read(api_url)?);
            if fqdn.value == api_url.value {
                Ok(fqdn)
            } else {
                Err(SettingsError::Disagree { one: fqdn.origin, other: api_url.origin })
            }
        }
        [Some(one), None] | [None, Some(one)] => read(one),
        [None, None] => match variable(terraform, environment)? {
            Some(found) => read(found),
            None => Err(SettingsError::NoAddress),
        },
    }
}

fn resolve_key_id(
    given: &Given,
    environment: &Environment<'_>,
) -> Result<Found<KeyId>, SettingsError> {
    let found = match &given.key_id {
        Some(id) => Some(Found { value: id.clone(), origin: Origin::Argument("--key-id") }),
        None => first_variable(&KEY_ID_NAMES, environment)?,
    };
    let Found { value, origin } = found.ok_or(SettingsError::NoKeyId)?;
    match value.parse() {
        Ok(value) => Ok(Found { value, origin }),
        Err(error) => Err(SettingsError::KeyId { origin, error }),
    }
}

fn resolve_level(
    given: &Given,
    environment: &Environment<'_>,
) -> Result<Found<Level>, SettingsError> {
    if let Some(value) = given.level {
        return Ok(Found { value, origin: Origin::Argument("--level") });
    }
    let found = first_variable(&LEVEL_NAMES, environment)?;
    let Found { value, origin } = found.ok_or(SettingsError::NoLevel)?;
    // The console writes Standard and Advanced.
    match value.to_ascii_lowercase().parse() {
        Ok(value) => Ok(Found { value, origin }),
        Err(_) => Err(SettingsError::Level { origin }),
    }
}

fn first_variable(
    names: &[&'static str],
    environment: &Environment<'_>,
) -> Result<Option<Found<String>>, SettingsError> {
    for name in names {
        if let Some(found) = variable(name, environment)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn variable(
    name: &'static str,
    environment: &Environment<'_>,
) -> Result<Option<Found<String>>, SettingsError> {
    let Some(value) = environment(name) else { return Ok(None) };
    let origin = Origin::Environment(name);
    match value.into_string() {
        Ok(value) if value.is_empty() => Err(SettingsError::Empty { origin }),
        Ok(value) => Ok(Some(Found { value, origin })),
        Err(_) => Err(SettingsError::NotText { origin }),
    }
}

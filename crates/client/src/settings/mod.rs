//! Resolves the settings of a call: arguments first, then cortexkey's environment variables, then
//! the user's profile, then the Terraform provider's variables. A profile that the user selects
//! comes before all variables.
//!
//! Nothing is guessed. An empty setting is an error, not a missing one. The security level is never
//! derived from a key's length, since keys of both levels are equally long. A key is sent only to
//! the tenant of its own profile or variables. Errors repeat no value, because users mix variables
//! up and a value may be a key.

mod config;
mod error;
mod explain;
mod key_source;
mod layers;
mod origin;
mod secret;
mod target;
mod tool;

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use core::fmt;
use core::time::Duration;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use zeroize::Zeroizing;

use crate::folders::{FolderKind, folder};
use crate::process::Program;
use crate::sink::{Sink, StoreSink};
use crate::store::{SecretMetadata, StoreSettings, StoredSecret};
use crate::transport::{ChildTenant, Client, ClientOptions, Roots};
use layers::{KeyPlace, Setting, SettingLayers};

pub use config::{Config, ConfigProblem, Profile, RETRIES_MAX, TIMEOUT_MS_MAX};

pub use error::SettingsError;
pub use explain::{Explained, explain};
pub use key_source::{KEY_SOURCE_BYTES_MAX, KeyProblem, KeySource};
pub use origin::{Resolved, SettingOrigin};
pub use secret::SecretError;
pub use target::{Channel, Mail, MailTls, NoticeTarget, SecretSource, WebhookUrl};
pub use tool::{Tool, ToolError, ToolKey, Variable};

/// Looks up an environment variable; `std::env::var_os`, or a table in tests.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Settings given as arguments; `None` falls through to the next source.
#[derive(Debug, Default)]
pub struct ExplicitSettings {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--fqdn`: the tenant, in any form that people paste.
    pub fqdn: Option<String>,
    /// Whether the tenant is on premises: its host is used unchanged, without `api-`.
    pub on_premises: bool,
    /// `--key-id`.
    pub key_id: Option<String>,
    /// `--level`.
    pub level: Option<Level>,
    /// `--key-file` or `--key-stdin`.
    pub key: Option<KeySource>,
    /// `--child-tenant`.
    pub child_tenant: Option<String>,
    /// `--timeout-ms`.
    pub timeout: Option<Duration>,
    /// `--retries`.
    pub retries: Option<u32>,
    /// `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// Receives the key as read, for a front end that masks it in its output.
    pub on_key: Option<fn(&[u8])>,
}

impl ExplicitSettings {
    fn seen(&self, key: &[u8]) {
        if let Some(on_key) = self.on_key {
            on_key(key);
        }
    }
}

/// Everything that a call needs: the address, the credentials and the options.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connection {
    /// The address of the tenant's API.
    pub address: Resolved<Address>,
    /// The credentials that sign.
    pub credentials: Credentials,
    /// The profile in force.
    pub profile: Option<String>,
    /// The policy's name for the tenant, if the profile sets it.
    pub tenant: Option<String>,
    /// The child tenants that the profile names.
    pub children: Vec<String>,
    /// The profile's sink for new keys.
    pub new_keys: NewKeys,
    /// The file with the certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The options of calls.
    pub options: ClientOptions,
    /// The profile's own tools for `cortexkey exec`.
    pub tools: Vec<Tool>,
}

/// A profile's sink for new keys.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NewKeys {
    /// `sink_command`.
    pub command: Option<Program>,
    /// `sink_exists_command`.
    pub exists: Option<Program>,
    /// `sink_folder`.
    pub folder: Option<PathBuf>,
    /// `sink_store`.
    pub store: Option<StoreSink>,
}

impl NewKeys {
    /// The sink, if the profile sets one.
    pub fn sink(&self) -> Option<Sink> {
        match (&self.command, &self.exists) {
            (Some(command), Some(exists)) => {
                Some(Sink::Guarded { command: command.clone(), exists: exists.clone() })
            }
            (Some(command), None) => Some(Sink::Command(command.clone())),
            (None, _) => {
                let store = || self.store.clone().map(Sink::Store);
                self.folder.clone().map(Sink::Folder).or_else(store)
            }
        }
    }
}

impl Connection {
    /// Resolves address and credentials. Standard input is read only if it is the key's source, and
    /// a program is run only if the profile names one for its key.
    pub fn resolve(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        Self::resolve_with_key(given, environment, stdin).map(|(connection, _)| connection)
    }

    fn of(
        layers: &SettingLayers<'_>,
        stdin: &mut dyn Read,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), SettingsError> {
        let (layer, address) = layers.address()?;
        if let Ok((key_layer, _, origin)) = layers.key() {
            layers.check_together(&(layer, address.clone()), (key_layer, &origin))?;
        }
        let profile = layers.profile();
        let of_tenant = layers.profile_of_tenant(layer).map(|(_, profile)| profile);
        let options = options(layers, layer)?;
        let (credentials, key, facts) = Credentials::read(layers, stdin)?;
        check_host(&facts, &address, &credentials.key_origin)?;
        let connection = Self {
            options,
            ca_file: layers.ca_file(layer).map(|found| found.value),
            address,
            profile: layers.profile.as_ref().map(|found| found.value.clone()),
            tenant: of_tenant.and_then(|profile| profile.tenant.clone()),
            children: of_tenant.map_or_else(Vec::new, |profile| profile.children.clone()),
            new_keys: profile.map_or_else(NewKeys::default, |(_, profile)| NewKeys {
                command: profile.sink_command.clone(),
                exists: profile.sink_exists_command.clone(),
                folder: profile.sink_folder.clone(),
                store: profile.sink_store.as_deref().and_then(|template| {
                    // The configuration was checked when it was read.
                    StoreSink::new(template, StoreSettings::from_env(layers.environment)).ok()
                }),
            }),
            credentials,
            tools: profile.map_or_else(Vec::new, |(_, profile)| profile.tools.clone()),
        };
        Ok((connection, key))
    }

    /// Like [`resolve`](Self::resolve), with the key itself, for a program that signs requests.
    pub fn resolve_with_key(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), SettingsError> {
        let layers = SettingLayers::load(given, environment)?;
        Self::of(&layers, stdin)
    }

    /// A client with these settings.
    pub fn client(self) -> Client {
        Client::new(self.address.value, self.credentials.signer, self.options)
    }
}

/// Credentials, ready to sign. `Debug` does not show the key.
pub struct Credentials {
    /// The key's id.
    pub key_id: Resolved<KeyId>,
    /// The key's security level.
    pub level: Resolved<Level>,
    /// Where the key came from.
    pub key_origin: SettingOrigin,
    /// Signs with the key.
    pub signer: Signer,
}

impl Credentials {
    /// Resolves key id, level and key in this order, so that no key is read unnecessarily. Buffers with
    /// the key are wiped.
    pub fn resolve(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        Self::read(&SettingLayers::load(given, environment)?, stdin)
            .map(|(credentials, ..)| credentials)
    }

    fn read(
        layers: &SettingLayers<'_>,
        stdin: &mut dyn Read,
    ) -> Result<(Self, Zeroizing<Vec<u8>>, SecretMetadata), SettingsError> {
        // A store may contain the id and the level with the key.
        let may_tell = matches!(layers.key(), Ok((_, _, SettingOrigin::Store(_))));
        if !may_tell {
            layers.key_id()?;
            layers.level()?;
        }
        let (_, place, origin) = layers.key()?;
        let read = match place {
            KeyPlace::Source(source) => source.read(layers.environment, stdin),
            KeyPlace::Profile(profile) => key_source::of_profile(profile, layers.environment),
            KeyPlace::Variable(name) => key_source::of_variable(name, layers.environment),
        };
        let failed = |problem| match (problem, &origin) {
            (KeyProblem::Empty, SettingOrigin::Environment(_)) => {
                SettingsError::Empty { origin: origin.clone() }
            }
            (problem, _) => SettingsError::Key { origin: origin.clone(), problem },
        };
        let StoredSecret { key: bytes, facts } = read.map_err(failed)?;
        layers.given.seen(&bytes);
        let key_id = key_id_with(layers, &facts, &origin)?;
        let level = level_with(layers, &facts, &origin)?;
        let key = Key::new(&bytes).map_err(|error| failed(KeyProblem::Malformed(error)))?;
        let signer = Signer::new(key_id.value, level.value, key);
        Ok((Self { key_id, level, key_origin: origin, signer }, bytes, facts))
    }
}

/// The key's id. An id in the settings must match the id stored with the key, because a rotation
/// changes the stored id.
fn key_id_with(
    layers: &SettingLayers<'_>,
    facts: &SecretMetadata,
    key: &SettingOrigin,
) -> Result<Resolved<KeyId>, SettingsError> {
    let stored = facts.id.and_then(KeyId::new);
    match (layers.key_id(), stored) {
        (Err(SettingsError::NoKeyId), Some(id)) => Ok(Resolved { value: id, origin: key.clone() }),
        (Ok(found), Some(id)) if found.value != id => Err(SettingsError::StoredApart {
            key: key.clone(),
            stored: format!("key {id}"),
            other: found.origin,
        }),
        (found, _) => found,
    }
}

/// Resolves the level.
fn level_with(
    layers: &SettingLayers<'_>,
    facts: &SecretMetadata,
    key: &SettingOrigin,
) -> Result<Resolved<Level>, SettingsError> {
    match (layers.level(), facts.level) {
        (Err(SettingsError::NoLevel), Some(level)) => {
            Ok(Resolved { value: level, origin: key.clone() })
        }
        (Ok(found), Some(level)) if found.value != level => Err(SettingsError::StoredApart {
            key: key.clone(),
            stored: format!("a key of the level {level}"),
            other: found.origin,
        }),
        (found, _) => found,
    }
}

/// A stored key may be sent only to the tenant stored with it. For a child tenant's key, the stored
/// address is the parent's, and the key is not sent there.
fn check_host(
    facts: &SecretMetadata,
    address: &Resolved<Address>,
    key: &SettingOrigin,
) -> Result<(), SettingsError> {
    let Some(stored) = &facts.host else { return Ok(()) };
    let address_text = address.value.to_string();
    let host = address_text.split_once("://").map_or(address_text.as_str(), |(_, host)| host);
    let fits = match stored.split_once('@') {
        Some((parent, _)) => parent != host,
        None => stored == host,
    };
    if fits {
        return Ok(());
    }
    Err(SettingsError::StoredApart {
        key: key.clone(),
        stored: "a key of another tenant".to_owned(),
        other: address.origin.clone(),
    })
}

/// Shows the key's id, its level and its source, but not the key.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key_id", &self.key_id)
            .field("level", &self.level)
            .field("key_origin", &self.key_origin)
            .finish_non_exhaustive()
    }
}

/// Resolves the address of the tenant's API.
pub fn resolve_address(
    given: &ExplicitSettings,
    environment: &Environment<'_>,
) -> Result<Resolved<Address>, SettingsError> {
    SettingLayers::load(given, environment)?.address().map(|(_, found)| found)
}

/// The settings for a key, without the key; `None` if not set.
#[derive(Default)]
pub(crate) struct KnownSettings {
    pub(crate) address: Option<Address>,
    pub(crate) key_id: Option<KeyId>,
    pub(crate) level: Option<Level>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// The settings for a key. An invalid setting is an error.
pub(crate) fn known(
    given: &ExplicitSettings,
    environment: &Environment<'_>,
) -> Result<KnownSettings, SettingsError> {
    let layers = SettingLayers::load(given, environment)?;
    let mut known = KnownSettings::default();
    let tenant = match layers.address() {
        Ok((layer, found)) => {
            known.address = Some(found.value);
            layer
        }
        // A profile's certificates apply only to its own tenant.
        Err(SettingsError::NoAddress) => layers::SettingLayer::Arguments,
        Err(error) => return Err(error),
    };
    // They are read here too, so that no example names a file without a certificate.
    roots(&layers, tenant)?;
    known.ca_file = layers.ca_file(tenant).map(|found| found.value);
    match layers.key_id() {
        Ok(found) => known.key_id = Some(found.value),
        Err(SettingsError::NoKeyId) => {}
        Err(error) => return Err(error),
    }
    match layers.level() {
        Ok(found) => known.level = Some(found.value),
        Err(SettingsError::NoLevel) => {}
        Err(error) => return Err(error),
    }
    Ok(known)
}

/// The folder for state that is kept between runs, such as a rotation in its grace period.
pub fn state_folder(environment: &Environment<'_>) -> Option<PathBuf> {
    folder(environment, FolderKind::State)
}

/// Each setting by itself, for diagnosing incomplete settings.
pub(crate) struct PartialSettings {
    pub(crate) address: Result<Resolved<Address>, SettingsError>,
    pub(crate) options: Result<ClientOptions, SettingsError>,
    pub(crate) key_id: Result<Resolved<KeyId>, SettingsError>,
    pub(crate) level: Result<Resolved<Level>, SettingsError>,
    /// The key as stored, with everything around it.
    pub(crate) key: Result<Resolved<Zeroizing<Vec<u8>>>, SettingsError>,
}

impl PartialSettings {
    pub(crate) fn resolve(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        let layers = SettingLayers::load(given, environment)?;
        let address = layers.address();
        let together = match (&address, layers.key()) {
            (Ok(address), Ok((layer, _, origin))) => {
                layers.check_together(address, (layer, &origin))
            }
            _ => Ok(()),
        };
        let options = match &address {
            Ok((layer, _)) => options(&layers, *layer),
            Err(_) => Ok(ClientOptions::default()),
        };
        let key = together.and_then(|()| layers.key()).and_then(|(_, place, origin)| {
            let read = match place {
                KeyPlace::Source(source) => source.read_raw(environment, stdin),
                KeyPlace::Profile(profile) => key_source::raw_of_profile(profile, environment),
                KeyPlace::Variable(name) => {
                    Ok(key_source::alone(key_source::raw_of_variable(name, environment)))
                }
            };
            match read {
                Ok(value) => {
                    given.seen(&value.key);
                    Ok(Resolved { value, origin })
                }
                Err(problem) => Err(SettingsError::Key { origin, problem }),
            }
        });
        let nothing = (SecretMetadata::default(), SettingOrigin::Default);
        let stored = key.as_ref().map(|found| (found.value.facts.clone(), found.origin.clone()));
        let (facts, origin) = stored.unwrap_or(nothing);
        let address = address.map(|(_, found)| found);
        let apart = match &address {
            Ok(address) => check_host(&facts, address, &origin),
            Err(_) => Ok(()),
        };
        Ok(Self {
            address,
            options,
            key_id: key_id_with(&layers, &facts, &origin),
            level: level_with(&layers, &facts, &origin),
            key: apart.and_then(|()| {
                key.map(|found| Resolved { value: found.value.key, origin: found.origin })
            }),
        })
    }
}

/// A key as stored, for analysing requests that another client signed.
pub struct RawKey {
    /// The key with everything around it; `None` if none is set.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// Its level, if it is set.
    pub level: Option<Level>,
}

impl RawKey {
    /// Finds a key and its level; an error if a key is set but cannot be read.
    pub fn resolve(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<Self, SettingsError> {
        let pieces = PartialSettings::resolve(given, environment, stdin)?;
        let key = match pieces.key {
            Ok(found) => Some(found.value),
            Err(SettingsError::NoKey) => None,
            Err(error) => return Err(error),
        };
        let level = match pieces.level {
            Ok(found) => Some(found.value),
            Err(SettingsError::NoLevel) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { key, level })
    }
}

/// Does not show the key.
impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawKey").field("level", &self.level).finish_non_exhaustive()
    }
}

fn options(
    layers: &SettingLayers<'_>,
    address: layers::SettingLayer,
) -> Result<ClientOptions, SettingsError> {
    let profile = layers.profile().map(|(_, profile)| profile);
    let mut options = ClientOptions::default();
    let timeout = layers.given.timeout.or(profile.and_then(|profile| profile.timeout));
    options.timeout = timeout.unwrap_or(options.timeout);
    let retries = layers.given.retries.or(profile.and_then(|profile| profile.retries));
    options.retry.retries = retries.unwrap_or(options.retry.retries);
    options.child_tenant = child_tenant(layers, address)?;
    let of_tenant = layers.profile_of_tenant(address).map(|(_, profile)| profile);
    options.roles_by = of_tenant.and_then(|profile| profile.roles_by).unwrap_or_default();
    options.roots = roots(layers, address)?;
    Ok(options)
}

fn child_tenant(
    layers: &SettingLayers<'_>,
    address: layers::SettingLayer,
) -> Result<Option<ChildTenant>, SettingsError> {
    let given = layers.text(Setting::ChildTenant, layers::SettingLayer::Arguments)?;
    let found = match given {
        Some(found) => Some(found),
        None if layers.profile_of_tenant(address).is_some() => {
            layers.text(Setting::ChildTenant, layers::SettingLayer::Profile)?
        }
        None => None,
    };
    let Some(Resolved { value, origin }) = found else { return Ok(None) };
    match ChildTenant::new(&value) {
        Some(child) => Ok(Some(child)),
        None => Err(SettingsError::ChildTenant { origin }),
    }
}

fn roots(
    layers: &SettingLayers<'_>,
    address: layers::SettingLayer,
) -> Result<Option<Roots>, SettingsError> {
    let Some(Resolved { value: path, origin }) = layers.ca_file(address) else { return Ok(None) };
    match Roots::from_file(&path) {
        Ok(roots) => Ok(Some(roots)),
        Err(problem) => Err(SettingsError::Roots { origin, path, problem }),
    }
}

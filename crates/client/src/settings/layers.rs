//! [`SettingLayers`]: the sources of settings and their order.

use std::path::PathBuf;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{KeyId, Level};

use crate::process::Program;

use super::{
    Config, Environment, ExplicitSettings, Profile, Resolved, SettingOrigin, SettingsError,
};

/// A source of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettingLayer {
    /// Arguments.
    Arguments,
    /// Our environment variables.
    Ours,
    /// A profile.
    Profile,
    /// The environment variables of the vendor's Terraform provider.
    Provider,
}

/// The settings that are text at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Address,
    KeyId,
    Level,
    ChildTenant,
}

pub(super) const KEY_NAMES: [(SettingLayer, &str); 2] =
    [(SettingLayer::Ours, "CORTEXKEY_API_KEY"), (SettingLayer::Provider, "CORTEXCLOUD_API_KEY")];
const API_URL: &str = "CORTEXKEY_API_URL";
/// The name in versions of the provider before 1.0.3.
const PROVIDER_FQDN: &str = "CORTEXCLOUD_FQDN";
const PROFILE: &str = "CORTEXKEY_PROFILE";

impl Setting {
    const fn argument(self) -> &'static str {
        match self {
            Self::Address => "--fqdn",
            Self::KeyId => "--key-id",
            Self::Level => "--level",
            Self::ChildTenant => "--child-tenant",
        }
    }

    const fn ours(self) -> Option<&'static str> {
        match self {
            Self::Address => Some("CORTEXKEY_FQDN"),
            Self::KeyId => Some("CORTEXKEY_API_KEY_ID"),
            Self::Level => Some("CORTEXKEY_API_KEY_TYPE"),
            Self::ChildTenant => None,
        }
    }

    const fn provider(self) -> Option<&'static str> {
        match self {
            Self::Address => Some("CORTEXCLOUD_API_URL"),
            Self::KeyId => Some("CORTEXCLOUD_API_KEY_ID"),
            Self::Level => Some("CORTEXCLOUD_API_KEY_TYPE"),
            Self::ChildTenant => None,
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::Address => "fqdn",
            Self::KeyId => "key_id",
            Self::Level => "level",
            Self::ChildTenant => "child_tenant",
        }
    }
}

/// All sources of settings.
pub(super) struct SettingLayers<'a> {
    pub(super) given: &'a ExplicitSettings,
    pub(super) environment: &'a Environment<'a>,
    pub(super) config: Config,
    /// The profile in force.
    pub(super) profile: Option<Resolved<String>>,
    /// The default profile, if it is not used because another source sets the tenant.
    pub(super) unused_default: Option<String>,
}

/// Where the key is read from.
pub(super) enum KeyPlace<'a> {
    Source(&'a super::KeySource),
    Profile(&'a Profile),
    Variable(&'static str),
}

impl<'a> SettingLayers<'a> {
    pub(super) fn load(
        given: &'a ExplicitSettings,
        environment: &'a Environment<'a>,
    ) -> Result<Self, SettingsError> {
        let config = Config::load(environment)
            .map_err(|(path, problem)| SettingsError::Config { path, problem })?;
        let mut layers = Self { given, environment, config, profile: None, unused_default: None };
        layers.choose()?;
        Ok(layers)
    }

    /// The selected profile; otherwise the default one, unless another source sets the tenant.
    fn choose(&mut self) -> Result<(), SettingsError> {
        let asked = match &self.given.profile {
            Some(name) => {
                Some(Resolved { value: name.clone(), origin: SettingOrigin::Argument("--profile") })
            }
            None => variable(PROFILE, self.environment)?,
        };
        let chosen = if asked.is_some() {
            asked
        } else {
            let Some(value) = self.config.default_profile.clone() else { return Ok(()) };
            if self.names_tenant() {
                self.unused_default = Some(value);
                return Ok(());
            }
            Some(Resolved { value, origin: SettingOrigin::Config("default_profile") })
        };
        if let Some(Resolved { value, origin }) = &chosen
            && !self.config.profiles.contains_key(value)
        {
            return Err(SettingsError::NoProfile {
                origin: origin.clone(),
                path: self.config.path.clone(),
                known: self.config.profiles.keys().cloned().collect(),
            });
        }
        self.profile = chosen;
        Ok(())
    }

    fn names_tenant(&self) -> bool {
        let is_set = |name: Option<&str>| name.is_some_and(|n| (self.environment)(n).is_some());
        self.given.fqdn.is_some() || is_set(Setting::Address.ours()) || is_set(Some(API_URL))
    }

    /// The profile in force, by its name.
    pub(super) fn profile(&self) -> Option<(&str, &Profile)> {
        let name = &self.profile.as_ref()?.value;
        Some((name, self.config.profiles.get(name)?))
    }

    /// The order: a profile that the user selected comes before variables, which may be left over
    /// from something else.
    pub(super) fn order(&self) -> [SettingLayer; 4] {
        use SettingLayer::{Arguments, Ours, Profile, Provider};
        if self.given.profile.is_some() {
            [Arguments, Profile, Ours, Provider]
        } else {
            [Arguments, Ours, Profile, Provider]
        }
    }

    /// A layer's value, as text.
    pub(super) fn text(
        &self,
        setting: Setting,
        layer: SettingLayer,
    ) -> Result<Option<Resolved<String>>, SettingsError> {
        match layer {
            SettingLayer::Arguments => {
                let given = self.given;
                let value = match setting {
                    Setting::Address => given.fqdn.clone(),
                    Setting::KeyId => given.key_id.clone(),
                    Setting::Level => given.level.map(|level| level.to_string()),
                    Setting::ChildTenant => given.child_tenant.clone(),
                };
                let origin = SettingOrigin::Argument(setting.argument());
                Ok(value.map(|value| Resolved { value, origin }))
            }
            SettingLayer::Ours => match setting.ours() {
                Some(name) => variable(name, self.environment),
                None => Ok(None),
            },
            SettingLayer::Provider => match setting.provider() {
                Some(name) => variable(name, self.environment),
                None => Ok(None),
            },
            SettingLayer::Profile => {
                let Some((name, profile)) = self.profile() else { return Ok(None) };
                let value = match setting {
                    Setting::Address => &profile.fqdn,
                    Setting::KeyId => &profile.key_id,
                    Setting::Level => &profile.level,
                    Setting::ChildTenant => &profile.child_tenant,
                };
                let origin =
                    SettingOrigin::Profile { name: name.to_owned(), field: setting.field() };
                Ok(value.clone().map(|value| Resolved { value, origin }))
            }
        }
    }

    /// The first layer that sets it.
    fn first(&self, setting: Setting) -> Result<Option<Resolved<String>>, SettingsError> {
        for layer in self.order() {
            if let Some(found) = self.text(setting, layer)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) fn key_id(&self) -> Result<Resolved<KeyId>, SettingsError> {
        let found = self.first(Setting::KeyId)?.ok_or(SettingsError::NoKeyId)?;
        let Resolved { value, origin } = found;
        match value.parse() {
            Ok(value) => Ok(Resolved { value, origin }),
            Err(error) => Err(SettingsError::KeyId { origin, error }),
        }
    }

    pub(super) fn level(&self) -> Result<Resolved<Level>, SettingsError> {
        let Resolved { value, origin } =
            self.first(Setting::Level)?.ok_or(SettingsError::NoLevel)?;
        // The console writes Standard and Advanced.
        match value.to_ascii_lowercase().parse() {
            Ok(value) => Ok(Resolved { value, origin }),
            Err(_) => Err(SettingsError::Level { origin }),
        }
    }

    /// A layer's address of the tenant.
    pub(super) fn address_of(
        &self,
        layer: SettingLayer,
    ) -> Result<Option<Resolved<Address>>, SettingsError> {
        let found = self.text(Setting::Address, layer)?;
        let one = found.map(|found| self.parse(found, layer)).transpose()?;
        // Both names of a setting may be used if they agree.
        let other = match layer {
            SettingLayer::Ours => variable(API_URL, self.environment)?,
            SettingLayer::Provider => variable(PROVIDER_FQDN, self.environment)?,
            SettingLayer::Arguments | SettingLayer::Profile => None,
        };
        let other = other.map(|found| self.parse(found, layer)).transpose()?;
        match (one, other) {
            (Some(one), Some(other)) if one.value != other.value => {
                Err(SettingsError::Disagree { one: one.origin, other: other.origin })
            }
            (one, other) => Ok(one.or(other)),
        }
    }

    fn parse(
        &self,
        found: Resolved<String>,
        layer: SettingLayer,
    ) -> Result<Resolved<Address>, SettingsError> {
        let of_profile = layer == SettingLayer::Profile
            && self.profile().and_then(|(_, profile)| profile.on_premises) == Some(true);
        let parse = if self.given.on_premises || of_profile {
            Address::parse_on_premises
        } else {
            Address::parse
        };
        match parse(&found.value) {
            Ok(value) => Ok(Resolved { value, origin: found.origin }),
            Err(error) => Err(SettingsError::Address { origin: found.origin, error }),
        }
    }

    pub(super) fn address(&self) -> Result<(SettingLayer, Resolved<Address>), SettingsError> {
        for layer in self.order() {
            if let Some(found) = self.address_of(layer)? {
                return Ok((layer, found));
            }
        }
        Err(SettingsError::NoAddress)
    }

    /// Where a layer's key is, if it has one.
    pub(super) fn key_of(&self, layer: SettingLayer) -> Option<(KeyPlace<'_>, SettingOrigin)> {
        match layer {
            SettingLayer::Arguments => {
                let source = self.given.key.as_ref()?;
                Some((KeyPlace::Source(source), source.origin()))
            }
            SettingLayer::Profile => {
                let (name, profile) = self.profile()?;
                let file = profile.key_file.as_ref();
                let command = profile.key_command.as_ref();
                let of_command = |program: &Program| SettingOrigin::KeyCommand {
                    profile: name.to_owned(),
                    program: program.name().to_owned(),
                };
                let of_store =
                    || Some(SettingOrigin::Store(profile.key_store.as_ref()?.to_string()));
                let origin = file.map(|path| SettingOrigin::KeyFile(path.clone()));
                let origin = origin.or_else(|| command.map(of_command)).or_else(of_store)?;
                Some((KeyPlace::Profile(profile), origin))
            }
            SettingLayer::Ours | SettingLayer::Provider => {
                let (_, name) = KEY_NAMES.into_iter().find(|(of, _)| *of == layer)?;
                (self.environment)(name)?;
                Some((KeyPlace::Variable(name), SettingOrigin::Environment(name)))
            }
        }
    }

    pub(super) fn key(&self) -> Result<(SettingLayer, KeyPlace<'_>, SettingOrigin), SettingsError> {
        let found = self
            .order()
            .into_iter()
            .find_map(|layer| self.key_of(layer).map(|(place, origin)| (layer, place, origin)));
        found.ok_or(SettingsError::NoKey)
    }

    /// A key is sent only to the tenant of its own layer, if that names one. A key
    /// from a layer without a tenant is used for the tenant from the arguments, or from a layer without
    /// a key. A key from an argument is used for the resolved tenant.
    pub(super) fn check_together(
        &self,
        (address_layer, address): &(SettingLayer, Resolved<Address>),
        (key_layer, key): (SettingLayer, &SettingOrigin),
    ) -> Result<(), SettingsError> {
        if *address_layer == key_layer || key_layer == SettingLayer::Arguments {
            return Ok(());
        }
        let own = self.address_of(key_layer)?;
        let elsewhere = own.is_some_and(|own| own.value != address.value);
        let is_given = *address_layer == SettingLayer::Arguments;
        let instead = !is_given && self.key_of(*address_layer).is_some();
        if elsewhere || instead {
            let address = address.origin.clone();
            let key = key.clone();
            return Err(SettingsError::Apart { address, key });
        }
        Ok(())
    }

    /// Settings that belong to a tenant apply only if the tenant is the profile's.
    pub(super) fn profile_of_tenant(&self, address: SettingLayer) -> Option<(&str, &Profile)> {
        self.profile().filter(|_| address == SettingLayer::Profile)
    }

    /// Certificates to trust instead of the system's.
    pub(super) fn ca_file(&self, address: SettingLayer) -> Option<Resolved<PathBuf>> {
        if let Some(path) = &self.given.ca_file {
            return Some(Resolved {
                value: path.clone(),
                origin: SettingOrigin::Argument("--ca-file"),
            });
        }
        let (name, profile) = self.profile_of_tenant(address)?;
        let origin = SettingOrigin::Profile { name: name.to_owned(), field: "ca_file" };
        Some(Resolved { value: profile.ca_file.clone()?, origin })
    }
}

pub(super) fn variable(
    name: &'static str,
    environment: &Environment<'_>,
) -> Result<Option<Resolved<String>>, SettingsError> {
    let Some(value) = environment(name) else { return Ok(None) };
    let origin = SettingOrigin::Environment(name);
    match value.into_string() {
        Ok(value) if value.is_empty() => Err(SettingsError::Empty { origin }),
        Ok(value) => Ok(Some(Resolved { value, origin })),
        Err(_) => Err(SettingsError::NotText { origin }),
    }
}

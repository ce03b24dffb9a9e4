//! [`explain`]: every setting, its value, and where it came from.
//!
//! It shows no key, reads no key file and runs no program: it only says where the key would come
//! from.

use cortexkey_system::chain;
use serde::Serialize;

use super::layers::{Setting, SettingLayer, SettingLayers};
use super::{Config, Environment, ExplicitSettings, Resolved, SettingOrigin, SettingsError};
use crate::transport::ClientOptions;

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// The setting's name, such as `key_id`.
    pub setting: &'static str,
    /// Its value, safe to show; `None` if it is not set or is invalid.
    pub value: Option<String>,
    /// Where it came from; `None` if it is not set.
    pub origin: Option<String>,
    /// Other sources that set it and are overridden.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
    /// Why it is invalid, or a note about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Explains every setting. An error if the configuration cannot be read at all.
pub fn explain(
    given: &ExplicitSettings,
    environment: &Environment<'_>,
) -> Result<Vec<Explained>, SettingsError> {
    let layers = SettingLayers::load(given, environment)?;
    let address = layers.address();
    let tenant = address.as_ref().map_or(SettingLayer::Profile, |(layer, _)| *layer);
    let text = |setting| {
        let layers = &layers;
        move |layer| layers.text(setting, layer).ok().flatten().map(|found| found.origin)
    };
    let mut all = vec![
        configuration(&layers),
        profile(&layers),
        entry(&layers, "fqdn", address.map(|(_, found)| shown(found)), |layer| {
            layers.address_of(layer).ok().flatten().map(|found| found.origin)
        }),
        stored(&layers, entry(&layers, "key_id", layers.key_id().map(shown), text(Setting::KeyId))),
        stored(&layers, entry(&layers, "level", layers.level().map(shown), text(Setting::Level))),
        key(&layers, given),
    ];
    let of_profile = layers.profile_of_tenant(tenant);
    let child = given.child_tenant.is_some()
        || of_profile.is_some_and(|(_, profile)| profile.child_tenant.is_some());
    if child {
        let origin = text(Setting::ChildTenant);
        let first = layers.order().into_iter().find_map(&origin).unwrap_or(SettingOrigin::Default);
        let child = super::child_tenant(&layers, tenant);
        let child = child.map(|child| Resolved {
            value: child.map(|child| child.as_str().to_owned()).unwrap_or_default(),
            origin: first,
        });
        all.push(entry(&layers, "child_tenant", child, origin));
    }
    all.push(certificates(&layers, tenant));
    all.extend(of_calls(&layers, given));
    all.extend(of_new_keys(&layers));
    Ok(all)
}

fn shown<T: ToString>(found: Resolved<T>) -> Resolved<String> {
    Resolved { value: found.value.to_string(), origin: found.origin }
}

fn entry(
    layers: &SettingLayers<'_>,
    setting: &'static str,
    found: Result<Resolved<String>, SettingsError>,
    says: impl Fn(SettingLayer) -> Option<SettingOrigin>,
) -> Explained {
    let (found, note) = match found {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(chain(&error))),
    };
    let heard = found.as_ref().map(|found| &found.origin);
    let others = layers.order().into_iter().filter_map(says);
    let overridden = others.filter(|origin| heard.is_some_and(|heard| heard != origin));
    Explained {
        setting,
        overridden: overridden.map(|origin| origin.to_string()).collect(),
        origin: heard.map(SettingOrigin::to_string),
        value: found.map(|found| found.value),
        note,
    }
}

/// A setting that is not set here may be stored beside the key, which is not read.
fn stored(layers: &SettingLayers<'_>, mut entry: Explained) -> Explained {
    if entry.value.is_none()
        && entry.origin.is_none()
        && let Ok((_, _, origin @ SettingOrigin::Store(_))) = layers.key()
    {
        entry.note = Some(format!("read from {origin} with the key"));
    }
    entry
}

fn plain(
    setting: &'static str,
    value: &dyn core::fmt::Display,
    origin: &SettingOrigin,
) -> Explained {
    Explained {
        setting,
        value: Some(value.to_string()),
        origin: Some(origin.to_string()),
        overridden: Vec::new(),
        note: None,
    }
}

fn configuration(layers: &SettingLayers<'_>) -> Explained {
    let place = Config::place(layers.environment);
    let (value, note) = match (&layers.config.path, place) {
        (Some(path), _) => (Some(path.display().to_string()), None),
        (None, Some(place)) => (None, Some(format!("there is no {}", place.display()))),
        (None, None) => (None, Some("neither XDG_CONFIG_HOME nor HOME is set".to_owned())),
    };
    Explained { setting: "configuration", value, origin: None, overridden: Vec::new(), note }
}

fn profile(layers: &SettingLayers<'_>) -> Explained {
    let found = layers.profile.clone();
    let note = layers.unused_default.as_ref().map(|name| {
        format!("the default profile {name} is not used, because the tenant is set elsewhere")
    });
    Explained {
        setting: "profile",
        origin: found.as_ref().map(|found| found.origin.to_string()),
        value: found.map(|found| found.value),
        overridden: Vec::new(),
        note,
    }
}

/// Where a key would come from. Only its existence is checked.
fn key(layers: &SettingLayers<'_>, given: &ExplicitSettings) -> Explained {
    let value = |_: &SettingOrigin| "(not shown)".to_owned();
    let found = layers.key().map(|(_, _, origin)| Resolved { value: value(&origin), origin });
    let says = |layer| layers.key_of(layer).map(|(_, origin)| origin);
    let mut entry = entry(layers, "key", found, says);
    if let (Ok(address), Ok((layer, _, origin))) = (layers.address(), layers.key()) {
        let together = layers.check_together(&address, (layer, &origin));
        entry.note = together.err().map(|error| chain(&error));
    }
    if let Some(super::KeySource::File { path, .. }) = &given.key
        && !path.exists()
    {
        entry.note = Some("there is no such file".to_owned());
    }
    entry
}

fn certificates(layers: &SettingLayers<'_>, tenant: SettingLayer) -> Explained {
    let mut entry = match layers.ca_file(tenant) {
        Some(found) => plain("certificates", &found.value.display(), &found.origin),
        None => plain("certificates", &"the system's", &SettingOrigin::Default),
    };
    entry.note = super::roots(layers, tenant).err().map(|error| chain(&error));
    entry
}

fn of_calls(layers: &SettingLayers<'_>, given: &ExplicitSettings) -> [Explained; 2] {
    let profile = layers.profile();
    let field = |field| match profile {
        Some((name, _)) => SettingOrigin::Profile { name: name.to_owned(), field },
        None => SettingOrigin::Default,
    };
    let default = ClientOptions::default();
    let timeout = match (given.timeout, profile.and_then(|(_, profile)| profile.timeout)) {
        (Some(given), _) => (given, SettingOrigin::Argument("--timeout-ms")),
        (None, Some(timeout)) => (timeout, field("timeout_ms")),
        (None, None) => (default.timeout, SettingOrigin::Default),
    };
    let retries = match (given.retries, profile.and_then(|(_, profile)| profile.retries)) {
        (Some(given), _) => (given, SettingOrigin::Argument("--retries")),
        (None, Some(retries)) => (retries, field("retries")),
        (None, None) => (default.retry.retries, SettingOrigin::Default),
    };
    [
        plain("timeout_ms", &timeout.0.as_millis(), &timeout.1),
        plain("retries", &retries.0, &retries.1),
    ]
}

fn of_new_keys(layers: &SettingLayers<'_>) -> Option<Explained> {
    let (name, profile) = layers.profile()?;
    let origin = |field| SettingOrigin::Profile { name: name.to_owned(), field };
    if let Some(program) = &profile.sink_command {
        return Some(plain("new keys", program, &origin("sink_command")));
    }
    if let Some(store) = &profile.sink_store {
        return Some(plain("new keys", store, &origin("sink_store")));
    }
    let folder = profile.sink_folder.as_ref()?;
    Some(plain("new keys", &folder.display(), &origin("sink_folder")))
}

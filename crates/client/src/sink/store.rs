//! [`StoreSink`]: keys that go into a secret store, at an address that may name the key.

use core::fmt;
use core::str::FromStr;

use cortexkey_api::Secret;
use cortexkey_core::auth::{KeyId, Level};

use super::{KeyInfo, SinkError, is_name};
use crate::store::{Incoming, SecretMetadata, SecretStore, StoreSettings, StoreUrl, StoreUrlError};
use crate::table::one_line;
use crate::time::time_text;

/// Addresses of keys in a secret store: `{name}`, `{key_id}`, `{level}` and `{host}` are replaced.
#[derive(Clone, Debug)]
pub struct StoreSink {
    template: String,
    settings: StoreSettings,
}

/// A place in a store that was checked as far as possible before the key exists.
pub(super) struct PreparedStore(StoreSink);

impl StoreSink {
    /// Checks that the template becomes an address.
    pub fn new(template: &str, settings: StoreSettings) -> Result<Self, StoreUrlError> {
        let sample = KeyInfo {
            name: Some("name".to_owned()),
            host: "host".to_owned(),
            tenant: String::new(),
            replaces: None,
            doubtful: Vec::new(),
            level: Level::Advanced,
            owner: None,
            expires_ms: None,
        };
        StoreUrl::from_str(&sample.fill(template, KeyId::new(1)))?;
        Ok(Self { template: template.to_owned(), settings })
    }

    /// Whether all keys would go to one address.
    pub fn is_one_place(&self) -> bool {
        !self.template.contains("{name}") && !self.template.contains("{key_id}")
    }

    pub(super) fn prepare(&self, info: &KeyInfo) -> Result<PreparedStore, SinkError> {
        if !info.name.as_deref().is_none_or(is_name) {
            return Err(SinkError::Name);
        }
        // Opened in any case, so that a missing program or variable is found before there is a key.
        let store = self.open(info, None)?;
        let is_known = !self.template.contains("{key_id}")
            && (info.name.is_some() || !self.template.contains("{name}"));
        if is_known {
            store.check(&incoming(info)).map_err(|error| failed(&store, error))?;
        }
        Ok(PreparedStore(self.clone()))
    }

    fn open(&self, info: &KeyInfo, id: Option<KeyId>) -> Result<SecretStore, SinkError> {
        // The address has the same form with any id.
        let text = info.fill(&self.template, id.or(KeyId::new(1)));
        let url: StoreUrl = text.parse().map_err(SinkError::StoreUrl)?;
        SecretStore::open(url, &self.settings)
            .map_err(|error| SinkError::Store { url: text, error })
    }
}

impl fmt::Display for StoreSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)
    }
}

impl PreparedStore {
    pub(super) fn deliver(&self, info: &KeyInfo, id: KeyId, key: &Secret) -> Result<(), SinkError> {
        let store = self.0.open(info, Some(id))?;
        let stored = store.put(key.expose(), id, &incoming(info));
        stored.map_err(|error| failed(&store, error))
    }
}

fn failed(store: &SecretStore, error: crate::store::StoreError) -> SinkError {
    SinkError::Store { url: store.to_string(), error }
}

fn incoming(info: &KeyInfo) -> Incoming {
    // The same host with another port or child tenant is another tenant.
    let host = info.tenant.split_once("://").map_or(info.tenant.as_str(), |(_, host)| host);
    let facts = SecretMetadata {
        id: None,
        level: Some(info.level),
        host: Some(host.to_owned()),
        // Some stores keep one line for each fact.
        owner: info.owner.as_deref().map(one_line),
        expires: info.expires_ms.map(time_text),
    };
    Incoming { facts, replaces: info.replaces.into_iter().chain(info.doubtful.clone()).collect() }
}

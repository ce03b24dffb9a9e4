//! [`SecretStore`]: reads and writes keys in an organisation's secret store, by URL.
//!
//! A key is stored with its id, level, host, owner and expiry in one write, and read back before
//! the caller continues. A secret is replaced only by the rotation of the key that it holds. Each
//! store is one [`Backend`]; this module applies these rules to all of them.

mod cloud;
mod content;
mod error;
mod file;
mod keychain;
mod kubernetes;
mod one_password;
mod pass;
mod program;
mod url;
mod vault;

use core::fmt;
use core::time::Duration;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use cortexkey_core::auth::KeyId;
use cortexkey_system::lock_exclusively;

pub use content::{SecretMetadata, StoredSecret};
pub use error::StoreError;
pub use url::{StoreUrl, StoreUrlError};

use content::{Content, Json};
use url::Kind;
pub use vault::VaultSettings;

use crate::folders::{FolderKind, folder};

/// The size of the largest secret that is read, including other fields.
const SECRET_BYTES_MAX: usize = 256 * 1024;
/// The file in the state folder that a run locks while it writes a key.
const LOCK: &str = "stores.lock";
/// How long another run on this machine may take to write a key.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(300);

/// What a store holds at an address.
struct Held {
    content: Content,
    /// What the store needs in order to replace it: a version, or the whole item.
    context: Json,
}

/// One kind of store.
trait Backend {
    /// What is stored there; `None` if nothing is.
    fn read(&self) -> Result<Option<Held>, StoreError>;

    /// Replaces what was read with these fields. Fails if it has changed meanwhile, as far as the
    /// store can tell.
    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError>;

    /// Whether the store itself rejects every write that is based on an outdated read.
    fn detects_changes(&self) -> bool {
        false
    }
}

/// The environment's settings for stores.
#[derive(Clone, Debug, Default)]
pub struct StoreSettings {
    vault: VaultSettings,
    /// The file that a run locks while it writes to a store that cannot detect a change.
    lock: Option<PathBuf>,
}

impl StoreSettings {
    /// Reads the variables that the stores' own tools use.
    pub fn from_env(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let lock = folder(environment, FolderKind::State).map(|folder| folder.join(LOCK));
        Self { vault: VaultSettings::from_env(environment), lock }
    }
}

/// A place for one key in a store.
pub struct SecretStore {
    url: StoreUrl,
    backend: Box<dyn Backend>,
    lock: Option<PathBuf>,
}

/// A key that is about to be stored.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The metadata that is stored with it. Its id is unknown until the key exists.
    pub facts: SecretMetadata,
    /// The ids of the keys that it replaces.
    pub replaces: Vec<u64>,
}

impl SecretStore {
    /// Opens the place without calling the store.
    pub fn open(url: StoreUrl, settings: &StoreSettings) -> Result<Self, StoreError> {
        let backend: Box<dyn Backend> = match url.kind {
            Kind::Vault => Box::new(vault::Vault::open(&url, &settings.vault)?),
            Kind::Aws => Box::new(cloud::Aws::open(&url)?),
            Kind::Azure => Box::new(cloud::Azure::open(&url)?),
            Kind::Gcp => Box::new(cloud::Gcp::open(&url)?),
            Kind::OnePassword => Box::new(one_password::OnePassword::open(&url)?),
            Kind::Kubernetes => Box::new(kubernetes::Kubernetes::open(&url)?),
            Kind::Keychain => keychain::open(&url)?,
            Kind::Pass => Box::new(pass::Pass::open(&url)?),
            Kind::File => Box::new(file::JsonFile::open(&url)),
        };
        let lock = settings.lock.clone().filter(|_| !backend.detects_changes());
        Ok(Self { url, backend, lock })
    }

    /// The key that is stored there.
    pub fn read(&self) -> Result<StoredSecret, StoreError> {
        self.backend.read()?.ok_or(StoreError::Missing)?.content.key(&self.url.field)
    }

    /// Checks that a key may be stored there. Nothing is written.
    pub fn check(&self, incoming: &Incoming) -> Result<(), StoreError> {
        self.free(incoming).map(|_| ())
    }

    /// Stores a key and reads it back.
    pub fn put(&self, key: &str, id: KeyId, incoming: &Incoming) -> Result<(), StoreError> {
        // Two runs that write to one secret would lose the first one's key.
        let _held = self.lock.as_deref().map(hold).transpose()?;
        let previous = self.free(incoming)?;
        let facts = SecretMetadata { id: Some(id.get()), ..incoming.facts.clone() };
        let content = previous.as_ref().map(|held| &held.content);
        let fields = Content::with(content, &self.url.field, key, &facts);
        let written = self.backend.write(&fields, previous.as_ref());
        // The store's contents decide, not its answer: a write that was repeated finds its own
        // change. A write without an answer may still take effect.
        match (self.backend.read(), written) {
            (Ok(Some(held)), _) if held.content.is(&fields) => Ok(()),
            (Ok(held), Err(error))
                if is_same(held.as_ref(), previous.as_ref()) && !error.may_still_write() =>
            {
                Err(error)
            }
            (Ok(_), Err(StoreError::Changed)) => Err(StoreError::Changed),
            (Ok(_), Ok(())) => Err(StoreError::Unknown(Box::new(StoreError::NotKept))),
            (Ok(_), Err(error)) | (Err(error), _) => Err(StoreError::Unknown(Box::new(error))),
        }
    }

    /// What is stored now, if the key may be stored there.
    fn free(&self, incoming: &Incoming) -> Result<Option<Held>, StoreError> {
        let Some(held) = self.backend.read()? else { return Ok(None) };
        let field = &self.url.field;
        if !held.content.has(field) {
            return Ok(Some(match held.content {
                Content::Plain(_) => {
                    Held { content: Content::Fields(Json(serde_json::json!({}))), ..held }
                }
                Content::Fields(_) => held,
            }));
        }
        let facts = held.content.facts(field);
        let taken = |holds: String| Err(StoreError::Taken { holds });
        // An id alone may belong to a key of another tenant.
        let (Some(id), Some(host)) = (facts.id, &facts.host) else {
            return taken(format!("a value without `{field}_id` and `{field}_host`"));
        };
        if Some(host) != incoming.facts.host.as_ref() {
            return taken(format!("key {id} of {}", plain(host)));
        }
        if !incoming.replaces.contains(&id) {
            return taken(format!("key {id}"));
        }
        Ok(Some(held))
    }
}

impl fmt::Display for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// Locks a file until it is dropped, and waits while another run holds it.
fn hold(path: &Path) -> Result<File, StoreError> {
    lock_exclusively(path, LOCK_WAIT_MAX)
        .map_err(|error| StoreError::Lock { path: path.to_owned(), error })
}

/// Whether a store's contents are unchanged.
fn is_same(now: Option<&Held>, before: Option<&Held>) -> bool {
    match (now, before) {
        (None, None) => true,
        (Some(now), Some(before)) => match (&now.content, &before.content) {
            (Content::Fields(now), Content::Fields(before)) => now.0 == before.0,
            (Content::Plain(now), Content::Plain(before)) => now == before,
            _ => false,
        },
        // A secret without a value counts as one without fields.
        (Some(held), None) | (None, Some(held)) => {
            matches!(&held.content, Content::Fields(fields) if fields.0 == serde_json::json!({}))
        }
    }
}

/// A string from a store, made safe for a message.
fn plain(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).take(CHARS_MAX).collect()
}

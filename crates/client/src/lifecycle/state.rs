//! Where unfinished work on keys without a definition is stored between runs.

use std::fs;
use std::path::PathBuf;

use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::FILE_NAME;
use thiserror::Error;

use super::lock_file::{LockFile, LockFileError};
use crate::transport::{ChildTenant, Client};

/// Where unfinished work is stored between runs.
#[derive(Clone, Debug, Default)]
pub struct StatePlaces {
    /// The lock file, for keys with definitions.
    pub lock_file: Option<PathBuf>,
    /// The user's state folder, for keys without definitions; see
    /// [`state_folder`](crate::state_folder).
    pub state_folder: Option<PathBuf>,
}

/// Why the state cannot be stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// No state folder is known.
    #[error("neither XDG_STATE_HOME nor HOME is set, so the state cannot be stored")]
    NoFolder,
    /// The folder cannot be created.
    #[error("cannot create the folder {}", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: std::io::Error,
    },
    /// The file cannot be read or held.
    #[error(transparent)]
    Lock(#[from] LockFileError),
}

impl StatePlaces {
    /// Locks the state file of one tenant and name, so that a run never waits for the run of
    /// another key.
    pub(super) fn hold(&self, client: &Client, name: &str) -> Result<LockFile, StateError> {
        let path = self.folder(client).ok_or(StateError::NoFolder)?.join(name);
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(LockFile::hold(&path.join(FILE_NAME))?),
            Err(error) => Err(StateError::Create { path, error }),
        }
    }

    /// The keys whose rotation delivered this key and is unfinished.
    pub(super) fn unfinished(&self, client: &Client, id: KeyId) -> Vec<KeyId> {
        let Some(entries) = self.folder(client).and_then(|folder| fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let replaced = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let of: KeyId = name.strip_prefix(KEY_PREFIX)?.parse().ok()?;
            // A state that cannot be read is an error of its own rotation.
            let lock = LockFile::read(&entry.path().join(FILE_NAME)).ok()?;
            let has = lock.keys().any(|(_, _, key)| {
                key.id == Some(id) && !key.retiring.is_empty() || key.doubtful.contains(&id)
            });
            (has && of != id).then_some(of)
        });
        replaced.collect()
    }

    /// The folder of a tenant's state files.
    fn folder(&self, client: &Client) -> Option<PathBuf> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let child = client.child().map(|child| format!("@{}", child.as_str())).unwrap_or_default();
        // A port follows a colon, which not every system allows in a file name.
        let tenant = (client.address().to_string() + &child).replace(|c| !is_plain(c), "_");
        Some(self.state_folder.as_ref()?.join(tenant))
    }
}

/// What the name of a state file's folder begins with, before the key's id.
pub(super) const KEY_PREFIX: &str = "key-";

/// The lock file's name for a client's tenant without a policy: its host.
pub(crate) fn tenant_of(client: &Client) -> String {
    LockFile::tenant(client.address().host(), client.child().map(ChildTenant::as_str))
}

//! Where unfinished work on keys without a definition is stored between runs.

use std::path::PathBuf;

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
        let folder = self.state_folder.as_ref().ok_or(StateError::NoFolder)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let child = client.child().map(|child| format!("@{}", child.as_str())).unwrap_or_default();
        // A port follows a colon, which not every system allows in a file name.
        let tenant = (client.address().to_string() + &child).replace(|c| !is_plain(c), "_");
        let path = folder.join(tenant).join(name);
        match std::fs::create_dir_all(&path) {
            Ok(()) => Ok(LockFile::hold(&path.join(FILE_NAME))?),
            Err(error) => Err(StateError::Create { path, error }),
        }
    }
}

/// The lock file's name for a client's tenant without a policy: its host.
pub(crate) fn tenant_of(client: &Client) -> String {
    LockFile::tenant(client.address().host(), client.child().map(ChildTenant::as_str))
}

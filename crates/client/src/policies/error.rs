//! [`PolicyUpdateError`]: why remote policies could not be fetched, verified or written.

use std::io;
use std::path::PathBuf;

use cortexkey_system::WriteError;
use thiserror::Error;

use super::git::GitError;
use super::oci::OciError;

/// The largest number of policies that one policy may extend, directly or not; the linter's limit.
pub(super) const FILES_MAX: usize = 64;

/// Why policies could not be fetched. Nothing was written, unless writing failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyUpdateError {
    /// A policy of this repository cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// A policy has a mistake, so it is unknown what it extends.
    #[error("{what} is not a valid policy: {message}")]
    Invalid {
        /// The file, or its source.
        what: String,
        /// The first mistake.
        message: String,
    },
    /// A remote policy extends a file outside its repository.
    #[error("{what} extends {path}, which is not in its repository")]
    Outside {
        /// Its source.
        what: String,
        /// The path that it names.
        path: String,
    },
    /// A policy of this repository is outside of it, or reached through a link that leads out.
    #[error("{} is outside the repository of the policy", path.display())]
    Leaves {
        /// The file as named.
        path: PathBuf,
    },
    /// A copy, the lock file or a folder above them is a symbolic link, or something else is in a
    /// folder's place.
    #[error(
        "{} is a symbolic link, or not a folder, and copies of policies are never read or written through \
         links\nhelp: remove it",
        path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The policy extends too many files.
    #[error("the policy extends more than {FILES_MAX} files")]
    TooMany,
    /// It could not be fetched from a git repository.
    #[error("cannot fetch {what}")]
    Git {
        /// What was fetched.
        what: String,
        /// The cause.
        #[source]
        error: GitError,
    },
    /// It could not be fetched from a registry.
    #[error("cannot fetch {what}")]
    Oci {
        /// What was fetched.
        what: String,
        /// The cause.
        #[source]
        error: OciError,
    },
    /// A policy that was fetched before now has other bytes.
    #[error(
        "the digest of {what} differs from the lock file, although a commit or digest never \
         changes\nhelp: find out why before you delete the lock file"
    )]
    Changed {
        /// What was fetched.
        what: String,
    },
    /// The lock file cannot be parsed.
    #[error("{} is not a policy lock file\nhelp: restore it, or delete it and run this again", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
    },
    /// A copy or the lock cannot be written.
    #[error(transparent)]
    Write(WriteError),
    /// A folder cannot be created or listed.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// A copy that is no longer used cannot be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The copy or lock.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
}

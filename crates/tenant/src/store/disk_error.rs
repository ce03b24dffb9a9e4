//! [`DiskError`]: why a store's file cannot be used.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The version of the rows' format.
pub(super) const FORMAT: u64 = 1;
/// The environment variable that holds the key that seals the data, as 64 hexadecimal digits.
pub(super) const KEY_VARIABLE: &str = "CORTEXKEY_SEAL_KEY";

/// Why a store's file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// Another tenant uses the folder.
    #[error("another tenant runs on {}; stop it, or give another folder", .0.display())]
    InUse(PathBuf),
    /// The file has another format.
    #[error(
        "the data is of form {0}, and this version reads form {FORMAT}; use the version that \
         wrote it, or another folder"
    )]
    Format(u64),
    /// A row was changed, moved or sealed with another key.
    #[error(
        "the data does not open with this key: it was changed, or sealed with another key; \
         restore both from one backup"
    )]
    Damaged,
    /// The file is cut off or was changed.
    #[error(
        "the data file is cut off or was changed; restore the folder from a backup, or give \
         another one"
    )]
    Broken,
    /// The file is empty.
    #[error(
        "{} is empty, and a data file never is: restore the folder from a backup, or give \
         another one",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file is gone, but the key that seals its data exists.
    #[error(
        "{} is gone, and seal.key is there: restore the folder from a backup, or remove \
         seal.key to start again",
        .0.display()
    )]
    Missing(PathBuf),
    /// Other users can write to the folder.
    #[error(
        "others can write in the data folder; make it yours alone (chmod 700), or give one \
         within it"
    )]
    WritableFolder,
    /// Other users can write to a file.
    #[error("other users can write {}; restrict it to yourself (chmod 600)", .0.display())]
    Writable(PathBuf),
    /// Another user owns the folder or a file of it.
    #[error(
        "{} belongs to another user, who could change it; give a folder that you own",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// The folder or a file of it is a symbolic link.
    #[error(
        "{} is a symbolic link, which is not followed; give the folder itself",
        .0.display()
    )]
    Link(PathBuf),
    /// What should be a file is a folder, a pipe or a device.
    #[error("{} is not a regular file", .0.display())]
    NoFile(PathBuf),
    /// There is data, but not the key that seals it.
    #[error(
        "the data is there, and the key that it is sealed with is not: restore seal.key, or \
         set {KEY_VARIABLE}"
    )]
    NoSealKey,
    /// The sealing key is invalid.
    #[error(
        "the key that seals the data, in seal.key or {KEY_VARIABLE}, is not 64 hexadecimal \
         digits"
    )]
    BadSealKey,
    /// Other users can read the key.
    #[error("other users can read seal.key; restrict it to yourself: chmod 600 seal.key")]
    ReadableSealKey,
    /// The system returned no random bytes.
    #[error("the system returned no random bytes")]
    NoRandom,
    /// The folder cannot be read or written.
    #[error("the data folder cannot be used")]
    Folder(#[from] io::Error),
    /// The file cannot be read or written.
    #[error("the data file cannot be read or written")]
    File(#[source] Box<redb::Error>),
}

impl DiskError {
    /// What to do next, if the message does not say it.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => Some(
                "if the file was changed, restore the folder from a backup, or give another one",
            ),
            _ => None,
        }
    }

    /// Whether the disk, or this user's quota, is full.
    pub(crate) fn is_full(&self) -> bool {
        let error = match self {
            Self::Folder(error) => error,
            Self::File(error) => match &**error {
                redb::Error::Io(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl<E: Into<redb::Error> + DataFileError> From<E> for DiskError {
    fn from(error: E) -> Self {
        Self::File(Box::new(error.into()))
    }
}

/// The errors of the data file; a system error is reported for the folder.
trait DataFileError {}

impl DataFileError for redb::TransactionError {}
impl DataFileError for redb::TableError {}
impl DataFileError for redb::StorageError {}
impl DataFileError for redb::CommitError {}

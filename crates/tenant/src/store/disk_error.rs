//! [`DiskError`]: why a store's file cannot be used.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The version of the rows' format.
pub(super) const FORMAT: u64 = 1;
/// The environment variable that holds the key that seals the data, as 64 hexadecimal digits.
pub(super) const KEY_VARIABLE: &str = "CORTEXKEY_SEAL_KEY";

/// Why a store's file cannot be used. The text ends with the remedy, on a line that begins with
/// `help: `.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// Another tenant uses the folder.
    #[error("another emulator uses {}\nhelp: stop it, or give another folder", .0.display())]
    InUse(PathBuf),
    /// The file has another format.
    #[error(
        "the data has the format {0}, and this version reads the format {FORMAT}\nhelp: use the \
         version that wrote the data, or give another folder"
    )]
    Format(u64),
    /// A row was changed, moved or sealed with another key.
    #[error(
        "the data does not open with this key: it was changed, or sealed with another key\nhelp: \
         restore the data and the key from one backup"
    )]
    Damaged,
    /// The file is cut off or was changed.
    #[error(
        "the data file is cut off or was changed\nhelp: restore the folder from a backup, or give \
         another one"
    )]
    Broken,
    /// The file is empty.
    #[error(
        "{} is empty, and a data file never is\nhelp: restore the folder from a backup, or give \
         another one",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file is gone, but the key that seals its data exists.
    #[error(
        "{} is gone, but seal.key exists\nhelp: restore the folder from a backup, or remove seal.key \
         to start with new keys",
        .0.display()
    )]
    Missing(PathBuf),
    /// Other users can write to the folder.
    #[error(
        "other users can write to the data folder\nhelp: restrict it to yourself (chmod 700), or give \
         a folder within it"
    )]
    WritableFolder,
    /// Other users can write to a file.
    #[error("other users can write to {}\nhelp: restrict it to yourself (chmod 600)", .0.display())]
    Writable(PathBuf),
    /// Another user owns the folder or a file of it.
    #[error(
        "{} belongs to another user, who could change it\nhelp: give a folder that you own",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// The folder or a file of it is a symbolic link.
    #[error(
        "{} is a symbolic link, which is not followed\nhelp: give the folder itself",
        .0.display()
    )]
    Link(PathBuf),
    /// What should be a file is a folder, a pipe or a device.
    #[error("{} is not a regular file\nhelp: remove it, or give another folder", .0.display())]
    NoFile(PathBuf),
    /// There is data, but not the key that seals it.
    #[error(
        "the data exists, but the key that seals it is missing\nhelp: restore seal.key, or set \
         {KEY_VARIABLE}"
    )]
    NoSealKey,
    /// The sealing key is invalid.
    #[error(
        "the key that seals the data is not 64 hexadecimal digits\nhelp: correct seal.key or \
         {KEY_VARIABLE}"
    )]
    BadSealKey,
    /// Other users can read the key.
    #[error("other users can read seal.key\nhelp: restrict it to yourself (chmod 600)")]
    ReadableSealKey,
    /// The system returned no random bytes.
    #[error("the system returned no random bytes")]
    NoRandom,
    /// The folder cannot be read or written.
    #[error("the data folder cannot be used")]
    Folder(#[from] io::Error),
    /// The file cannot be read or written.
    #[error(
        "the data file cannot be read or written\nhelp: if the file was changed, restore the folder from \
         a backup, or give another one"
    )]
    File(#[source] Box<redb::Error>),
}

impl DiskError {
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

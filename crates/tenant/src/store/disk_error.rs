//! [`DiskError`]: why a store's file cannot be used.

use core::fmt;
use std::io;
use std::path::PathBuf;

/// The version of the rows' format.
pub(super) const FORMAT: u64 = 1;
/// The environment variable that holds the key that seals the data, as 64 hexadecimal digits.
pub(super) const KEY_VARIABLE: &str = "CORTEXKEY_SEAL_KEY";

/// Why a store's file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiskError {
    /// Another tenant uses the folder.
    InUse(PathBuf),
    /// The file has another format.
    Format(u64),
    /// A row was changed, moved or sealed with another key.
    Damaged,
    /// The file is cut off or was changed.
    Broken,
    /// The file is empty.
    Empty(PathBuf),
    /// The file is gone, but the key that seals its data exists.
    Missing(PathBuf),
    /// Other users can write to the folder.
    WritableFolder,
    /// Other users can write to a file.
    Writable(PathBuf),
    /// Another user owns the folder or a file of it.
    NotOurs(PathBuf),
    /// The folder or a file of it is a symbolic link.
    Link(PathBuf),
    /// What should be a file is a folder, a pipe or a device.
    NoFile(PathBuf),
    /// There is data, but not the key that seals it.
    NoSealKey,
    /// The sealing key is invalid.
    BadSealKey,
    /// Other users can read the key.
    ReadableSealKey,
    /// The system returned no random bytes.
    NoRandom,
    /// The folder cannot be read or written.
    Folder(io::Error),
    /// The file cannot be read or written.
    File(Box<redb::Error>),
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(folder) => write!(
                f,
                "another tenant runs on {}; stop it, or give another folder",
                folder.display()
            ),
            Self::Format(format) => write!(
                f,
                "the data is of form {format}, and this version reads form {FORMAT}; use the \
                 version that wrote it, or another folder"
            ),
            Self::Damaged => f.write_str(
                "the data does not open with this key: it was changed, or sealed with another \
                 key; restore both from one backup",
            ),
            Self::Broken => f.write_str(
                "the data file is cut off or was changed; restore the folder from a backup, or \
                 give another one",
            ),
            Self::Empty(path) => write!(
                f,
                "{} is empty, and a data file never is: restore the folder from a backup, or give \
                 another one",
                path.display()
            ),
            Self::Missing(path) => write!(
                f,
                "{} is gone, and seal.key is there: restore the folder from a backup, or remove \
                 seal.key to begin anew",
                path.display()
            ),
            Self::WritableFolder => f.write_str(
                "others can write in the data folder; make it yours alone (chmod 700), or give \
                 one within it",
            ),
            Self::Writable(path) => {
                write!(
                    f,
                    "other users can write {}; restrict it to yourself (chmod 600)",
                    path.display()
                )
            }
            Self::NotOurs(path) => write!(
                f,
                "{} belongs to another user, who could change it; give a folder that you own",
                path.display()
            ),
            Self::Link(path) => write!(
                f,
                "{} is a symbolic link, which is not followed; give the folder itself",
                path.display()
            ),
            Self::NoFile(path) => write!(f, "{} is not a regular file", path.display()),
            Self::NoSealKey => write!(
                f,
                "the data is there, and the key that it is sealed with is not: restore seal.key, \
                 or set {KEY_VARIABLE}"
            ),
            Self::BadSealKey => write!(
                f,
                "the key that seals the data, in seal.key or {KEY_VARIABLE}, is not 64 hexadecimal \
                 digits"
            ),
            Self::ReadableSealKey => f.write_str(
                "other users can read seal.key; restrict it to yourself: chmod 600 seal.key",
            ),
            Self::NoRandom => f.write_str("the system returned no random bytes"),
            Self::Folder(error) => write!(f, "the data folder: {error}"),
            Self::File(error) => write!(
                f,
                "the data file: {error}; where it was changed, restore the folder from a backup, \
                 or give another one"
            ),
        }
    }
}

impl core::error::Error for DiskError {}

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

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}

impl<E: Into<redb::Error> + NotIo> From<E> for DiskError {
    fn from(error: E) -> Self {
        Self::File(Box::new(error.into()))
    }
}

/// The errors of the data file; a system error is reported for the folder.
trait NotIo {}

impl NotIo for redb::TransactionError {}
impl NotIo for redb::TableError {}
impl NotIo for redb::StorageError {}
impl NotIo for redb::CommitError {}

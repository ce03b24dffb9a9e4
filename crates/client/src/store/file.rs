//! A file with one JSON object that only its owner can read. It is replaced atomically.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use cortexkey_system::{Links, PendingFile, WriteError, WriteOptions};
use serde_json::Value;
use zeroize::Zeroizing;

use super::content::{Content, Json};
use super::url::StoreUrl;
use super::{Backend, Held, SECRET_BYTES_MAX, StoreError};

/// A file with a JSON object.
pub(super) struct JsonFile {
    path: PathBuf,
}

impl JsonFile {
    pub(super) fn open(url: &StoreUrl) -> Self {
        Self { path: PathBuf::from(format!("/{}", url.path())) }
    }
}

impl Backend for JsonFile {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        // A pipe or device is not opened.
        let file = match cortexkey_system::open(&self.path) {
            Err(error) if error.is_missing() => return Ok(None),
            file => file.map_err(|error| StoreError::Read(error.into()))?,
        };
        check_rights(&file)?;
        let mut text = Zeroizing::new(String::with_capacity(SECRET_BYTES_MAX + 1));
        let mut limited = file.take(SECRET_BYTES_MAX as u64 + 1);
        limited.read_to_string(&mut text).map_err(StoreError::Read)?;
        if text.len() > SECRET_BYTES_MAX {
            return Err(StoreError::TooLarge { limit: SECRET_BYTES_MAX });
        }
        Ok(Some(Held { content: Content::parse(&text)?, context: Json(Value::Null) }))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let text = Zeroizing::new(format!("{:#}\n", fields.0));
        let links = if previous.is_some() { Links::Follow } else { Links::Refuse };
        let pending = PendingFile::begin(&self.path, WriteOptions::new(links).private().durable());
        let pending = pending.map_err(StoreError::Write)?;
        let written = match previous {
            Some(_) => pending.replace(text.as_bytes()),
            None => pending.create(text.as_bytes()),
        };
        match written {
            Err(WriteError::Exists { .. }) => Err(StoreError::Changed),
            written => written.map_err(StoreError::Write),
        }
    }
}

#[cfg(unix)]
fn check_rights(file: &fs::File) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(StoreError::Read)?.mode() & 0o7777;
    let of_group_and_others = mode & 0o077;
    if of_group_and_others == 0 { Ok(()) } else { Err(StoreError::Readable { mode }) }
}

#[cfg(windows)]
fn check_rights(file: &fs::File) -> Result<(), StoreError> {
    use std::io::{Error, ErrorKind};

    let others = cortexkey_system::others_with(file, cortexkey_system::FileAccess::Read);
    match others.map_err(StoreError::Read)? {
        None => Ok(()),
        Some(account) => {
            let reason = format!("{account} can read or change it");
            Err(StoreError::Read(Error::new(ErrorKind::PermissionDenied, reason)))
        }
    }
}

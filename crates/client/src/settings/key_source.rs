//! [`KeySource`]: where a key is read from, besides the environment.
//!
//! Files that others can read, anything but a regular file (so that a pipe cannot block), and more
//! than 4 KiB are errors. The bytes read are wiped.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cortexkey_core::auth::KeyError;
use cortexkey_system::{io_reason, text_with_help};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Environment, Profile, SettingOrigin};
use crate::process::{Program, ProgramError};
use crate::store::{
    SecretMetadata, SecretStore, StoreError, StoreSettings, StoreUrl, StoredSecret,
};

/// The most bytes that are read for a key, which itself has at most 256.
pub const KEY_SOURCE_BYTES_MAX: usize = 4096;

/// The source of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// `--key-file`: a file that contains only the key.
    File {
        /// The file.
        path: PathBuf,
        /// `--allow-readable-key-file`: whether group and others may read it.
        allow_readable: bool,
    },
    /// `--key-store`: a secret store.
    Store(StoreUrl),
    /// `--key-stdin`: standard input, to its end.
    Stdin,
}

/// What is wrong with a key or its source; a phrase that follows the source's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// There is no such file.
    #[error("does not exist\nhelp: correct the path, or save the key there with mode 0600")]
    Missing,
    /// It is a directory.
    #[error("is a directory\nhelp: name the file in it")]
    Directory,
    /// It is a pipe, a device or a socket.
    #[error(
        "is a pipe or a device, not a regular file\nhelp: send the key to standard input with --key-stdin"
    )]
    NotRegular,
    /// Group or others can access it.
    #[error(
        "can be read or changed by group or others (mode {mode:04o})\nhelp: run `chmod 600 {}`, or give \
         --allow-readable-key-file",
        path.display()
    )]
    Readable {
        /// The file's mode.
        mode: u32,
        /// The file, for the hint.
        path: PathBuf,
    },
    /// Another account has rights to it (Windows).
    #[error(
        "can be read or changed by {account}\nhelp: run `icacls \"{}\" /inheritance:r /grant:r \
         \"%USERNAME%:F\"`, or give --allow-readable-key-file",
        path.display()
    )]
    ReadableBy {
        /// The account.
        account: String,
        /// The file, for the hint.
        path: PathBuf,
    },
    /// The system does not allow reading it.
    #[error("cannot be read: {}", io_reason(.0))]
    Io(io::Error),
    /// It is empty.
    #[error("is empty\nhelp: it should contain only the key")]
    Empty,
    /// It is larger than 4 KiB.
    #[error(
        "is larger than {KEY_SOURCE_BYTES_MAX} bytes\nhelp: it should contain only the key, which \
         usually has 128 characters"
    )]
    TooLarge,
    /// It starts with a byte order mark.
    #[error(
        "starts with a byte order mark, as written by some editors and PowerShell\nhelp: save it as plain ASCII"
    )]
    ByteOrderMark,
    /// It has more than one line.
    #[error("has more than one line\nhelp: it should contain only the key, without a line ending")]
    ManyLines,
    /// It is binary data.
    #[error(
        "contains binary data (byte {position})\nhelp: it should contain only the key, as text"
    )]
    Binary {
        /// The position of the first such byte, counted from 1.
        position: usize,
    },
    /// Its contents are not a valid key.
    #[error("does not contain a key: {0}")]
    Malformed(KeyError),
    /// The secret store failed, or does not have the key.
    #[error("{}", text_with_help(.0))]
    Store(StoreError),
    /// The key command failed.
    #[error(transparent)]
    Program(ProgramError),
}

impl KeySource {
    /// Where the key is stored.
    pub(super) fn origin(&self) -> SettingOrigin {
        match self {
            Self::File { path, .. } => SettingOrigin::KeyFile(path.clone()),
            Self::Store(url) => SettingOrigin::Store(url.to_string()),
            Self::Stdin => SettingOrigin::Stdin,
        }
    }

    /// Reads the key's bytes, without the one line ending that may close them.
    pub(super) fn read(
        &self,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<StoredSecret, KeyProblem> {
        without_line_end(self.read_raw(environment, stdin)?)
    }

    /// Like [`read`](Self::read), with all surrounding characters.
    pub(super) fn read_raw(
        &self,
        environment: &Environment<'_>,
        stdin: &mut dyn Read,
    ) -> Result<StoredSecret, KeyProblem> {
        match self {
            Self::File { path, allow_readable } => read_file(path, *allow_readable).map(alone),
            Self::Store(url) => of_store(url, environment),
            Self::Stdin => read_limited(stdin).map(alone),
        }
    }
}

/// Reads the key from the source that a profile names.
pub(super) fn of_profile(
    profile: &Profile,
    environment: &Environment<'_>,
) -> Result<StoredSecret, KeyProblem> {
    without_line_end(raw_of_profile(profile, environment)?)
}

/// Like [`of_profile`], with all surrounding characters.
pub(super) fn raw_of_profile(
    profile: &Profile,
    environment: &Environment<'_>,
) -> Result<StoredSecret, KeyProblem> {
    if let Some(path) = &profile.key_file {
        return read_file(path, false).map(alone);
    }
    if let Some(program) = &profile.key_command {
        return program.read(KEY_SOURCE_BYTES_MAX).map(alone).map_err(KeyProblem::Program);
    }
    profile.key_store.as_ref().map_or(Err(KeyProblem::Empty), |url| of_store(url, environment))
}

/// A key without stored metadata.
pub(super) fn alone(key: Zeroizing<Vec<u8>>) -> StoredSecret {
    StoredSecret { key, facts: SecretMetadata::default() }
}

/// Reads the key from a secret store.
pub(super) fn of_store(
    url: &StoreUrl,
    environment: &Environment<'_>,
) -> Result<StoredSecret, KeyProblem> {
    let store = SecretStore::open(url.clone(), &StoreSettings::from_env(environment));
    store.and_then(|store| store.read()).map_err(KeyProblem::Store)
}

/// Reads the key from a file that only its owner can read.
pub(super) fn of_file(path: &Path) -> Result<StoredSecret, KeyProblem> {
    read_file(path, false).map(alone).and_then(without_line_end)
}

/// Reads the key from what a program prints.
pub(super) fn of_program(program: &Program) -> Result<StoredSecret, KeyProblem> {
    let printed = program.read(KEY_SOURCE_BYTES_MAX).map_err(KeyProblem::Program)?;
    without_line_end(alone(printed))
}

/// Reads the key from a variable.
pub(super) fn of_variable(
    name: &str,
    environment: &Environment<'_>,
) -> Result<StoredSecret, KeyProblem> {
    let value = raw_of_variable(name, environment);
    check_text(&value)?;
    Ok(alone(value))
}

/// Like [`of_variable`], with all surrounding characters.
pub(super) fn raw_of_variable(name: &str, environment: &Environment<'_>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(into_bytes(environment(name).unwrap_or_default()))
}

fn read_file(path: &Path, allow_readable: bool) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    // Opening a device may have side effects, so its kind is checked first.
    check_kind(&std::fs::metadata(path).map_err(io_problem)?)?;
    let mut file = open(path).map_err(io_problem)?;
    // Checked again on the open file, because the path may have changed.
    let metadata = file.metadata().map_err(io_problem)?;
    check_kind(&metadata)?;
    if !allow_readable {
        check_rights(&file, &metadata, path)?;
    }
    read_limited(&mut file)
}

/// Opens a file for reading, without waiting for a pipe that replaced it.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    /// The value on these two architectures; some others differ.
    const O_NONBLOCK: i32 = 0o4000;
    File::options().read(true).custom_flags(O_NONBLOCK).open(path)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn check_kind(metadata: &Metadata) -> Result<(), KeyProblem> {
    if metadata.is_dir() {
        Err(KeyProblem::Directory)
    } else if metadata.is_file() {
        Ok(())
    } else {
        Err(KeyProblem::NotRegular)
    }
}

#[cfg(unix)]
fn check_rights(_: &File, metadata: &Metadata, path: &Path) -> Result<(), KeyProblem> {
    use std::os::unix::fs::MetadataExt;

    let mode = metadata.mode() & 0o7777;
    let of_group_and_others = mode & 0o077;
    if of_group_and_others == 0 {
        Ok(())
    } else {
        Err(KeyProblem::Readable { mode, path: path.to_owned() })
    }
}

#[cfg(windows)]
fn check_rights(file: &File, _: &Metadata, path: &Path) -> Result<(), KeyProblem> {
    match cortexkey_system::others_with(file, cortexkey_system::FileAccess::Read) {
        Ok(None) => Ok(()),
        Ok(Some(account)) => Err(KeyProblem::ReadableBy { account, path: path.to_owned() }),
        Err(error) => Err(KeyProblem::Io(error)),
    }
}

fn read_limited(source: &mut dyn Read) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    // Full capacity from the start: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_SOURCE_BYTES_MAX + 64));
    let limit = KEY_SOURCE_BYTES_MAX as u64 + 1;
    source.take(limit).read_to_end(&mut bytes).map_err(KeyProblem::Io)?;
    if bytes.len() > KEY_SOURCE_BYTES_MAX { Err(KeyProblem::TooLarge) } else { Ok(bytes) }
}

/// Removes exactly one line ending.
fn without_line_end(mut stored: StoredSecret) -> Result<StoredSecret, KeyProblem> {
    let bytes = &mut stored.key;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    check_text(bytes)?;
    Ok(stored)
}

/// Detects mistakes that have a clearer name than an invalid byte.
fn check_text(bytes: &[u8]) -> Result<(), KeyProblem> {
    let is_binary = |byte: &u8| !byte.is_ascii() || (byte.is_ascii_control() && !is_space(*byte));
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    if bytes.is_empty() {
        Err(KeyProblem::Empty)
    } else if marks.iter().any(|mark| bytes.starts_with(mark)) {
        Err(KeyProblem::ByteOrderMark)
    } else if let Some(at) = bytes.iter().position(is_binary) {
        Err(KeyProblem::Binary { position: at + 1 })
    } else if bytes.contains(&b'\n') {
        Err(KeyProblem::ManyLines)
    } else {
        Ok(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r')
}

fn io_problem(error: io::Error) -> KeyProblem {
    match error.kind() {
        io::ErrorKind::NotFound => KeyProblem::Missing,
        _ => KeyProblem::Io(error),
    }
}

#[cfg(unix)]
fn into_bytes(value: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(value)
}

#[cfg(not(unix))]
fn into_bytes(value: OsString) -> Vec<u8> {
    // A value that is not Unicode is not a key either; the replacement characters show it.
    value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned()).into_bytes()
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_pipe_that_came_into_the_files_place_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(cortexkey_system::command("mkfifo").arg(&pipe).status().unwrap().success());
        let (done, opened) = std::sync::mpsc::channel();
        // If the read blocks after all, its thread is abandoned.
        std::thread::spawn(move || {
            let _ = done.send(open(&pipe).and_then(|file| file.metadata()));
        });
        let metadata = opened.recv_timeout(core::time::Duration::from_secs(10)).unwrap().unwrap();
        assert!(matches!(check_kind(&metadata), Err(KeyProblem::NotRegular)));
    }
}

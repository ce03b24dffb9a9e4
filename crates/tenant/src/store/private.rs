//! The data folder and its files: owned by the user who runs the tenant, writable by nobody else, and
//! opened without following a link.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::disk_error::DiskError;

/// What of a file's mode may not be set.
#[derive(Clone, Copy)]
pub(super) enum Others {
    /// Group and others may not write.
    MayRead,
    /// Group and others may do nothing.
    MayNothing,
}

/// Makes a folder that only its owner can look into, where there is none; and checks one that there
/// is: anyone who else may write there could put their own key and keys in it.
pub(super) fn folder(folder: &Path) -> Result<(), DiskError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)?;
    let metadata = std::fs::symlink_metadata(folder)?;
    if metadata.is_symlink() {
        return Err(DiskError::Link(folder.to_owned()));
    }
    check(&metadata, folder, Others::MayRead).map_err(|error| match error {
        DiskError::Writable(_) => DiskError::WritableFolder,
        other => other,
    })
}

/// Opens a file to read and write; `None` where there is none.
pub(super) fn open(path: &Path) -> Result<Option<File>, DiskError> {
    let mut options = OpenOptions::new();
    open_with(path, options.read(true).write(true), Others::MayRead)
}

/// Opens a file to read that nobody else may read; `None` where there is none.
pub(super) fn open_secret(path: &Path) -> Result<Option<File>, DiskError> {
    open_with(path, OpenOptions::new().read(true), Others::MayNothing)
}

/// Makes a file anew, in place of one of that name.
pub(super) fn create(path: &Path) -> Result<File, DiskError> {
    // The name goes, never what a link leads to.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    Ok(options.open(path)?)
}

/// Sees to it that the names in a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_with(
    path: &Path,
    options: &mut OpenOptions,
    others: Others,
) -> Result<Option<File>, DiskError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // And without waiting for anyone who is at the other end of a pipe.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => {
            drop(error);
            return Err(DiskError::Link(path.to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(DiskError::NoFile(path.to_owned()));
    }
    check(&metadata, path, others)?;
    Ok(Some(file))
}

#[cfg(unix)]
fn check(metadata: &std::fs::Metadata, path: &Path, others: Others) -> Result<(), DiskError> {
    use std::os::unix::fs::MetadataExt as _;
    let path = || PathBuf::from(path);
    let mode = metadata.mode();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(DiskError::NotOurs(path()));
    }
    match others {
        Others::MayRead if mode & 0o022 != 0 => Err(DiskError::Writable(path())),
        Others::MayNothing if mode & 0o077 != 0 => Err(DiskError::ReadableSealKey),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn check(_: &std::fs::Metadata, _: &Path, _: Others) -> Result<(), DiskError> {
    Ok(())
}

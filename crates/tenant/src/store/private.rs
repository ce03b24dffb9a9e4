//! The data folder and its files: owned by the user who runs the tenant, writable by no other user,
//! and opened without following links.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

use super::disk_error::DiskError;

/// The mode bits that must not be set.
#[derive(Clone, Copy)]
pub(super) enum ForbiddenBits {
    /// Group and others may not write.
    MayRead,
    /// Group and others may do nothing.
    MayNothing,
}

/// Creates a folder that only its owner can access, or checks an existing one: a user who can write
/// there could insert their own keys.
pub(super) fn folder(folder: &Path) -> Result<(), DiskError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    #[cfg(windows)]
    let is_new = !folder.exists();
    builder.create(folder)?;
    #[cfg(windows)]
    if is_new {
        cortexkey_system::make_private(folder)?;
    }
    let metadata = std::fs::symlink_metadata(folder)?;
    if metadata.is_symlink() {
        return Err(DiskError::Link(folder.to_owned()));
    }
    check(&metadata, folder, ForbiddenBits::MayRead).map_err(|error| match error {
        DiskError::Writable(_) => DiskError::WritableFolder,
        other => other,
    })
}

/// Opens a file for reading and writing; `None` if it does not exist.
pub(super) fn open(path: &Path) -> Result<Option<File>, DiskError> {
    let mut options = OpenOptions::new();
    open_with(path, options.read(true).write(true), ForbiddenBits::MayRead)
}

/// Opens a file that only its owner can read; `None` if it does not exist.
pub(super) fn open_secret(path: &Path) -> Result<Option<File>, DiskError> {
    open_with(path, OpenOptions::new().read(true), ForbiddenBits::MayNothing)
}

/// Creates a file, replacing one of that name.
pub(super) fn create(path: &Path) -> Result<File, DiskError> {
    // The name is removed, never the target of a link.
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

/// Ensures that the names in a folder are on disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // On other systems a folder cannot be opened.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_with(
    path: &Path,
    options: &mut OpenOptions,
    others: ForbiddenBits,
) -> Result<Option<File>, DiskError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // And without waiting for the other end of a pipe.
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
fn check(
    metadata: &std::fs::Metadata,
    path: &Path,
    others: ForbiddenBits,
) -> Result<(), DiskError> {
    use std::os::unix::fs::MetadataExt as _;
    let path = || PathBuf::from(path);
    let mode = metadata.mode();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(DiskError::NotOurs(path()));
    }
    match others {
        ForbiddenBits::MayRead if mode & 0o022 != 0 => Err(DiskError::Writable(path())),
        ForbiddenBits::MayNothing if mode & 0o077 != 0 => Err(DiskError::ReadableSealKey),
        _ => Ok(()),
    }
}

#[cfg(windows)]
fn check(_: &std::fs::Metadata, path: &Path, others: ForbiddenBits) -> Result<(), DiskError> {
    use std::os::windows::fs::OpenOptionsExt as _;

    use cortexkey_system::{FileAccess, others_with};
    /// Without it a folder cannot be opened.
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)?;
    let access = match others {
        ForbiddenBits::MayRead => FileAccess::Write,
        ForbiddenBits::MayNothing => FileAccess::Read,
    };
    match (others_with(&file, access)?, others) {
        (None, _) => Ok(()),
        (Some(_), ForbiddenBits::MayRead) => Err(DiskError::Writable(path.to_owned())),
        (Some(_), ForbiddenBits::MayNothing) => Err(DiskError::ReadableSealKey),
    }
}

//! Replaces files as a whole: readers see the old bytes or the new ones, never a part.
//!
//! The new bytes go to a file with a random name in the same folder, created so that it cannot be
//! an existing one, and a rename puts it in place. If the name were predictable, another user could
//! create a link there first. Extended attributes are not kept; the mode is, and so are owner and
//! group if this user may set them. On Windows the access control list is kept.

use core::fmt;
use std::ffi::OsStr;
#[cfg(unix)]
use std::fs::File;
use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use crate::io_reason;
use crate::reason::without_number;

/// The start of a temporary file's name; random characters follow.
const PREFIX: &str = ".cortexkey-";
/// Random characters in the name.
const RANDOM_CHARS: usize = 16;
/// The largest number of a folder's entries among which temporary files are looked for.
#[cfg(unix)]
const ENTRIES_MAX: usize = 100_000;
/// The most links that are followed before they count as a cycle; as many as Linux follows.
const LINKS_MAX: usize = 40;

/// How a symbolic link at the path is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links<'a> {
    /// An error.
    Refuse,
    /// The link is replaced by a file; its target stays unchanged.
    Replace,
    /// The link's target is replaced, and the link stays.
    Follow,
    /// Like `Follow`, but fails if the file, with links resolved, is outside this folder, also
    /// because of a link among its folders.
    Within(&'a Path),
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions<'a> {
    links: Links<'a>,
    private: bool,
    durable: bool,
}

impl<'a> WriteOptions<'a> {
    /// A file with the umask's mode, written without waiting for the disk.
    #[must_use]
    pub const fn new(links: Links<'a>) -> Self {
        Self { links, private: false, durable: false }
    }

    /// A new file can be read and written only by its owner. An existing one keeps its mode.
    #[must_use]
    pub const fn private(self) -> Self {
        Self { private: true, ..self }
    }

    /// Returns once file and name are on disk.
    #[must_use]
    pub const fn durable(self) -> Self {
        Self { durable: true, ..self }
    }
}

/// Replaces a file, or creates it.
pub fn replace(path: &Path, bytes: &[u8], how: WriteOptions<'_>) -> Result<(), WriteError> {
    PendingFile::begin(path, how)?.replace(bytes)
}

/// A temporary file next to its destination, for callers who must know that they can write before
/// they have the contents. Dropped, it is removed.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    path: PathBuf,
    target: PathBuf,
    durable: bool,
}

impl PendingFile {
    /// Creates the temporary file. A link at the path is resolved here, once.
    pub fn begin(path: &Path, how: WriteOptions<'_>) -> Result<Self, WriteError> {
        let target = resolve(path, how.links)?;
        let failed = |error| WriteError::system("create a file beside", path, error);
        let about = match fs::symlink_metadata(&target) {
            // Only `Links::Replace` leaves one here, and none of its properties is kept.
            Ok(about) if about.is_symlink() => None,
            Ok(about) if about.is_file() => Some(about),
            Ok(_) => return Err(WriteError::NotAFile { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(WriteError::system("look at", path, error)),
        };
        let mut builder = Builder::new();
        builder.prefix(PREFIX).rand_bytes(RANDOM_CHARS);
        if about.is_none() && !how.private {
            as_the_umask_says(&mut builder);
        }
        let folder = folder_of(&target);
        let file = create(&builder, folder).map_err(failed)?;
        if how.private {
            remove_left(folder, &file);
        }
        match about {
            Some(about) => keep(&file, &target, &about)
                .map_err(|error| WriteError::system("keep the owner and mode of", path, error))?,
            None if how.private => make_private(&file).map_err(failed)?,
            None => {}
        }
        Ok(Self { file, path: path.to_owned(), target, durable: how.durable })
    }

    /// Gives the file another name in the same folder.
    pub fn rename(&mut self, name: &OsStr) {
        self.target.set_file_name(name);
        self.path.set_file_name(name);
    }

    /// Writes the bytes and replaces the existing file, if any.
    pub fn replace(self, bytes: &[u8]) -> Result<(), WriteError> {
        self.finish(bytes, true)
    }

    /// Writes the bytes, and fails with [`WriteError::Exists`] if the name is taken by then.
    pub fn create(self, bytes: &[u8]) -> Result<(), WriteError> {
        self.finish(bytes, false)
    }

    fn finish(mut self, bytes: &[u8], over: bool) -> Result<(), WriteError> {
        let failed = |error| WriteError::system("write", &self.path, error);
        self.file.write_all(bytes).map_err(failed)?;
        if self.durable {
            self.file.as_file().sync_all().map_err(failed)?;
        }
        put_in_place(self.file, &self.target, over).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists if !over => WriteError::Exists { path: self.path.clone() },
            _ => WriteError::system("write", &self.path, error),
        })?;
        if self.durable {
            sync_folder(folder_of(&self.target))
                .map_err(|error| WriteError::system("write", &self.path, error))?;
        }
        Ok(())
    }
}

/// Why a file could not be written. Nothing was changed, except that a folder may not be synced.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The path is a symbolic link, which is not followed here.
    Link {
        /// The path as given.
        path: PathBuf,
    },
    /// The file, with links resolved, is outside the required folder.
    Outside {
        /// The path as given.
        path: PathBuf,
    },
    /// It is a folder, FIFO, socket or device.
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },
    /// The name is already taken.
    Exists {
        /// The path as given.
        path: PathBuf,
    },
    /// The system refused a step.
    System {
        /// The step, as a verb phrase that the path follows.
        step: &'static str,
        /// The path as given.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl WriteError {
    fn system(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::System { step, path: path.to_owned(), source: plain(source) }
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Link { path }
            | Self::Outside { path }
            | Self::NotAFile { path }
            | Self::Exists { path }
            | Self::System { path, .. } => path,
        }
    }

    /// The reason without the path, for messages that already name it.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Link { .. } => "it is a symbolic link, which is not followed".to_owned(),
            Self::Outside { .. } => "a symbolic link on its path leads elsewhere".to_owned(),
            Self::NotAFile { .. } => "it is not a regular file".to_owned(),
            Self::Exists { .. } => "it already exists".to_owned(),
            Self::System { source, .. } => io_reason(source),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            // The system's own words are the source's.
            Self::System { step, .. } => write!(f, "cannot {step} {path}"),
            _ => write!(f, "cannot write {path}: {}", self.reason()),
        }
    }
}

/// The system's own error, or one with the reason.
impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Exists { .. } => io::ErrorKind::AlreadyExists.into(),
            WriteError::System { source, .. } => source,
            other => Self::other(other.reason()),
        }
    }
}

impl core::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::System { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The longest single wait for a program that has the old file open; the total is twice as long.
const HELD_MAX: Duration = Duration::from_millis(640);

/// Gives the file its name. On Windows a virus scanner or an editor may have the old one open for a moment.
fn put_in_place(mut file: NamedTempFile, target: &Path, over: bool) -> io::Result<()> {
    let mut wait = Duration::from_millis(5);
    loop {
        let named = if over { file.persist(target) } else { file.persist_noclobber(target) };
        let Err(failed) = named else { return Ok(()) };
        if !is_held(&failed.error) || wait > HELD_MAX {
            return Err(failed.error);
        }
        std::thread::sleep(wait);
        wait *= 2;
        file = failed.file;
    }
}

/// Access denied, a sharing violation or a lock violation, which Windows reports in this case.
fn is_held(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(5 | 32 | 33))
}

/// The path that is renamed to: with its links resolved if they are followed.
fn resolve(path: &Path, links: Links<'_>) -> Result<PathBuf, WriteError> {
    let failed = |error| WriteError::system("look at", path, error);
    if path.file_name().is_none() {
        return Err(WriteError::NotAFile { path: path.to_owned() });
    }
    let is_link = match fs::symlink_metadata(path) {
        Ok(about) => about.is_symlink(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    let target = match links {
        Links::Refuse if is_link => return Err(WriteError::Link { path: path.to_owned() }),
        Links::Follow | Links::Within(_) if is_link => follow(path)?,
        Links::Refuse | Links::Replace | Links::Follow => return Ok(path.to_owned()),
        Links::Within(_) => {
            let folder = fs::canonicalize(folder_of(path)).map_err(failed)?;
            folder.join(path.file_name().unwrap_or_default())
        }
    };
    if let Links::Within(root) = links {
        let real = fs::canonicalize(root);
        let real = real.map_err(|error| WriteError::system("look at", root, error))?;
        if !target.starts_with(real) {
            return Err(WriteError::Outside { path: path.to_owned() });
        }
    }
    Ok(target)
}

/// The target of a link. Links of `/proc` lead to open files, whatever their current names, so they
/// name nothing that could be replaced.
fn follow(path: &Path) -> Result<PathBuf, WriteError> {
    let failed = |error| WriteError::system("follow", path, error);
    let mut at = path.to_owned();
    for _ in 0..LINKS_MAX {
        let folder = fs::canonicalize(folder_of(&at)).map_err(failed)?;
        let Some(name) = at.file_name() else {
            return Err(WriteError::NotAFile { path: path.to_owned() });
        };
        let place = folder.join(name);
        if !fs::symlink_metadata(&place).map_err(failed)?.is_symlink() {
            return Ok(place);
        }
        if folder.starts_with("/proc") {
            return Err(WriteError::NotAFile { path: path.to_owned() });
        }
        at = folder.join(fs::read_link(&place).map_err(failed)?);
    }
    Err(failed(io::Error::other("too many levels of symbolic links")))
}

/// Creates the temporary file, and locks it as long as this process has it open.
fn create(builder: &Builder<'_, '_>, folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = create_in(folder, builder)?;
        if is_locked(&file)? {
            return Ok(file);
        }
    }
}

/// Locks the file. False if another process took it for one that was left.
#[cfg(unix)]
fn is_locked(file: &NamedTempFile) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    match file.as_file().try_lock() {
        Ok(()) => Ok(file.as_file().metadata()?.nlink() > 0),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        // Some network file systems have no locks. What is left there stays.
        Err(fs::TryLockError::Error(_)) => Ok(true),
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn is_locked(_: &NamedTempFile) -> io::Result<bool> {
    Ok(true)
}

/// Removes temporary files of this user that nobody has locked. A failure concerns only files that
/// are no longer needed.
#[cfg(unix)]
fn remove_left(folder: &Path, own: &NamedTempFile) {
    use std::os::unix::fs::MetadataExt as _;

    let (Ok(entries), Ok(own)) = (fs::read_dir(folder), own.as_file().metadata()) else { return };
    // Opening a pipe would wait, and what another user put there stays.
    let is_ours = |about: Metadata| about.is_file() && about.uid() == own.uid();
    for entry in entries.take(ENTRIES_MAX).flatten() {
        let path = entry.path();
        if is_temporary(&entry.file_name()) && fs::symlink_metadata(&path).is_ok_and(is_ours) {
            // Kept open, and so locked, until the name is gone: a process that creates the file at
            // this moment
            // either has the lock first or sees that it has no name.
            if let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

#[cfg(not(unix))]
fn remove_left(_: &Path, _: &NamedTempFile) {}

#[cfg(unix)]
fn is_temporary(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    random.is_some_and(|random| {
        random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The system's error without the random name that `tempfile` adds. What is missing when a file is
/// written is its folder.
fn plain(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound {
        return io::Error::new(error.kind(), "its folder does not exist");
    }
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), without_number(reason)),
        None => error,
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// On Windows, the file first has the folder's rights, so no other program can open it before it
/// has its own
/// and its name.
#[cfg(windows)]
fn create_in(folder: &Path, builder: &Builder<'_, '_>) -> io::Result<NamedTempFile> {
    use std::os::windows::fs::OpenOptionsExt as _;

    // The rename requires this right.
    const FILE_SHARE_DELETE: u32 = 0x4;
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true).share_mode(FILE_SHARE_DELETE);
    builder.make_in(folder, |path| options.open(path))
}

#[cfg(not(windows))]
fn create_in(folder: &Path, builder: &Builder<'_, '_>) -> io::Result<NamedTempFile> {
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn as_the_umask_says(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;

    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn as_the_umask_says(_: &mut Builder<'_, '_>) {}

/// Gives the new file the old one's owner and mode. Its group may read what the mode allows, so
/// keeping the mode without the group would give access to another group.
#[cfg(unix)]
fn keep(file: &NamedTempFile, _: &Path, about: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let file = file.as_file();
    let own = file.metadata()?;
    if own.uid() != about.uid() {
        // Only root may change the owner; otherwise the file becomes the user's own, as with any
        // editor.
        let _ = fchown(file, Some(about.uid()), None);
    }
    let mode = about.mode() & 0o777;
    if own.gid() != about.gid()
        && let Err(error) = fchown(file, None, Some(about.gid()))
        && (mode >> 3) & !mode & 0o7 != 0
    {
        return Err(error);
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Gives the new file the old one's list of rights. A read-only file is not replaced.
#[cfg(windows)]
fn keep(file: &NamedTempFile, old: &Path, about: &Metadata) -> io::Result<()> {
    if about.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    crate::rights::keep_rights(old, file.path())
}

#[cfg(not(any(unix, windows)))]
fn keep(file: &NamedTempFile, _: &Path, about: &Metadata) -> io::Result<()> {
    file.as_file().set_permissions(about.permissions())
}

/// Restricts the file to its owner on Windows, where it would inherit the folder's rights.
/// Elsewhere, it is already restricted.
#[cfg(windows)]
fn make_private(file: &NamedTempFile) -> io::Result<()> {
    crate::rights::make_private(file.path())
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Windows")]
fn make_private(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

/// A name in a folder is on disk once the folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

//! Reads regular files with a limit: never waits for a pipe or device, and never reads more, even of a
//! file that grows or is replaced meanwhile.

use core::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::io_reason;

/// Why a file was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The system's error.
    System(io::Error),
    /// It is a folder, FIFO, socket or device.
    NotAFile,
    /// It has more bytes than this.
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// It is a symbolic link to a file that does not exist.
    Dangling,
    /// A symbolic link on its path leads out of the repository.
    Outside,
}

impl ReadError {
    /// Whether no file has this path.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => f.write_str(&io_reason(error)),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge { bytes_max } => write!(f, "it has more than {bytes_max} bytes"),
            Self::Dangling => f.write_str("it is a symbolic link to a file that does not exist"),
            Self::Outside => f.write_str("a symbolic link on its path leads out of the repository"),
        }
    }
}

impl core::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::System(error) => error.source(),
            _ => None,
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::System(error) => error,
            other => Self::other(other),
        }
    }
}

/// The bytes of a regular file of at most `bytes_max` bytes.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, ReadError> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    let limit = bytes_max.saturating_add(1);
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(ReadError::System)?;
    if bytes.len() as u64 > bytes_max { Err(ReadError::TooLarge { bytes_max }) } else { Ok(bytes) }
}

/// Like [`read`], but fails if a link leads out of the folder that [`link_boundary`] returns for
/// the path.
pub fn read_within(path: &Path, bytes_max: u64) -> Result<Vec<u8>, ReadError> {
    stays(path)?;
    read(path, bytes_max)
}

/// Opens a regular file for reading, without waiting for anything else.
pub fn open(path: &Path) -> Result<File, ReadError> {
    // Opening a device may have side effects, so its kind is checked first.
    let about = fs::metadata(path).map_err(|error| missing(path, error))?;
    if !about.is_file() {
        return Err(ReadError::NotAFile);
    }
    let file = open_at_once(path).map_err(ReadError::System)?;
    // Checked again, because the path may lead elsewhere meanwhile.
    let about = file.metadata().map_err(ReadError::System)?;
    if about.is_file() { Ok(file) } else { Err(ReadError::NotAFile) }
}

/// A link to nothing is not a missing file.
fn missing(path: &Path, error: io::Error) -> ReadError {
    let is_link = error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_ok();
    if is_link { ReadError::Dangling } else { ReadError::System(error) }
}

/// Does not block if a pipe replaced the file.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flag = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flag).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// The folder that links on a path must not lead out of: the repository that the path is in, by its
/// name; without one, the current folder; `None` for a path elsewhere, which only a user names.
///
/// A repository that is reached through a link in another one, or in the current folder, is not the
/// path's own.
#[must_use]
pub fn link_boundary(path: &Path) -> Option<PathBuf> {
    let path = lexical(path)?;
    let here = std::env::current_dir().ok();
    let mut folders: Vec<&Path> = path.parent()?.ancestors().collect();
    folders.reverse();
    let mut boundary = None;
    for folder in folders {
        if boundary.is_some() && folder.is_symlink() {
            break;
        }
        let is_repository = folder.join(".git").symlink_metadata().is_ok();
        if is_repository || (boundary.is_none() && Some(folder) == here.as_deref()) {
            boundary = Some(folder);
        }
    }
    boundary.map(Path::to_path_buf)
}

/// Fails if a link leads out of the path's [`link_boundary`]. The file and its folders need not exist.
pub fn stays(path: &Path) -> Result<(), ReadError> {
    let Some(root) = link_boundary(path) else { return Ok(()) };
    let path = lexical(path).ok_or(ReadError::NotAFile)?;
    // A path that does not exist yet cannot lead anywhere.
    let there = path.ancestors().find(|path| path.symlink_metadata().is_ok());
    let there = there.unwrap_or(&root);
    let real = fs::canonicalize(there).map_err(|error| missing(there, error))?;
    let root = fs::canonicalize(root).map_err(ReadError::System)?;
    if real.starts_with(root) { Ok(()) } else { Err(ReadError::Outside) }
}

/// The absolute path without `.` and `..`, with its links unresolved.
fn lexical(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in std::path::absolute(path).ok()?.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(read(&path, 9).unwrap_err().is_missing());
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(matches!(read(&path, 4), Err(ReadError::TooLarge { bytes_max: 4 })));
        assert!(matches!(read(folder.path(), 4), Err(ReadError::NotAFile)));
    }

    #[cfg(unix)]
    #[test]
    fn devices_pipes_and_links_to_nothing_are_errors_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR).unwrap();
        std::os::unix::fs::symlink("gone", path("link")).unwrap();
        assert!(matches!(read(&path("fifo"), 4), Err(ReadError::NotAFile)));
        assert!(matches!(read(Path::new("/dev/zero"), 4), Err(ReadError::NotAFile)));
        let dangling = read(&path("link"), 4).unwrap_err();
        assert!(matches!(dangling, ReadError::Dangling) && !dangling.is_missing());
        // A file of `/proc` has no length, and is read to the limit all the same.
        if cfg!(target_os = "linux") {
            assert!(matches!(
                read(Path::new("/proc/self/stat"), 4),
                Err(ReadError::TooLarge { .. })
            ));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_leave_a_repository() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["out/deep", "other/.git", "repo/.git", "repo/keys", "repo/sub/.git"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path("out/secret"), "x").unwrap();
        fs::write(path("repo/own"), "x").unwrap();
        symlink("../out/secret", path("repo/link")).unwrap();
        symlink("own", path("repo/inner")).unwrap();
        symlink("../out", path("repo/folder")).unwrap();
        symlink("../other", path("repo/other")).unwrap();
        symlink("repo", path("way")).unwrap();
        for name in ["repo/own", "repo/inner", "way/own", "way/inner", "out/secret"] {
            assert_eq!(read_within(&path(name), 9).unwrap(), b"x", "{name}");
        }
        assert_eq!(read_within(&path("repo/keys/../../out/secret"), 9).unwrap(), b"x");
        for name in
            ["repo/link", "repo/folder/secret", "repo/folder/new", "repo/folder/a/b", "way/link"]
        {
            assert!(matches!(read_within(&path(name), 9), Err(ReadError::Outside)), "{name}");
        }
        stays(&path("repo/keys/new/file")).unwrap();
        // The link's target is a repository too, and still not this one.
        assert!(matches!(stays(&path("repo/other/new")), Err(ReadError::Outside)));
        stays(&path("other/new")).unwrap();
        stays(&path("repo/sub/new")).unwrap();
        assert!(read_within(&path("repo/keys/new"), 9).unwrap_err().is_missing());
    }
}

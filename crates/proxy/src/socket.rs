//! [`Socket`]: a Unix socket for processes of the same user.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Its file is removed when it is dropped.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Socket {
    /// Listens. A socket left over from a process that has ended is replaced; one in use, and any
    /// other file, is an error.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let is_socket =
            std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        // Any other error, such as a full queue, does not mean that nobody listens.
        let is_refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_socket && Blocking::connect(path).is_err_and(is_refused) {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let file = identity(path);
        let socket = Self { listener, path: path.to_owned(), file };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(socket)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection; `None` if it is from another user's process. The file's permissions are
    /// not relied on, because they were wider for a moment.
    pub(crate) async fn accept(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?.uid();
        Ok((peer == rustix::process::geteuid().as_raw()).then_some(stream))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Another process may have replaced it.
        if identity(&self.path) == self.file {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device and inode of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

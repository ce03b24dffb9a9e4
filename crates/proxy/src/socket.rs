//! [`Socket`]: a Unix socket for processes of the same user.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Dropped, it removes its file.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens. A socket left over from a process that has ended is replaced; one in use, and any
    /// other file, is an error.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let is_left_over = std::fs::symlink_metadata(path)
            .is_ok_and(|found| found.file_type().is_socket() && Blocking::connect(path).is_err());
        if is_left_over {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let socket = Self { listener, path: path.to_owned() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(socket)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection; none if it is from another user's process. The file's permissions are
    /// not relied on, because they were wider for a moment.
    pub(crate) async fn accept(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?.uid();
        Ok((peer == rustix::process::geteuid().as_raw()).then_some(stream))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

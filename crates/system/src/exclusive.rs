//! Locks a file, so that one run at a time changes what the file stands for.

use core::time::Duration;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Instant;

const POLL: Duration = Duration::from_millis(20);

/// Locks a file until the result is dropped, and waits while another run holds it. The file and its
/// folder are created. It has to be another file than the one that is changed, because a change
/// replaces that one.
pub fn lock_exclusively(path: &Path, wait_max: Duration) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Some network file systems do not support locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > wait_max => {
                return Err(io::Error::other("another run holds it"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
        }
    }
}

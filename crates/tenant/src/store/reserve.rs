//! [`Reserve`]: disk space that is released when the disk is full, so that keys can still be
//! deleted and changed.

use std::path::{Path, PathBuf};

use super::private;

const FILE: &str = "reserve";
/// More than is written to the data file when every key is deleted.
const BYTES: u64 = 16 * 1024 * 1024;

/// A file that only reserves space.
pub(super) struct Reserve(PathBuf);

impl Reserve {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// Reserves the space if it is not reserved yet; returns whether it is.
    pub(super) fn keep(&self) -> bool {
        if std::fs::symlink_metadata(&self.0).is_ok_and(|found| found.len() >= BYTES) {
            return true;
        }
        let is_kept = private::create(&self.0).is_ok_and(|file| allocate(&file));
        if !is_kept {
            self.give_up();
        }
        is_kept
    }

    /// Releases the space; returns whether there was any.
    pub(super) fn give_up(&self) -> bool {
        std::fs::remove_file(&self.0).is_ok()
    }
}

#[cfg(target_os = "linux")]
fn allocate(file: &std::fs::File) -> bool {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, BYTES).is_ok()
        || write(file)
}

#[cfg(not(target_os = "linux"))]
fn allocate(file: &std::fs::File) -> bool {
    write(file)
}

/// For file systems that cannot preallocate space.
fn write(mut file: &std::fs::File) -> bool {
    use std::io::Write as _;
    let zeros = vec![0; 1024 * 1024];
    (0..BYTES / zeros.len() as u64).all(|_| file.write_all(&zeros).is_ok())
}

//! [`hold`]: lets one process at a time use a folder, on systems where folders cannot be locked.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const ERROR_SHARING_VIOLATION: i32 = 32;

/// Holds `path` through a file next to it that no other process can open and that is deleted when
/// the process ends. `None` if another process holds it.
pub fn hold(path: &Path) -> io::Result<Option<File>> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".held");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.share_mode(0).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
    match options.open(path.with_file_name(name)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

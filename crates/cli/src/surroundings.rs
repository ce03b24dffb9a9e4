//! The folder and the time of a command's run.

use std::path::{Path, PathBuf};

use cortexkey_lint::files::now;
use cortexkey_system::io_reason;
use jiff::Timestamp;

use crate::exit::Failure;

/// The folder that the command runs in.
pub(crate) fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| no_folder(&error))
}

/// The folder with the key definitions, as an absolute path: the linter's paths are relative to it.
pub(crate) fn keys_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = std::path::absolute(given.unwrap_or(Path::new(".")));
    let folder = folder.map_err(|error| no_folder(&error))?;
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Failure::usage_error(format!("{} is not a folder", folder.display()))
        .help("give --keys the folder with your key definitions"))
}

/// The time of `--now`, otherwise of `SOURCE_DATE_EPOCH`, otherwise of the clock.
pub(crate) fn time(given: Option<&str>) -> Result<Timestamp, Failure> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    now(given, epoch.as_deref()).map_err(Failure::usage)
}

fn no_folder(error: &std::io::Error) -> Failure {
    Failure::usage_error(format!("cannot find the current folder: {}", io_reason(error)))
}

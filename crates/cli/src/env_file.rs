//! [`check`]: whether a `.env` file would send a tool's key to another tenant. In demisto-sdk, a
//! `.env` file in the content repository overrides the environment, so it would replace the address
//! or credentials that cortexkey sets.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cortexkey_client::Tool;
use cortexkey_system::io_reason;

use crate::exit::Failure;

const BYTES_MAX: u64 = 1024 * 1024;
/// The variable of demisto-sdk for the repository of content.
const CONTENT_PATH: &str = "DEMISTO_SDK_CONTENT_PATH";

/// Fails if a file that the tool prefers to its environment sets one of its variables, or cannot be
/// read.
pub(crate) fn check(tool: &Tool) -> Result<(), Failure> {
    if !tool.prefers_env_file {
        return Ok(());
    }
    for path in candidates()? {
        let text = read(&path).map_err(|error| {
            Failure::usage_error(format!(
                "cannot read {}, which {} prefers to its environment: {}",
                path.display(),
                tool.name,
                io_reason(&error)
            ))
        })?;
        if let Some(name) = text.lines().filter_map(assigned).find(|name| steers(tool, name)) {
            let message = format!(
                "{} sets {name}, which {} prefers to the value that it gets",
                path.display(),
                tool.name
            );
            return Err(Failure::usage_error(message).help("remove the variable from the file"));
        }
    }
    Ok(())
}

fn steers(tool: &Tool, name: &str) -> bool {
    tool.names().any(|own| own == name) || cortexkey_system::is_steering(name.as_ref())
}

/// The files `.env` in the current folder, in the folders above it up to the repository's, and in the
/// folder that the variable names.
fn candidates() -> Result<Vec<PathBuf>, Failure> {
    let folder = crate::surroundings::current_folder()?;
    let mut folders = Vec::new();
    for folder in folder.ancestors() {
        folders.push(folder.to_owned());
        if folder.join(".git").exists() {
            break;
        }
    }
    folders.extend(std::env::var_os(CONTENT_PATH).map(PathBuf::from));
    let files = folders.into_iter().map(|folder| folder.join(".env"));
    Ok(files.filter(|path| path.symlink_metadata().is_ok_and(|found| !found.is_dir())).collect())
}

fn read(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The name of the variable that a line sets.
fn assigned(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line =
        line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line);
    let name = line.split_once('=').map_or(line, |(name, _)| name).trim();
    let name = name.trim_matches(['\'', '"']);
    (!name.is_empty() && !name.starts_with('#')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_assignment_has_its_name() {
        for line in ["A_B=1", "  A_B = 'x'", "export A_B=1", "export\tA_B=", "'A_B'=1", "A_B"] {
            assert_eq!(assigned(line), Some("A_B"), "{line}");
        }
        for line in ["", "   ", "# A_B=1", "=1"] {
            assert_eq!(assigned(line), None, "{line}");
        }
        assert_eq!(assigned("exported=1"), Some("exported"));
    }
}

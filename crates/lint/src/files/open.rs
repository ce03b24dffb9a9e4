//! Reads one file: never waits for a pipe or device, and never reads more than the limits allow.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_system::io_reason;

use super::names::may_define;

/// How much of a file that is too large to be a definition is searched for one.
pub(super) const SEARCHED_BYTES_MAX: usize = 64 << 20;

/// How much of a large file tells whether it is binary.
const SNIFFED_BYTES: u64 = 8 << 10;

/// Why a file could not be read.
#[derive(Clone, Debug)]
pub(super) enum OpenError {
    /// The system's error.
    System(Arc<io::Error>),
    /// It is not a regular file, but this.
    Kind(&'static str),
    /// It is a folder that cannot be listed.
    Folder(Arc<io::Error>),
    /// It has this many bytes, which is over the limit.
    Large(u64),
    /// It is a symbolic link out of the repository; its target is not shown.
    Leaves,
    /// It is a symbolic link that a sparse checkout leaves out.
    SparseLink,
    /// It is a submodule that is not checked out.
    Submodule,
}

const LEAVES: &str = "it is a symbolic link that leads out of the repository";

impl OpenError {
    pub(super) fn system(error: io::Error) -> Self {
        Self::System(Arc::new(error))
    }

    pub(super) fn folder(error: io::Error) -> Self {
        Self::Folder(Arc::new(error))
    }

    /// The error as a message about a path.
    pub(super) fn message(&self, path: &str) -> String {
        match self {
            Self::System(error) => format!("cannot read {path}: {}", io_reason(error)),
            Self::Kind(kind) => format!("cannot read {path}: it is {kind}, not a file"),
            Self::Folder(error) => format!("cannot list {path}: {}", io_reason(error)),
            Self::Large(bytes) => format!("cannot read {path}: {bytes} bytes exceed the limit"),
            Self::Leaves => format!("cannot read {path}: {LEAVES}"),
            Self::SparseLink => format!("cannot read {path}: it is a link outside the checkout"),
            Self::Submodule => format!("cannot list {path}: it is not checked out"),
        }
    }

    /// The error as the message of a finding, which has the path already.
    pub(super) fn finding(&self, limits: &YamlLimits) -> String {
        match self {
            Self::System(error) => format!("cannot be read: {}", io_reason(error)),
            Self::Kind(kind) => format!("cannot be read: it is {kind}, not a file"),
            Self::Folder(error) => format!("the folder cannot be listed: {}", io_reason(error)),
            Self::Large(bytes) => {
                format!("the file has {bytes} bytes; at most {} are read", limits.bytes)
            }
            Self::Leaves => format!("cannot be read: {LEAVES}"),
            Self::SparseLink => {
                "cannot be read: it is a symbolic link that the sparse checkout leaves out"
                    .to_owned()
            }
            Self::Submodule => {
                "the submodule is not checked out, so its files cannot be read".to_owned()
            }
        }
    }

    /// What to do next.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::System(error) if error.kind() == io::ErrorKind::NotFound => {
                "correct the path, or remove it"
            }
            Self::System(_) | Self::Folder(_) => {
                "allow this user to read it; a file that cannot be read cannot be checked"
            }
            Self::Kind(_) => "name a file, a folder, or `-` for standard input",
            Self::Large(_) => "split the file, one key definition per file",
            Self::Leaves => "replace the link with the file",
            Self::SparseLink => "add it to the checkout with `git sparse-checkout add`",
            Self::Submodule => "git submodule update --init",
        }
    }
}

/// What can be read at a path.
pub(super) enum PathKind {
    File,
    Folder,
}

/// Checks that a path exists and can be read, without reading it.
pub(super) fn check_readable(path: &Path) -> Result<PathKind, OpenError> {
    let about = fs::metadata(path).map_err(OpenError::system)?;
    if about.is_dir() {
        fs::read_dir(path).map_err(OpenError::folder)?;
        return Ok(PathKind::Folder);
    }
    // Checked before opening: opening a FIFO waits for a writer.
    if !about.is_file() {
        return Err(OpenError::Kind(kind(&about)));
    }
    File::open(path).map_err(OpenError::system)?;
    Ok(PathKind::File)
}

/// The bytes of a regular file within the limits.
pub(super) fn read(path: &Path, limits: &YamlLimits) -> Result<Vec<u8>, OpenError> {
    // Checked before opening: opening a FIFO waits for a writer.
    let about = fs::metadata(path).map_err(OpenError::system)?;
    if !about.is_file() {
        return Err(OpenError::Kind(kind(&about)));
    }
    if about.len() > limits.bytes as u64 {
        return Err(OpenError::Large(about.len()));
    }
    let mut file = File::open(path).map_err(OpenError::system)?;
    let length = usize::try_from(about.len()).unwrap_or(0);
    let mut bytes = vec![0; length + 1];
    let read = file.read(&mut bytes).unwrap_or(0);
    bytes.truncate(read);
    // One byte more than the length was requested and is not there: most files are read in one
    // call.
    if read == length && read > 0 {
        return Ok(bytes);
    }
    // Its length changed, or it came in parts.
    take(&mut file, limits, bytes)
}

/// The bytes of a file that is searched for a definition, although its name or size does not suit
/// one. Of a large binary file, only the beginning.
pub(super) fn search(path: &Path, limits: &YamlLimits) -> Result<Vec<u8>, OpenError> {
    match read(path, limits) {
        Err(OpenError::Large(_)) => {
            let start = beginning(path).map_err(OpenError::system)?;
            if is_binary(&start) && !may_define(path) {
                return Ok(start);
            }
            read(path, &YamlLimits { bytes: SEARCHED_BYTES_MAX, ..*limits })
        }
        read => read,
    }
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(SNIFFED_BYTES).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether bytes are the beginning of a file that is text in no encoding.
fn is_binary(start: &[u8]) -> bool {
    let is_wide = match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => *first == 0 || *second == 0,
        _ => false,
    };
    start.contains(&0) && !is_wide
}

/// The bytes of a stream within the limits.
pub(super) fn bounded(from: &mut dyn Read, limits: &YamlLimits) -> Result<Vec<u8>, OpenError> {
    take(from, limits, Vec::new())
}

/// The rest of a stream, after the bytes that were read already.
fn take(
    from: &mut dyn Read,
    limits: &YamlLimits,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, OpenError> {
    let left = (limits.bytes as u64 + 1).saturating_sub(bytes.len() as u64);
    from.take(left).read_to_end(&mut bytes).map_err(OpenError::system)?;
    if bytes.len() > limits.bytes {
        return Err(OpenError::Large(bytes.len() as u64));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn kind(about: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = about.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(about: &fs::Metadata) -> &'static str {
    if about.is_dir() { "a folder" } else { "a device" }
}

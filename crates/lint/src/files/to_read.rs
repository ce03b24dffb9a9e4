//! The files to read, each kept once, whatever links lead to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::listing::Blob;
use super::open;

/// A file to read.
pub(super) struct FileToRead {
    pub(super) path: PathBuf,
    /// Which policy governs it.
    pub(super) by: usize,
    pub(super) reported: bool,
    pub(super) origin: Origin,
    /// Its path with links resolved; `None` for a file that is not on the disk.
    pub(super) real: Option<PathBuf>,
    /// Whether it was reached by a link.
    pub(super) is_alias: bool,
    pub(super) role: Role,
}

impl FileToRead {
    pub(super) fn new(path: &Path, by: usize, reported: bool, role: Role) -> Self {
        let path = path.to_path_buf();
        Self { path, by, reported, origin: Origin::Disk, real: None, is_alias: false, role }
    }
}

/// Why a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// It is part of a corpus.
    Corpus,
    /// It was named on the command line, and is part of the corpus if it contains a definition.
    Perhaps,
    /// It belongs to no corpus, and should contain no definition.
    Outside,
}

/// Where the bytes of a file come from.
pub(super) enum Origin {
    Disk,
    /// The index, as in a sparse checkout.
    Index(Blob),
    /// They have been read already.
    Bytes(Result<Vec<u8>, open::OpenError>),
    /// It cannot be read.
    Unreadable(open::OpenError),
}

/// Keeps each path once.
pub(super) fn dedup_paths(wanted: &mut Vec<FileToRead>) {
    wanted.sort_by(|a, b| (&a.path, a.role).cmp(&(&b.path, b.role)));
    wanted.dedup_by(|again, kept| {
        let same = again.path == kept.path;
        kept.reported |= same && again.reported;
        same
    });
}

/// Keeps each file once, under its own path if it has one in the corpus.
pub(super) fn dedup_targets(wanted: &mut Vec<FileToRead>) {
    let mut reported: HashMap<PathBuf, bool> = HashMap::new();
    // A link into a corpus comes before a file outside it.
    for is_outside in [false, true] {
        let is_next = |file: &FileToRead| (file.role == Role::Outside) == is_outside;
        for file in wanted.iter().filter(|file| !file.is_alias && is_next(file)) {
            if let Some(real) = &file.real {
                reported.entry(real.clone()).or_insert(false);
            }
        }
        // A file that is reached only through links is kept under the first of them.
        wanted.retain(|file| {
            let is_alias = file.is_alias && is_next(file);
            let Some(real) = file.real.as_ref().filter(|_| is_alias) else { return true };
            if let Some(reported) = reported.get_mut(real) {
                *reported |= file.reported;
                return false;
            }
            reported.insert(real.clone(), file.reported);
            true
        });
    }
    for file in wanted.iter_mut() {
        file.reported |= file.real.as_ref().is_some_and(|real| reported.get(real) == Some(&true));
    }
}

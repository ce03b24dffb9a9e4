//! All files of a ground: what git tracks or does not ignore, and without git all that there are.
//!
//! What could not be seen is listed as well: it is an error where it may hold a part of the corpus,
//! which is for the caller to know. Links are listed and not followed.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::git::{self, Kind, Named};
use super::ground::is_repository;
use super::open::ReadError;
use super::{Refusal, ground::Ground};

/// The files of a ground.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) files: Vec<Listed>,
    /// The roots of the repositories among them.
    pub(super) roots: Vec<PathBuf>,
    /// What could not be seen.
    pub(super) unseen: Vec<(PathBuf, ReadError)>,
}

/// One of its files.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// Whether it is a symbolic link; unknown where that takes a look.
    pub(super) is_link: Option<bool>,
    /// Its bytes in the index, where a sparse checkout keeps it out of the work tree.
    pub(super) sparse: Option<Blob>,
}

/// The bytes of a file in a repository's store.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) root: PathBuf,
    pub(super) id: String,
}

impl Listing {
    /// Lists a ground, each file once and in the order of their paths.
    pub(super) fn of(ground: &Ground) -> Result<Self, Refusal> {
        let mut listing = Self::default();
        if ground.is_repository {
            listing.repository(&ground.root)?;
        } else {
            listing.folder(&ground.root)?;
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.files.dedup_by(|a, b| a.path == b.path);
        Ok(listing)
    }

    /// The listed files below a folder.
    pub(super) fn below_folder(&self, folder: &Path) -> &[Listed] {
        let start = self.files.partition_point(|file| file.path.as_path() < folder);
        let below = self.files.get(start..).unwrap_or_default();
        let end = below.partition_point(|file| file.path.starts_with(folder));
        below.get(..end).unwrap_or_default()
    }

    fn repository(&mut self, root: &Path) -> Result<(), Refusal> {
        let (named, closed) = git::list(root)?;
        self.files.reserve(named.len());
        self.roots.push(root.to_path_buf());
        for Named { path, kind } in named {
            let path = root.join(path);
            match kind {
                Kind::Tracked => self.file(path, Some(false)),
                Kind::Link => self.file(path, Some(true)),
                Kind::Untracked => self.file(path, None),
                // It may be there all the same.
                Kind::Sparse(_) | Kind::SparseLink if path.symlink_metadata().is_ok() => {
                    self.file(path, None);
                }
                Kind::Sparse(id) => {
                    let sparse = Some(Blob { root: root.to_path_buf(), id });
                    self.files.push(Listed { path, is_link: Some(false), sparse });
                }
                Kind::SparseLink => self.unseen.push((path, ReadError::SparseLink)),
                Kind::Submodule | Kind::Repository if is_repository(&path) => {
                    self.repository(&path)?;
                }
                Kind::Submodule => self.unseen.push((path, ReadError::Submodule)),
                Kind::Repository => self.folder(&path)?,
            }
        }
        for folder in closed {
            let error = std::fs::read_dir(&folder).err();
            let error = error.unwrap_or_else(|| io::Error::other("git cannot look into it"));
            self.unseen.push((folder, ReadError::folder(error)));
        }
        Ok(())
    }

    /// Lists a folder that is no repository: no file of patterns counts there.
    pub(super) fn folder(&mut self, root: &Path) -> Result<(), Refusal> {
        let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if entry.file_name() == ".git" && entry.depth() > 0 => {
                    if entry.file_type().is_dir() {
                        walk.skip_current_dir();
                    }
                }
                Ok(entry) if entry.file_type().is_dir() => {
                    if entry.depth() > 0 && is_repository(entry.path()) {
                        walk.skip_current_dir();
                        self.repository(entry.path())?;
                    }
                }
                Ok(entry) => {
                    let is_link = Some(entry.path_is_symlink());
                    self.file(entry.into_path(), is_link);
                }
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_path_buf();
                    let error = error.into_io_error();
                    let error = error.unwrap_or_else(|| io::Error::other("a loop of links"));
                    self.unseen.push((path, ReadError::folder(error)));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, is_link: Option<bool>) {
        self.files.push(Listed { path, is_link, sparse: None });
    }
}

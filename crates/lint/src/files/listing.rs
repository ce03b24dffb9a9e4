//! Lists all files of a boundary: those that git tracks or does not ignore; without git, all files.
//!
//! Folders that could not be listed are part of the result: the caller reports them where they may
//! contain a part of the corpus. Links are listed and not followed.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::boundary::is_repository;
use super::git::{self, EntryKind, GitPath};
use super::names::has_policy_name;
use super::open::OpenError;
use super::{Options, RunError, boundary::Boundary};

/// The files of a boundary.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) files: Vec<ListedFile>,
    /// The roots of the repositories among them.
    pub(super) roots: Vec<PathBuf>,
    /// What could not be listed.
    pub(super) unseen: Vec<(PathBuf, OpenError)>,
}

/// One of its files.
#[derive(Clone)]
pub(super) struct ListedFile {
    pub(super) path: PathBuf,
    /// Whether it is a symbolic link; `None` if that is not known yet.
    pub(super) is_link: Option<bool>,
    /// Its blob, if a sparse checkout leaves the file out of the work tree.
    pub(super) sparse: Option<Blob>,
}

/// An object of a repository.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) root: PathBuf,
    pub(super) id: String,
}

impl Listing {
    /// Lists a boundary, each file once, sorted by path.
    pub(super) fn read(boundary: &Boundary) -> Result<Self, RunError> {
        let mut listing = Self::default();
        if boundary.is_repository {
            listing.repository(&boundary.root)?;
        } else {
            listing.folder(&boundary.root)?;
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.files.dedup_by(|a, b| a.path == b.path);
        Ok(listing)
    }

    /// Adds an editor's texts that have no file yet.
    pub(super) fn with_unsaved(mut self, boundary: &Boundary, options: &Options) -> Self {
        let paths = options.texts.keys().filter(|path| boundary.holds(path));
        let unsaved = paths.filter(|path| path.symlink_metadata().is_err());
        let unsaved: Vec<_> = unsaved.filter(|path| !has_policy_name(path)).cloned().collect();
        if !unsaved.is_empty() {
            for path in unsaved {
                self.file(path, Some(false));
            }
            self.files.sort_by(|a, b| a.path.cmp(&b.path));
            self.files.dedup_by(|a, b| a.path == b.path);
        }
        self
    }

    /// The listed files below a folder.
    pub(super) fn below_folder(&self, folder: &Path) -> &[ListedFile] {
        let start = self.files.partition_point(|file| file.path.as_path() < folder);
        let below = self.files.get(start..).unwrap_or_default();
        let end = below.partition_point(|file| file.path.starts_with(folder));
        below.get(..end).unwrap_or_default()
    }

    fn repository(&mut self, root: &Path) -> Result<(), RunError> {
        let (named, closed) = git::list(root)?;
        self.files.reserve(named.len());
        self.roots.push(root.to_path_buf());
        for GitPath { path, kind } in named {
            let path = root.join(path);
            match kind {
                EntryKind::Tracked => self.file(path, Some(false)),
                EntryKind::Link => self.file(path, Some(true)),
                EntryKind::Untracked => self.file(path, None),
                // It may exist nevertheless.
                EntryKind::Sparse(_) | EntryKind::SparseLink if path.symlink_metadata().is_ok() => {
                    self.file(path, None);
                }
                EntryKind::Sparse(id) => {
                    let sparse = Some(Blob { root: root.to_path_buf(), id });
                    self.files.push(ListedFile { path, is_link: Some(false), sparse });
                }
                EntryKind::SparseLink => self.unseen.push((path, OpenError::SparseLink)),
                EntryKind::Submodule | EntryKind::Repository if is_repository(&path) => {
                    self.repository(&path)?;
                }
                EntryKind::Submodule => self.unseen.push((path, OpenError::Submodule)),
                EntryKind::Repository => self.folder(&path)?,
            }
        }
        for folder in closed {
            let error = std::fs::read_dir(&folder).err();
            let error = error.unwrap_or_else(|| io::Error::other("git cannot look into it"));
            self.unseen.push((folder, OpenError::folder(error)));
        }
        Ok(())
    }

    /// Lists a folder that is not a repository; `.gitignore` has no effect there.
    pub(super) fn folder(&mut self, root: &Path) -> Result<(), RunError> {
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
                    self.unseen.push((path, OpenError::folder(error)));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, is_link: Option<bool>) {
        self.files.push(ListedFile { path, is_link, sparse: None });
    }
}

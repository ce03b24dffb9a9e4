//! The boundary within which files are read and written, and the policies inside it.
//!
//! A repository with its submodules is one boundary. Without a repository it is the folder of the
//! topmost policy, or the given folder. Nothing outside is written, or read through a link.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::RunError;
use super::names::{POLICY_NAMES, is_yaml};
use super::paths::{absolute, shown};

/// The boundary of a run.
#[derive(Debug)]
pub(super) struct Boundary {
    /// Its absolute folder, with links unresolved.
    pub(super) root: PathBuf,
    /// `root` with links resolved.
    pub(super) real: PathBuf,
    /// Whether it is a repository, whose files git lists.
    pub(super) is_repository: bool,
    /// The policies found so far, by their folders.
    known: RefCell<BTreeMap<PathBuf, Option<PathBuf>>>,
}

impl Boundary {
    /// The boundary of a folder.
    pub(super) fn around(folder: &Path) -> Result<Self, RunError> {
        let repository = folder.ancestors().find(|folder| is_repository(folder));
        let is_repository = repository.is_some();
        let mut boundary = Self {
            root: repository.unwrap_or(folder).to_path_buf(),
            real: PathBuf::new(),
            is_repository,
            known: RefCell::default(),
        };
        if !is_repository {
            // Policies are searched for from the file system's root, or from a `.git` of any kind.
            let end = folder.ancestors().find(|folder| folder.join(".git").exists());
            boundary.root = end.unwrap_or(Path::new("/")).to_path_buf();
            let top = boundary.policies(folder)?.pop();
            let home = top.as_deref().and_then(Path::parent);
            boundary.root = home.unwrap_or(folder).to_path_buf();
        }
        boundary.real = fs::canonicalize(&boundary.root).unwrap_or_else(|_| boundary.root.clone());
        Ok(boundary)
    }

    /// Whether a path is inside, links unresolved.
    pub(super) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// The policies above a folder, the nearest first.
    pub(super) fn policies(&self, folder: &Path) -> Result<Vec<PathBuf>, RunError> {
        let above = folder.ancestors().take_while(|folder| folder.starts_with(&self.root));
        above.filter_map(|folder| self.policy_in(folder).transpose()).collect()
    }

    /// The policy of a folder, if it has one.
    pub(super) fn policy_in(&self, folder: &Path) -> Result<Option<PathBuf>, RunError> {
        if let Some(known) = self.known.borrow().get(folder) {
            return Ok(known.clone());
        }
        let files = POLICY_NAMES.iter().map(|name| folder.join(name));
        // A policy that cannot be read, such as a broken link or a folder, is not a missing one.
        let mut files = files.filter(|path| path.symlink_metadata().is_ok());
        let found = files.next();
        if found.is_some() && files.next().is_some() {
            let [first, second] = POLICY_NAMES;
            return Err(RunError::new(format!(
                "two policies in {}: {first} and {second}",
                folder.display()
            ))
            .help("keep one of them"));
        }
        self.known.borrow_mut().insert(folder.to_path_buf(), found.clone());
        Ok(found)
    }

    /// Whether another repository, such as a submodule, starts at one of the folders from a policy's
    /// folder up to the one below the outer policy's.
    pub(super) fn is_apart(policy: &Path, above: &Path) -> bool {
        let home = above.parent();
        let mut between = policy.ancestors().skip(1).take_while(|folder| Some(*folder) != home);
        between.any(is_repository)
    }

    /// The path with its links resolved, if that is inside and not one of git's own files.
    pub(super) fn real(&self, path: &Path) -> std::io::Result<Option<PathBuf>> {
        let real = fs::canonicalize(path)?;
        let below = real.strip_prefix(&self.real).ok();
        let inside = below.is_some_and(|below| below.iter().all(|part| part != ".git"));
        Ok(inside.then_some(real))
    }
}

/// Whether git has a repository at a folder. An empty `.git` is none: git searches further up.
pub(super) fn is_repository(folder: &Path) -> bool {
    let git = folder.join(".git");
    match fs::read_dir(&git) {
        Ok(mut entries) => entries.next().is_some(),
        // A worktree and a submodule have a file there; a `.git` that cannot be listed counts too.
        Err(_) => git.symlink_metadata().is_ok(),
    }
}

/// True when a policy is in or above the folder where the command runs.
pub(super) fn is_above(folder: &Path, policy: &Path) -> bool {
    policy.parent().is_some_and(|home| absolute(folder, Path::new("")).starts_with(home))
}

/// The error for a policy below another one that it does not extend.
pub(super) fn below_another(folder: &Path, policy: &Path, above: &Path) -> RunError {
    let policy = shown(folder, policy);
    let above = shown(folder, above);
    RunError::new(format!("{policy} is below {above} and does not extend it"))
        .help(format!("add {above} to its `extends`, or select a policy with --policy"))
}

/// Whether a path leads out of the repositories that contain these folders. Without a repository it
/// may name a YAML file anywhere, but not through a link.
pub(super) fn leaves(homes: &[&Path], path: &Path) -> bool {
    // The reader reports a missing file.
    let Ok(real) = fs::canonicalize(path) else { return false };
    let grounds: Vec<Boundary> =
        homes.iter().filter_map(|home| Boundary::around(home).ok()).collect();
    let within = |boundary: &Boundary| matches!(boundary.real(path), Ok(Some(_)));
    let free = grounds.iter().all(|boundary| !boundary.is_repository);
    let is_named = free && is_yaml(&real) && !path.is_symlink();
    !is_named && !grounds.iter().any(within)
}

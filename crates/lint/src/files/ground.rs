//! Where files may be read and written, and which policies lie there.
//!
//! A repository is one ground, with its submodules; without one it is the folder of the topmost
//! policy, or the folder given. Nothing outside of it is read through a link, or written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Refusal;
use super::paths::{absolute, shown};

/// Names of a policy file, the first before the second.
pub const POLICY_NAMES: [&str; 2] = ["cortexkey.yaml", ".cortexkey.yaml"];

/// The boundary of a run.
#[derive(Debug)]
pub(super) struct Ground {
    /// Its folder, absolute, links not resolved.
    pub(super) root: PathBuf,
    /// The same with links resolved.
    pub(super) real: PathBuf,
    /// Whether it is a repository, so that git says what is part of it.
    pub(super) is_repository: bool,
    /// Policies by their folders, as far as was looked.
    known: RefCell<BTreeMap<PathBuf, Option<PathBuf>>>,
}

impl Ground {
    /// The ground of a folder.
    pub(super) fn of(folder: &Path) -> Result<Self, Refusal> {
        let repository = folder.ancestors().find(|folder| is_repository(folder));
        let is_repository = repository.is_some();
        let mut ground = Self {
            root: repository.unwrap_or(folder).to_path_buf(),
            real: PathBuf::new(),
            is_repository,
            known: RefCell::default(),
        };
        if !is_repository {
            // Looked for from the file system's root on, and no further than a `.git` of any kind.
            let end = folder.ancestors().find(|folder| folder.join(".git").exists());
            ground.root = end.unwrap_or(Path::new("/")).to_path_buf();
            let top = ground.policies(folder)?.pop();
            let home = top.as_deref().and_then(Path::parent);
            ground.root = home.unwrap_or(folder).to_path_buf();
        }
        ground.real = fs::canonicalize(&ground.root).unwrap_or_else(|_| ground.root.clone());
        Ok(ground)
    }

    /// Whether a path lies here, as it is written.
    pub(super) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// The policies above a folder, the nearest first.
    pub(super) fn policies(&self, folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
        let above = folder.ancestors().take_while(|folder| folder.starts_with(&self.root));
        above.filter_map(|folder| self.policy_in(folder).transpose()).collect()
    }

    /// The policy of a folder, if it has one.
    pub(super) fn policy_in(&self, folder: &Path) -> Result<Option<PathBuf>, Refusal> {
        if let Some(known) = self.known.borrow().get(folder) {
            return Ok(known.clone());
        }
        let files = POLICY_NAMES.iter().map(|name| folder.join(name));
        let mut files = files.filter(|path| path.is_file() || path.is_symlink());
        let found = files.next();
        if found.is_some() && files.next().is_some() {
            let [first, second] = POLICY_NAMES;
            return Err(Refusal::new(format!(
                "two policies in {}: {first} and {second}; keep one of them",
                folder.display()
            )));
        }
        self.known.borrow_mut().insert(folder.to_path_buf(), found.clone());
        Ok(found)
    }

    /// Whether a repository of its own, as a submodule is, begins at one of the folders from a
    /// policy's up to below another one's.
    pub(super) fn is_apart(policy: &Path, above: &Path) -> bool {
        let home = above.parent();
        let mut between = policy.ancestors().skip(1).take_while(|folder| Some(*folder) != home);
        between.any(is_repository)
    }

    /// Where a path leads with its links resolved, if that is here and not among git's own files.
    pub(super) fn real(&self, path: &Path) -> std::io::Result<Option<PathBuf>> {
        let real = fs::canonicalize(path)?;
        let below = real.strip_prefix(&self.real).ok();
        let inside = below.is_some_and(|below| below.iter().all(|part| part != ".git"));
        Ok(inside.then_some(real))
    }
}

/// Whether git has a repository at a folder. An empty `.git` is none, and git looks further up.
pub(super) fn is_repository(folder: &Path) -> bool {
    let git = folder.join(".git");
    match fs::read_dir(&git) {
        Ok(mut entries) => entries.next().is_some(),
        // A worktree and a submodule have a file there; what cannot be looked into is not none.
        Err(_) => git.symlink_metadata().is_ok(),
    }
}

/// True when a policy lies above, or in, the folder that the command runs in.
pub(super) fn is_above(folder: &Path, policy: &Path) -> bool {
    policy.parent().is_some_and(|home| absolute(folder, Path::new("")).starts_with(home))
}

/// What is said of a policy below another one that does not extend it.
pub(super) fn below_another(folder: &Path, policy: &Path, above: &Path) -> Refusal {
    let (policy, above) = (shown(folder, policy), shown(folder, above));
    Refusal::new(format!("{policy} lies below {above} and does not extend it"))
        .help(format!("add {above} to its `extends`, or name the policy that holds with --policy"))
}

/// Whether a path leads out of the repositories that these folders lie in. Without one it may name
/// a YAML file anywhere, but no link may lead there.
pub(super) fn leaves(homes: &[&Path], path: &Path) -> bool {
    // What is not there is for the reader to say.
    let Ok(real) = fs::canonicalize(path) else { return false };
    let grounds: Vec<Ground> = homes.iter().filter_map(|home| Ground::of(home).ok()).collect();
    let within = |ground: &Ground| matches!(ground.real(path), Ok(Some(_)));
    let free = grounds.iter().all(|ground| !ground.is_repository);
    let is_named = free && super::field::is_yaml(&real) && !path.is_symlink();
    !is_named && !grounds.iter().any(within)
}

//! The policies of a run, and which of them governs a file.
//!
//! Each file is governed by its nearest policy. A policy below another one has to extend it, unless
//! it is in a repository of its own: then the outer policy keeps the files that its `keys` name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cortexkey_manifest::policy::is_builtin;

use super::boundary::{self, Boundary};
use super::names::is_yaml;
use super::paths::{absolute, shown};
use super::patterns::Patterns;
use super::{DEFAULT_POLICY, Options, RunError, load_policy};
use crate::policy::Policy;

/// The index of the policy that is nearest to where the run starts.
pub(super) const PRIMARY: usize = 0;

/// A policy of the run.
pub(super) struct LoadedPolicy {
    /// Its path as output shows it, or `builtin:…`.
    pub(super) chosen: String,
    pub(super) policy: Policy,
    pub(super) patterns: Patterns,
    /// Its folder; for a built-in policy, the folder where the command runs.
    pub(super) home: PathBuf,
    /// The folder of the topmost policy above it. Paths in a baseline start there, wherever the
    /// command runs.
    pub(super) top: PathBuf,
    /// Its files.
    pub(super) sources: BTreeSet<PathBuf>,
    /// Whether it is in a repository of its own below another policy that it does not extend.
    is_apart: bool,
    /// Why no file may be checked against it.
    pub(super) fault: Option<RunError>,
}

impl LoadedPolicy {
    pub(super) fn new(
        options: &Options,
        chosen: String,
        number: usize,
        top: Option<&Path>,
    ) -> Result<Self, RunError> {
        let policy = load_policy(options, &chosen, number, &BTreeMap::new())?;
        let home = super::home(options, &policy);
        let top = top.unwrap_or(&home).to_path_buf();
        let sources = policy.sources().filter(|(path, _)| !is_builtin(path));
        let sources = sources.map(|(path, _)| absolute(&options.folder, Path::new(path))).collect();
        let patterns = Patterns::from_policy(&options.folder, &policy)?;
        Ok(Self { chosen, policy, patterns, home, top, sources, is_apart: false, fault: None })
    }

    /// Whether a file is part of its corpus: its `keys` match or, without `keys`, it is YAML.
    fn takes(&self, path: &Path) -> bool {
        if self.patterns.any() { self.patterns.name(path) } else { is_yaml(path) }
    }
}

/// The policy that governs a file, and whether the file is in its corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Governed {
    /// The policy's index.
    pub(super) by: usize,
    /// Whether the file is part of the corpus.
    pub(super) in_corpus: bool,
}

/// The policies of a run.
pub(super) struct PolicySet<'a> {
    options: &'a Options,
    boundary: &'a Boundary,
    pub(super) loaded: Vec<LoadedPolicy>,
    by_file: BTreeMap<PathBuf, usize>,
    /// The policy for files without a policy above them.
    fallback: Option<usize>,
    /// Whether the fallback is one of several policies. It then takes only definitions.
    is_fallback_narrow: bool,
    /// Whether one policy governs all files, as with `--policy`.
    is_fixed: bool,
    /// The policies above the last folder that was looked up: files come folder by folder.
    last: Option<(PathBuf, Vec<usize>)>,
}

impl<'a> PolicySet<'a> {
    pub(super) fn new(options: &'a Options, boundary: &'a Boundary) -> Self {
        let loaded = Vec::new();
        let by_file = BTreeMap::new();
        let fallback = None;
        let is_fallback_narrow = false;
        let is_fixed = false;
        let last = None;
        Self { options, boundary, loaded, by_file, fallback, is_fallback_narrow, is_fixed, last }
    }

    /// Makes one policy govern every file.
    pub(super) fn fix(&mut self, loaded: LoadedPolicy) {
        self.is_fixed = true;
        self.fallback = Some(self.loaded.len());
        self.loaded.push(loaded);
    }

    /// Makes the default policy govern files that have no other.
    pub(super) fn default(&mut self) -> Result<(), RunError> {
        self.fall_back(DEFAULT_POLICY.to_owned())
    }

    /// Like [`default`](Self::default), if there are other policies: only the key definitions among
    /// the files without a policy are checked, since others may be YAML of other teams.
    pub(super) fn default_for_definitions(&mut self) -> Result<(), RunError> {
        self.is_fallback_narrow = true;
        self.default()
    }

    /// Whether a policy is the default one, for the definitions that no other policy governs.
    pub(super) fn takes_definitions_only(&self, by: usize) -> bool {
        self.is_fallback_narrow && self.fallback == Some(by)
    }

    fn fall_back(&mut self, chosen: String) -> Result<(), RunError> {
        let loaded = LoadedPolicy::new(self.options, chosen, self.loaded.len(), None)?;
        self.fallback = Some(self.loaded.len());
        self.loaded.push(loaded);
        // An earlier lookup found none.
        self.last = None;
        Ok(())
    }

    /// The policies above a folder, the nearest first, each read once.
    pub(super) fn above(&mut self, folder: &Path) -> Result<Vec<usize>, RunError> {
        if self.is_fixed {
            return Ok(self.fallback.into_iter().collect());
        }
        if let Some((_, policies)) = self.last.as_ref().filter(|(known, _)| known == folder) {
            return Ok(policies.clone());
        }
        let files = self.boundary.policies(folder)?;
        let top = files.last().and_then(|file| file.parent()).map(Path::to_path_buf);
        let mut policies = Vec::with_capacity(files.len());
        for (nth, file) in files.iter().enumerate() {
            policies.push(self.read(file, files.get(nth + 1), top.as_deref())?);
        }
        policies.extend(self.fallback.filter(|_| policies.is_empty()));
        self.last = Some((folder.to_path_buf(), policies.clone()));
        Ok(policies)
    }

    fn read(
        &mut self,
        file: &Path,
        above: Option<&PathBuf>,
        top: Option<&Path>,
    ) -> Result<usize, RunError> {
        if let Some(at) = self.by_file.get(file) {
            return Ok(*at);
        }
        let options = self.options;
        let mut loaded =
            LoadedPolicy::new(options, shown(&options.folder, file), self.loaded.len(), top)?;
        if let Some(above) = above.filter(|_| loaded.policy.is_usable())
            && !extends(&loaded, above)
        {
            loaded.is_apart = Boundary::is_apart(file, above);
            let fault = || boundary::below_another(&options.folder, file, above);
            loaded.fault = (!loaded.is_apart).then(fault);
        }
        let at = self.loaded.len();
        self.loaded.push(loaded);
        self.by_file.insert(file.to_path_buf(), at);
        Ok(at)
    }

    /// What governs a file; `None` if no policy is above it.
    pub(super) fn governs(&mut self, path: &Path) -> Result<Option<Governed>, RunError> {
        let above = self.above(path.parent().unwrap_or(path))?;
        let nearest = self.first_of(&above, path);
        if nearest.is_some_and(|nearest| nearest.in_corpus) {
            return Ok(nearest);
        }
        // The `keys` of a parent in another folder count there.
        let names = |loaded: &LoadedPolicy| loaded.patterns.name(path);
        let elsewhere = self.loaded.iter().position(names);
        Ok(elsewhere.map(|by| Governed { by, in_corpus: true }).or(nearest))
    }

    fn first_of(&self, policies: &[usize], path: &Path) -> Option<Governed> {
        let (by, above) = policies.split_first()?;
        let own = &self.loaded[*by];
        // An inner repository does not remove files that an outer policy names.
        if own.is_apart
            && let Some(outer) = self.first_of(above, path).filter(|outer| outer.in_corpus)
        {
            return Some(outer);
        }
        let in_corpus = !self.takes_definitions_only(*by) && own.takes(path);
        Some(Governed { by: *by, in_corpus })
    }

    /// Whether a file's path makes it part of a policy's corpus.
    pub(super) fn takes(&self, by: usize, path: &Path) -> bool {
        !self.is_of_policy(path) && self.loaded[by].takes(path)
    }

    /// Whether a folder may contain files of any corpus.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        self.loaded.iter().enumerate().any(|(at, loaded)| {
            let patterns = &loaded.patterns;
            if patterns.any() {
                patterns.reach(folder)
            } else {
                !self.takes_definitions_only(at) && folder.starts_with(&loaded.home)
            }
        })
    }

    /// Whether the `keys` of a policy may name files below a folder.
    pub(super) fn keys_reach(&self, folder: &Path) -> bool {
        let mut patterns = self.loaded.iter().map(|loaded| &loaded.patterns);
        patterns.any(|patterns| patterns.any() && patterns.reach(folder))
    }

    /// Whether a file is in a folder that the `keys` of a policy search, whatever its name.
    pub(super) fn is_below_keys(&self, path: &Path) -> bool {
        self.loaded.iter().any(|loaded| loaded.patterns.start_above(path))
    }

    /// Whether the paths of the command line are the corpus, since the one policy has no `keys` and
    /// is not above certain files.
    pub(super) fn takes_what_is_given(&self) -> bool {
        !self.is_fallback_narrow
            && self.fallback == Some(PRIMARY)
            && self.loaded.get(PRIMARY).is_some_and(|loaded| !loaded.patterns.any())
    }

    /// Whether a file belongs to a policy, or is the lock file beside one.
    pub(super) fn is_of_policy(&self, path: &Path) -> bool {
        let is_lock =
            path.file_name().is_some_and(|name| name == cortexkey_manifest::lock::FILE_NAME);
        self.by_file.contains_key(path)
            || self.loaded.iter().any(|loaded| {
                loaded.sources.contains(path)
                    || (is_lock && path.parent() == Some(loaded.home.as_path()))
            })
    }

    /// The policies that a policy file or lock file belongs to.
    pub(super) fn of_policy(&self, path: &Path) -> BTreeSet<usize> {
        let has = |loaded: &LoadedPolicy| {
            loaded.sources.contains(path) || path.parent() == Some(loaded.home.as_path())
        };
        let all = self.loaded.iter().enumerate().filter(|(_, loaded)| has(loaded));
        all.map(|(at, _)| at).collect()
    }
}

/// Whether a policy extends a file, by whatever path.
fn extends(loaded: &LoadedPolicy, file: &Path) -> bool {
    loaded.sources.contains(file)
        || std::fs::canonicalize(file).is_ok_and(|file| {
            let real = |source: &PathBuf| std::fs::canonicalize(source).ok();
            loaded.sources.iter().filter_map(real).any(|source| source == file)
        })
}

//! [`Watched`]: detects that a run may have a different result.
//!
//! It compares the sizes and modification times of files and the names in folders. This works on
//! every file system, in containers and over a network, and needs no notification service.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cortexkey_manifest::policy::is_builtin;
use walkdir::WalkDir;

use super::paths::absolute;
use super::patterns::Patterns;
use super::{Options, RunOutcome, baseline_path};
use crate::policy::Policy;

/// Folders that are watched.
const FOLDERS_MAX: usize = 50_000;
/// Folders that hold no definitions and change often.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];
/// File systems round the time of a change down.
const ROUNDING: Duration = Duration::from_millis(50);

/// The state of a file or folder. For a folder, only its names count, since a report that is
/// written into it is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stamp {
    Missing,
    File(u64, Option<SystemTime>),
    Folder(BTreeSet<OsString>),
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let Ok(metadata) = std::fs::metadata(path) else { return Self::Missing };
        if !metadata.is_dir() {
            return Self::File(metadata.len(), metadata.modified().ok());
        }
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        Self::Folder(entries.map(|entry| entry.file_name()).collect())
    }
}

/// The files and folders of a run, as they were at a moment.
#[derive(Clone, Debug)]
pub struct Watched {
    stamps: BTreeMap<PathBuf, Stamp>,
    taken: SystemTime,
    /// Whether something changed while the run read it.
    changed_during_run: bool,
}

impl Default for Watched {
    /// Nothing, before the first run.
    fn default() -> Self {
        Self { stamps: BTreeMap::new(), taken: SystemTime::now(), changed_during_run: false }
    }
}

impl Watched {
    /// Reads the current state of the same files and folders; call it before a run.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let taken = SystemTime::now();
        let stamps = self.stamps.keys().map(|path| (path.clone(), Stamp::of(path))).collect();
        Self { stamps, taken, changed_during_run: false }
    }

    /// What a run has read, as it is when the run has ended; `before` is what was taken before it,
    /// and stays if the run could not start or read its policies or any file.
    #[must_use]
    pub fn after(options: &Options, outcome: &RunOutcome, before: &Self) -> Self {
        let files = outcome.corpus.files.iter().filter_map(|file| file.disk_path.clone());
        let mut paths: BTreeSet<PathBuf> = files.collect();
        let mut policies = outcome.policy.iter().chain(&outcome.others);
        let is_incomplete = outcome.report.is_none()
            || outcome.corpus.files.is_empty()
            || policies.any(|policy| !policy.is_usable());
        if is_incomplete {
            paths.extend(before.stamps.keys().cloned());
            // A policy that could not be read is not among the policy's sources, but has findings.
            let sources = outcome.report.iter().flat_map(|report| &report.sources);
            let own = sources.filter(|source| source.is_of_policy() && !is_builtin(&source.path));
            paths.extend(own.map(|source| absolute(&options.folder, Path::new(&source.path))));
        }
        for policy in outcome.policy.iter().chain(&outcome.others) {
            paths.extend(own_files(options, policy));
            paths.extend(folders(options, policy));
        }
        let stamps: BTreeMap<PathBuf, Stamp> =
            paths.into_iter().map(|path| (path.clone(), Stamp::of(&path))).collect();
        let changed_during_run = stamps.iter().any(|(path, stamp)| match before.stamps.get(path) {
            Some(old) => old != stamp,
            None => changed_since(path, before.taken),
        });
        Self { stamps, taken: SystemTime::now(), changed_during_run }
    }

    /// True when something has changed since.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed_during_run || self.stamps.iter().any(|(path, old)| Stamp::of(path) != *old)
    }

    /// True when nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }
}

/// Whether a path changed between a moment and now. A time in the future says nothing about it.
fn changed_since(path: &Path, moment: SystemTime) -> bool {
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let moment = moment.checked_sub(ROUNDING).unwrap_or(moment);
    changed.is_ok_and(|changed| changed >= moment && changed <= SystemTime::now())
}

/// A policy's files, its baseline and its lock file, whether they exist yet or not.
pub(super) fn own_files(options: &Options, policy: &Policy) -> Vec<PathBuf> {
    let own = policy.sources().filter(|(path, _)| !is_builtin(path));
    let mut files: Vec<PathBuf> =
        own.map(|(path, _)| absolute(&options.folder, Path::new(path))).collect();
    files.push(baseline_path(options, policy));
    files.push(super::home(options, policy).join(cortexkey_manifest::lock::FILE_NAME));
    files
}

/// The folders that new files of a policy's corpus appear in.
fn folders(options: &Options, policy: &Policy) -> Vec<PathBuf> {
    let bases: Vec<PathBuf> = match Patterns::from_policy(&options.folder, policy) {
        Ok(patterns) if patterns.any() => patterns.bases().map(Path::to_path_buf).collect(),
        _ => vec![absolute(&options.folder, Path::new(""))],
    };
    let is_wanted = |entry: &walkdir::DirEntry| {
        entry.file_type().is_dir() && !SKIPPED.iter().any(|name| entry.file_name() == *name)
    };
    let below =
        bases.iter().flat_map(|base| WalkDir::new(base).into_iter().filter_entry(is_wanted));
    below.flatten().take(FOLDERS_MAX).map(walkdir::DirEntry::into_path).collect()
}

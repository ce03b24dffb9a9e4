//! Reads the files that belong to a policy and are not definitions: its lock file, its cases, its
//! parents, and the corpus at an earlier revision.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_manifest::lock::FILE_NAME;
use cortexkey_manifest::{Problem, ProblemKind, Span, quote};
use globset::GlobBuilder;
use walkdir::WalkDir;

use super::paths::{absolute, shown};
use super::patterns::literal;
use super::{Options, RunError, boundary, open, revision};
use crate::cases::CaseFile;
use crate::model::{EarlierCorpus, LockedKeys};
use crate::policy::Policy;

/// The corpus at the revision of `--since`.
pub(super) fn before(
    options: &Options,
    home: &Path,
    belongs: &dyn Fn(&Path) -> bool,
) -> Result<Option<EarlierCorpus>, RunError> {
    let Some(asked) = &options.since else { return Ok(None) };
    let root = home.ancestors().find(|folder| boundary::is_repository(folder));
    let root = root.ok_or_else(|| {
        RunError::new(format!("--since needs git, but {} is in no repository", home.display()))
    })?;
    revision::before(root, home, asked, &options.limits, belongs).map(Some)
}

/// The files that the policy's `tests` name. A pattern that matches none is an error.
pub(super) fn cases(
    options: &Options,
    policy: &Policy,
    home: &Path,
) -> Result<Vec<CaseFile>, RunError> {
    let mut files: BTreeMap<PathBuf, CaseFile> = BTreeMap::new();
    for pattern in policy.tests() {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| format!("`tests`: {error}"))?.compile_matcher();
        let root = absolute(home, Path::new(literal(pattern)));
        let mut any = false;
        for entry in WalkDir::new(&root).sort_by_file_name() {
            let entry = entry.map_err(|error| format!("`tests`: {error}"))?;
            let path = entry.path();
            let below = path.strip_prefix(home).ok().is_some_and(|path| glob.is_match(path));
            if !below || entry.file_type().is_dir() {
                continue;
            }
            any = true;
            let name = shown(&options.folder, path);
            let bytes = read_inside(options, home, path).map_err(|why| why.message(&name))?;
            files.insert(path.to_path_buf(), CaseFile::new(name, bytes, &options.limits));
        }
        if !any {
            return Err(RunError::new(format!("`tests`: no file matches {}", quote(pattern))));
        }
    }
    Ok(files.into_values().collect())
}

/// The lock file beside the policy, if it has one.
pub(super) fn lock(options: &Options, home: &Path) -> Option<LockedKeys> {
    let path = home.join(FILE_NAME);
    let name = shown(&options.folder, &path);
    let bytes = match read_inside(options, home, &path) {
        Err(open::OpenError::System(error)) if error.kind() == io::ErrorKind::NotFound => {
            return None;
        }
        bytes => bytes,
    };
    let read = bytes.map(|bytes| LockedKeys::new(name.as_str(), bytes, &options.limits));
    Some(read.unwrap_or_else(|why| {
        let mut lock = LockedKeys::new(name, Vec::new(), &options.limits);
        let problem =
            Problem::new(ProblemKind::YamlSyntax, Span::default(), why.finding(&options.limits));
        lock.problems = vec![problem.help(why.help())];
        lock
    }))
}

/// Reads a file that a policy names, unless a link or path leads out of the repository.
pub(super) fn read_inside(
    options: &Options,
    home: &Path,
    path: &Path,
) -> Result<Vec<u8>, open::OpenError> {
    if boundary::leaves(&[home, &options.folder], path) {
        return Err(open::OpenError::Leaves);
    }
    open::read(path, &options.limits)
}

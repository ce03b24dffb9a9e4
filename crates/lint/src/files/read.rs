//! Reads the files that were found; in parallel if there are many.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cortexkey_manifest::yaml::YamlLimits;

use super::names::{has_policy_name, is_yaml, may_define};
use super::paths::shown_whole;
use super::policy_set::LoadedPolicy;
use super::search::{is_policy_alone, name};
use super::to_read::{FileToRead, Origin, Role};
use super::{Options, RunError, git, open};
use crate::engine::{FileLinter, FileResult};
use crate::model::{Claim, CorpusFile, may_claim};
use crate::parallel;

/// A file with its own findings; `None` if it is not part of the corpus after all.
pub(super) type Read = Option<(CorpusFile, FileResult)>;

/// Reads, parses and checks the files, in order. `linters` has one linter per policy, or none if the
/// run is going to change files.
pub(super) fn all(
    options: &Options,
    loaded: &[LoadedPolicy],
    wanted: &mut [FileToRead],
    linters: &[FileLinter<'_>],
) -> Result<Vec<Read>, RunError> {
    from_index(wanted)?;
    options.progress.all.store(wanted.len(), Ordering::Relaxed);
    let tops: Vec<&Path> = loaded.iter().map(|loaded| loaded.top.as_path()).collect();
    let one = |item: &FileToRead| {
        options.progress.done.fetch_add(1, Ordering::Relaxed);
        let bytes = bytes(options, item);
        let cannot_claim = match &bytes {
            Ok(bytes) => !is_wanted(options, item) && !may_claim(bytes),
            Err(_) => item.role == Role::Outside,
        };
        if cannot_claim {
            return None;
        }
        let is_unread = bytes.is_err();
        // A file that crashes the reader must not disappear from the report.
        let read = catch_unwind(AssertUnwindSafe(|| parse(options, item, bytes)));
        let mut file = read.unwrap_or_else(|_| {
            let why = "cannot be read: the reader failed on this file";
            CorpusFile::unreadable(name(options, &item.path), why, "report it, with the file")
        });
        let must_be_read = is_wanted(options, item) || is_yaml(&item.path);
        let is_missed = item.role == Role::Perhaps && is_unread && must_be_read;
        let is_certain = item.role == Role::Corpus || is_missed;
        if !is_certain {
            let claim = match file.claim() {
                Claim::Yes(claim) => claim,
                // A guide or a script may contain an example.
                Claim::Unclear(claim) if may_define(&item.path) => claim,
                Claim::Unclear(_) | Claim::No => return None,
            };
            if item.role == Role::Outside {
                file.leave_out(claim);
            }
        }
        // A policy among the keys is skipped if it was loaded, or if no `keys` name definitions.
        let is_named = loaded[item.by].patterns.any() && !has_policy_name(&item.path);
        if item.role == Role::Corpus && !is_named && is_policy_alone(&file) {
            return None;
        }
        file.policy = item.by;
        file.disk_path = disk_path(item);
        file.policy_path = tops.get(item.by).and_then(|top| shown_whole(top, &item.path));
        let linter = linters.get(item.by);
        let result = linter.map(|linter| linter.check(&file)).unwrap_or_default();
        // A checked file is rarely needed again, and all trees together are large.
        if let (Some(_), Some(tree)) = (linter, Arc::get_mut(&mut file.tree)) {
            tree.forget();
        }
        Some((file, result))
    };
    Ok(parallel::map(wanted, options.jobs, one))
}

/// Whether a file is part of a corpus, or may be and a path of the command line leads to it.
fn is_wanted(options: &Options, item: &FileToRead) -> bool {
    item.role == Role::Corpus || (item.role == Role::Perhaps && !options.paths.is_empty())
}

/// Where a file can be written.
fn disk_path(item: &FileToRead) -> Option<PathBuf> {
    matches!(item.origin, Origin::Disk).then(|| item.path.clone())
}

/// Reads the files that are not in the work tree from the index, all at once.
fn from_index(wanted: &mut [FileToRead]) -> Result<(), RunError> {
    let mut by_root: BTreeMap<PathBuf, Vec<(String, usize)>> = BTreeMap::new();
    for (at, item) in wanted.iter().enumerate() {
        if let Origin::Index(blob) = &item.origin {
            by_root.entry(blob.root.clone()).or_default().push((blob.id.clone(), at));
        }
    }
    for (root, items) in by_root {
        let ids: Vec<&str> = items.iter().map(|(id, _)| id.as_str()).collect();
        for (bytes, (_, at)) in git::blobs(&root, &ids)?.into_iter().zip(&items) {
            wanted[*at].origin = Origin::Bytes(Ok(bytes));
        }
    }
    Ok(())
}

fn bytes(options: &Options, item: &FileToRead) -> Result<Vec<u8>, open::OpenError> {
    let limits = &limits(options, item);
    match &item.origin {
        Origin::Disk if item.role == Role::Outside => open::search(&item.path, &options.limits),
        Origin::Disk => open::read(&item.path, limits),
        Origin::Bytes(Ok(bytes)) if bytes.len() > limits.bytes => {
            Err(open::OpenError::Large(bytes.len() as u64))
        }
        Origin::Bytes(bytes) => bytes.clone(),
        Origin::Unreadable(why) => Err(why.clone()),
        Origin::Index(_) => Err(open::OpenError::system(std::io::ErrorKind::NotFound.into())),
    }
}

/// How much of a file is read. A file of a corpus may not be large; any other may not hide a
/// definition by its size.
fn limits(options: &Options, item: &FileToRead) -> YamlLimits {
    match item.role {
        Role::Outside => YamlLimits { bytes: open::SEARCHED_BYTES_MAX, ..options.limits },
        Role::Corpus | Role::Perhaps => options.limits,
    }
}

fn parse(
    options: &Options,
    item: &FileToRead,
    bytes: Result<Vec<u8>, open::OpenError>,
) -> CorpusFile {
    match bytes {
        Ok(bytes) => {
            let file = CorpusFile::new(name(options, &item.path), bytes, &limits(options, item));
            CorpusFile { reported: item.reported, ..file }
        }
        Err(why) => unread(options, item, &why),
    }
}

fn unread(options: &Options, item: &FileToRead, why: &open::OpenError) -> CorpusFile {
    let limits = &options.limits;
    let file = CorpusFile::unreadable(name(options, &item.path), &why.finding(limits), why.help());
    let readable = matches!(why, open::OpenError::Large(_));
    CorpusFile { reported: item.reported, readable, ..file }
}

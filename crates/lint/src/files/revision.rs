//! The corpus at an earlier revision: the files that belong to it, those behind links, and those of
//! submodules at the commits that the revision names.
//!
//! A file that is not available, such as one of a submodule's commit that was never fetched, is
//! skipped: its keys then count as new, which reports too much rather than too little.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use cortexkey_manifest::yaml::YamlLimits;

use super::git::{self, TreeEntry};
use super::{RunError, boundary};
use crate::model::{CorpusFile, EarlierCorpus};

/// How many links in a row, and how many nested submodules, are followed.
const DEPTH_MAX: usize = 8;

/// Reads the files of a revision that `belongs` accepts; their paths start below `home`.
pub(super) fn before(
    root: &Path,
    home: &Path,
    revision: &str,
    limits: &YamlLimits,
    belongs: &dyn Fn(&Path) -> bool,
) -> Result<EarlierCorpus, RunError> {
    let commit = git::commit(root, revision)?;
    let entries = git::tree(root, &commit)?;
    let mut files = Vec::new();
    of_repository(root, &entries, belongs, limits, &mut files)?;
    for entry in entries.iter().filter(|entry| entry.mode == "160000") {
        of_submodule(&root.join(&entry.path), &entry.id, belongs, limits, &mut files, 1);
    }
    let files = files.into_iter().map(|(path, bytes)| {
        let below = path.strip_prefix(home).unwrap_or(&path);
        CorpusFile::new(below.to_string_lossy(), bytes, limits)
    });
    Ok(EarlierCorpus { revision: revision.to_owned(), files: files.collect() })
}

type Files = Vec<(PathBuf, Vec<u8>)>;

fn of_submodule(
    root: &Path,
    commit: &str,
    belongs: &dyn Fn(&Path) -> bool,
    limits: &YamlLimits,
    files: &mut Files,
    depth: usize,
) {
    if depth > DEPTH_MAX || !boundary::is_repository(root) {
        return;
    }
    let Ok(entries) = git::tree(root, commit) else { return };
    if of_repository(root, &entries, belongs, limits, files).is_err() {
        return;
    }
    for entry in entries.iter().filter(|entry| entry.mode == "160000") {
        of_submodule(&root.join(&entry.path), &entry.id, belongs, limits, files, depth + 1);
    }
}

/// The files of one repository's tree.
fn of_repository(
    root: &Path,
    entries: &[TreeEntry],
    belongs: &dyn Fn(&Path) -> bool,
    limits: &YamlLimits,
    files: &mut Files,
) -> Result<(), RunError> {
    let tree = Tree::read(root, entries)?;
    let mut wanted: Vec<(PathBuf, &str)> = Vec::new();
    for (path, id) in &tree.regular {
        if belongs(&root.join(path)) {
            wanted.push((root.join(path), id));
        }
    }
    // A file that is reached only through links is kept under the first of them.
    let mut known: BTreeSet<&str> = wanted.iter().map(|(_, id)| *id).collect();
    for (alias, id) in tree.behind_links() {
        if belongs(&root.join(&alias)) && known.insert(id) {
            wanted.push((root.join(alias), id));
        }
    }
    let ids: Vec<&str> = wanted.iter().map(|(_, id)| *id).collect();
    let blobs = git::blobs(root, &ids)?;
    // A file over the limit was not checked at that revision either.
    let read = wanted.into_iter().zip(blobs).filter(|(_, bytes)| bytes.len() <= limits.bytes);
    files.extend(read.map(|((path, _), bytes)| (path, bytes)));
    Ok(())
}

/// The regular files and the links of a tree, by their paths from its root.
struct Tree<'e> {
    regular: BTreeMap<&'e Path, &'e str>,
    /// Each link with its target; links out of the repository are left out.
    links: BTreeMap<&'e Path, PathBuf>,
}

impl<'e> Tree<'e> {
    fn read(root: &Path, entries: &'e [TreeEntry]) -> Result<Self, RunError> {
        let of_mode = |mode: &'static str| {
            let entries = entries.iter().filter(move |entry| entry.mode.starts_with(mode));
            entries.map(|entry| (entry.path.as_path(), entry.id.as_str()))
        };
        let links: Vec<_> = of_mode("120000").collect();
        let ids: Vec<&str> = links.iter().map(|(_, id)| *id).collect();
        let targets = git::blobs(root, &ids)?;
        let links = links.into_iter().zip(targets).filter_map(|((path, _), target)| {
            let target = String::from_utf8(target).ok()?;
            Some((path, joined(path.parent()?, Path::new(&target))?))
        });
        Ok(Self { regular: of_mode("100").collect(), links: links.collect() })
    }

    /// Each file that a link leads to, directly or through its folder, under the link's path.
    fn behind_links(&self) -> Vec<(PathBuf, &'e str)> {
        let mut found = Vec::new();
        for link in self.links.keys() {
            let Some(target) = self.end_of(link) else { continue };
            if let Some(id) = self.regular.get(target) {
                found.push((link.to_path_buf(), *id));
                continue;
            }
            for (path, id) in self.regular.range(target..) {
                let Ok(below) = path.strip_prefix(target) else { break };
                found.push((link.join(below), *id));
            }
        }
        found
    }

    /// Where a chain of links ends.
    fn end_of<'t>(&'t self, link: &'t Path) -> Option<&'t Path> {
        let mut at = link;
        for _ in 0..DEPTH_MAX {
            match self.links.get(at) {
                Some(next) => at = next,
                None => return Some(at),
            }
        }
        None
    }
}

/// A link's target from the repository's root; `None` if it leaves the repository.
fn joined(folder: &Path, target: &Path) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for part in target.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

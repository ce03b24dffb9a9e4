//! The nearest policy upwards.
//!
//! Stops at the root of a repository, so that a file in somebody's home folder does not judge the
//! keys of a checkout.

use std::path::{Path, PathBuf};

use super::paths::absolute;

/// Names of a policy file, the first before the second.
pub const POLICY_NAMES: [&str; 2] = ["cortexkey.yaml", ".cortexkey.yaml"];

/// The policy of some paths: the one that is nearest to all of them, else the one that is nearest
/// to the folder that the command runs in.
pub(super) fn policy(folder: &Path, paths: &[&Path]) -> Result<Option<PathBuf>, String> {
    let here = upwards(folder);
    let mut found: Vec<Option<PathBuf>> = Vec::new();
    for path in paths {
        let path = absolute(folder, path);
        let start = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        let nearest = upwards(start);
        if !found.contains(&nearest) {
            found.push(nearest);
        }
    }
    if let [one] = found.as_slice() {
        return Ok(one.clone());
    }
    if here.is_some() || found.is_empty() {
        return Ok(here);
    }
    let mut found: Vec<PathBuf> = found.into_iter().flatten().collect();
    found.sort();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [first, second, ..] => Err(format!(
            "these paths fall under two policies, {} and {}: run once for each, or name one with \
             --policy",
            super::paths::shown(folder, first),
            super::paths::shown(folder, second)
        )),
    }
}

fn upwards(start: &Path) -> Option<PathBuf> {
    for folder in start.ancestors() {
        let file = POLICY_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        if file.is_some() {
            return file;
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

//! A policy's `keys`: the patterns of the files in its corpus.
//!
//! The patterns of all layers count, each from its own file's folder: a child adds files to its
//! parents' corpus, and removes none.

use std::path::{Path, PathBuf};

use cortexkey_manifest::quote;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::RunError;
use super::paths::absolute;
use crate::policy::Policy;

/// The patterns of one layer.
struct Layer {
    set: GlobSet,
    /// The absolute folder that they start from.
    base: PathBuf,
    /// The folder below which each of them matches.
    roots: Vec<PathBuf>,
}

/// The `keys` of a policy; empty if no layer has any.
pub(super) struct Patterns {
    layers: Vec<Layer>,
}

impl Patterns {
    /// `folder` is what the layers' paths are relative to.
    pub(super) fn from_policy(folder: &Path, policy: &Policy) -> Result<Self, RunError> {
        let layers = policy.keys().map(|(path, keys)| {
            let file = absolute(folder, Path::new(path));
            let base = file.parent().unwrap_or(&file).to_path_buf();
            let patterns: Vec<&str> = keys.iter().map(|key| key.value.as_str()).collect();
            layer(path, base, &patterns)
        });
        Ok(Self { layers: layers.collect::<Result<_, _>>()? })
    }

    /// Whether any layer names files.
    pub(super) fn any(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Whether a pattern matches a file.
    pub(super) fn name(&self, path: &Path) -> bool {
        self.layers
            .iter()
            .any(|layer| path.strip_prefix(&layer.base).is_ok_and(|path| layer.set.is_match(path)))
    }

    /// The folders that the patterns start from.
    pub(super) fn bases(&self) -> impl Iterator<Item = &Path> {
        self.layers.iter().map(|layer| layer.base.as_path())
    }

    /// Whether a file is below a folder that a pattern starts with.
    pub(super) fn start_above(&self, path: &Path) -> bool {
        self.layers.iter().flat_map(|layer| &layer.roots).any(|root| path.starts_with(root))
    }

    /// Whether a folder may contain files that match.
    pub(super) fn reach(&self, folder: &Path) -> bool {
        let mut roots = self.layers.iter().flat_map(|layer| &layer.roots);
        roots.any(|root| root.starts_with(folder) || folder.starts_with(root))
    }
}

fn layer(path: &str, base: PathBuf, patterns: &[&str]) -> Result<Layer, RunError> {
    let mut set = GlobSetBuilder::new();
    let mut roots = Vec::new();
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        if pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
            let pattern = quote(pattern);
            return Err(RunError::new(format!(
                "{path}: the pattern {pattern} in `keys` leaves the policy's folder"
            ))
            .help("move the policy up, or the keys below it"));
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| format!("{path}: `keys`: {error}"))?);
        roots.push(absolute(&base, Path::new(literal(pattern))));
    }
    let set = set.build().map_err(|error| format!("{path}: `keys`: {error}"))?;
    Ok(Layer { set, base, roots })
}

/// What a pattern of the command line excludes: the files that it matches, and all files below a
/// folder that it matches.
pub(super) fn exclusion(pattern: &str) -> Result<GlobSet, RunError> {
    let own = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
    if own.is_empty() || own.starts_with('/') || own.split('/').any(|part| part == "..") {
        let pattern = quote(pattern);
        let message = format!("--exclude {pattern} is not a pattern below the current folder");
        return Err(RunError::new(message));
    }
    let mut set = GlobSetBuilder::new();
    for pattern in [own.to_owned(), format!("{own}/**")] {
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| format!("--exclude: {error}"))?);
    }
    set.build().map_err(|error| RunError::new(format!("--exclude: {error}")))
}

/// The folders that a pattern starts with, up to the first wildcard.
pub(super) fn literal(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len());
    let end = pattern.get(..wild).and_then(|plain| plain.rfind('/'));
    pattern.get(..end.unwrap_or(0)).unwrap_or_default()
}

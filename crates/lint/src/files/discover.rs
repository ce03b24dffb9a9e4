//! The nearest policy upwards.
//!
//! Stops at the root of a repository, so that a file in somebody's home folder does not judge the
//! keys of a checkout.

use std::path::{Path, PathBuf};

use super::paths::absolute;

/// Names of a policy file, the first before the second.
pub const POLICY_NAMES: [&str; 2] = ["cortexkey.yaml", ".cortexkey.yaml"];

/// The one policy of all given paths, or of the folder that the command runs in where none is
/// given. Paths that fall under different policies are refused: judged together, some of them
/// would be held against rules that are not theirs, or against none.
pub(super) fn policy(folder: &Path, paths: &[&Path]) -> Result<Option<PathBuf>, String> {
    let mut first: Option<(&Path, Option<PathBuf>)> = None;
    for path in paths {
        let whole = absolute(folder, path);
        let start = if whole.is_dir() { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
        let nearest = upwards(start)?;
        match &first {
            None => first = Some((path, nearest)),
            Some((_, known)) if *known == nearest => {}
            Some((other, known)) => {
                return Err(format!(
                    "these paths fall under two policies: {} under {}, {} under {}; run once for \
                     each, or name one with --policy",
                    other.display(),
                    named(folder, known.as_deref()),
                    path.display(),
                    named(folder, nearest.as_deref()),
                ));
            }
        }
    }
    first.map_or_else(|| upwards(folder), |(_, policy)| Ok(policy))
}

/// The next policy of the repository above a policy.
pub(super) fn above(policy: &Path) -> Result<Option<PathBuf>, String> {
    let home = policy.parent().filter(|home| !home.join(".git").exists());
    home.and_then(Path::parent).map_or(Ok(None), upwards)
}

/// True when a policy lies above, or in, the folder that the command runs in.
pub(super) fn is_above(folder: &Path, policy: &Path) -> bool {
    policy.parent().is_some_and(|home| absolute(folder, Path::new("")).starts_with(home))
}

fn named(folder: &Path, policy: Option<&Path>) -> String {
    policy.map_or_else(
        || format!("none (which means {})", super::DEFAULT_POLICY),
        |policy| super::paths::shown(folder, policy),
    )
}

fn upwards(start: &Path) -> Result<Option<PathBuf>, String> {
    for folder in start.ancestors() {
        let mut files =
            POLICY_NAMES.iter().map(|name| folder.join(name)).filter(|path| path.is_file());
        match (files.next(), files.next()) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "two policies in {}: {} and {}; keep one of them",
                    folder.display(),
                    POLICY_NAMES[0],
                    POLICY_NAMES[1]
                ));
            }
            (Some(file), None) => return Ok(Some(file)),
            _ => {}
        }
        if folder.join(".git").exists() {
            return Ok(None);
        }
    }
    Ok(None)
}

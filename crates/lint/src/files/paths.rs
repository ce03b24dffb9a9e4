//! Paths as output shows them: relative to where the command runs, with `/`. On systems where `\` is
//! part of names, it stays.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

/// An absolute path without `.` and `..`; links are not followed.
pub(super) fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A path as output shows it.
pub(super) fn shown(folder: &Path, path: &Path) -> String {
    shown_whole(folder, &absolute(folder, path)).unwrap_or_else(|| path.to_string_lossy().into())
}

/// Like [`shown`], for an absolute path; `None` if no relative path leads there.
pub(super) fn shown_whole(folder: &Path, path: &Path) -> Option<String> {
    let way = match path.strip_prefix(folder) {
        Ok(below) => Cow::Borrowed(below),
        Err(_) => Cow::Owned(relative(folder, path)?),
    };
    let text = slashed(&way);
    Some(if text.is_empty() { ".".to_owned() } else { text })
}

#[cfg(windows)]
pub(super) fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(not(windows))]
pub(super) fn slashed(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The relative path from a folder to an absolute path.
pub(super) fn relative(folder: &Path, path: &Path) -> Option<PathBuf> {
    let folder = absolute(folder, Path::new(""));
    if let Ok(below) = path.strip_prefix(&folder) {
        return Some(below.to_path_buf());
    }
    let common = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return None;
    }
    let ups = folder.components().skip(common).map(|_| Component::ParentDir);
    Some(ups.chain(path.components().skip(common)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_relative_to_the_folder() {
        let show = |path: &str| shown(Path::new("/repo/sub"), Path::new(path));
        assert_eq!(show("a.yaml"), "a.yaml");
        assert_eq!(show("./x/../a.yaml"), "a.yaml");
        assert_eq!(show("/repo/keys/a.yaml"), "../keys/a.yaml");
        assert_eq!(show("/repo/sub"), ".");
        assert_eq!(show("/repo/sub/keys/a.yaml"), "keys/a.yaml");
        // Characters alone do not make a name a path.
        #[cfg(unix)]
        assert_eq!(show("/repo/sub/keys/a\\b.yaml"), "keys/a\\b.yaml");
    }
}

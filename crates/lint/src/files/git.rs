//! What git knows of the corpus: how it was at an earlier revision, and which of its files are
//! part of the repository although they are ignored.
//!
//! It asks the program `git` and nothing else, changes nothing, and refuses a revision that git
//! does not know: compared with nothing, every key would look new.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cortexkey_manifest::yaml::Limits;
use cortexkey_manifest::{escape, quote};

use crate::corpus::{Before, CorpusFile};

/// Reads the files of a revision that `belongs` wants, by their paths below `folder`.
pub(super) fn before(
    folder: &Path,
    revision: &str,
    limits: &Limits,
    belongs: &dyn Fn(&Path) -> bool,
) -> Result<Before, String> {
    let name = quote(revision);
    let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let commit = format!("{revision}^{{commit}}");
    let commit = git(folder, &[&verify[..], &[commit.as_str()]].concat(), None);
    let commit = commit.map_err(|why| match why {
        Some(why) => format!("--since asks git: {why}"),
        None => format!("git knows no revision {name}; write one as `main` or `HEAD~1`"),
    })?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let list = git(folder, &["ls-tree", "-r", "-z", &commit], None)
        .map_err(|why| why.unwrap_or_else(|| format!("git cannot list the files of {name}")))?;
    let entries = list.split(|byte| *byte == 0).filter_map(|entry| {
        let entry = std::str::from_utf8(entry).ok()?;
        let (about, path) = entry.split_once('\t')?;
        let mut about = about.split(' ');
        // A link is not a file of its own.
        let mode = about.next()?;
        let id = about.nth(1)?;
        let regular = mode.starts_with("100") && belongs(&folder.join(path));
        regular.then(|| (path.to_owned(), id.to_owned()))
    });
    let entries: Vec<(String, String)> = entries.collect();
    let ids: String = entries.iter().map(|(_, id)| format!("{id}\n")).collect();
    let blobs = git(folder, &["cat-file", "--batch"], Some(ids.as_bytes()))
        .map_err(|why| why.unwrap_or_else(|| format!("git cannot read the files of {name}")))?;
    let mut files = Vec::with_capacity(entries.len());
    let mut rest = blobs.as_slice();
    for (path, _) in entries {
        let (bytes, left) =
            blob(rest).ok_or_else(|| format!("git does not give {}", quote(&path)))?;
        rest = left;
        // What is too large was not judged then either.
        if bytes.len() <= limits.bytes {
            files.push(CorpusFile::new(path, bytes.to_vec(), limits));
        }
    }
    Ok(Before { revision: revision.to_owned(), files })
}

/// Files below a folder that are ignored and yet part of the repository: somebody has forced them
/// in, and whoever checks it out gets them.
pub(super) fn tracked_though_ignored(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let ask = ["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"];
    let list = git(folder, &ask, None).map_err(|why| {
        let why = why.unwrap_or_else(|| "git does not say".to_owned());
        format!(
            "files that git ignores are not judged, even if they are part of the repository: {why}"
        )
    })?;
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| Some(folder.join(std::str::from_utf8(name).ok()?))).collect())
}

/// One answer of `cat-file --batch`: a line with the size, the bytes, and a line feed.
fn blob(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(text.get(..end)?).ok()?;
    let size: usize = line.rsplit(' ').next()?.parse().ok()?;
    let start = end + 1;
    Some((text.get(start..start + size)?, text.get(start + size + 1..)?))
}

/// What git prints; an error with words where git itself could not be asked.
fn git(folder: &Path, args: &[&str], input: Option<&[u8]>) -> Result<Vec<u8>, Option<String>> {
    let mut command = cortexkey_system::command("git");
    command.arg("-C").arg(folder).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A hook may run for another index or folder than the files lie in.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0");
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command
        .spawn()
        .map_err(|error| Some(format!("the program `git` cannot be run: {error}")))?;
    let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
        let input = input.to_vec();
        // Written while the answer is read, or both would wait for each other.
        std::thread::spawn(move || stdin.write_all(&input))
    });
    let output = child.wait_with_output().map_err(|error| Some(format!("git failed: {error}")))?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    Err((!said.is_empty()).then(|| format!("git says: {}", escape(said))))
}

//! Gets the files of a repository, and their contents at a revision, from git. It runs the program
//! `git` and changes nothing. A failure of git is an error, never an empty list.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cortexkey_manifest::{escape, quote};
use cortexkey_system::io_reason;

use super::RunError;

/// The longest line that announces a blob.
const LINE_MAX: u64 = 1 << 10;

/// Variables that a hook may set for another repository, index or interpretation of paths.
/// `GIT_CONFIG_…` stays: it may be what makes git trust the repository.
const DROPPED_VARIABLES: [&str; 16] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE_SETUP",
];

/// Settings of a user or a repository that would change git's answers.
const NEUTRAL_SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "color.ui=false",
    "submodule.recurse=false",
    // A repository that came from a Mac or from Windows has `true`: git would not list a tracked file
    // under a name that differs in its case.
    #[cfg(not(any(windows, target_vendor = "apple")))]
    "core.ignoreCase=false",
];

/// One path that git lists.
pub(super) struct GitPath {
    /// From the repository's root.
    pub(super) path: PathBuf,
    pub(super) kind: EntryKind,
}

/// What git knows about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A file that it tracks.
    Tracked,
    /// A symbolic link that it tracks.
    Link,
    /// A file of the index that a sparse checkout leaves out of the work tree; its blob.
    Sparse(String),
    /// Like `Sparse`, for a symbolic link.
    SparseLink,
    /// Another repository at one of its commits.
    Submodule,
    /// A file or link that it does not track and does not ignore.
    Untracked,
    /// An untracked folder of another repository.
    Repository,
}

/// The files of a repository that git tracks or does not ignore, and the folders that git could not
/// list.
pub(super) fn list(root: &Path) -> Result<(Vec<GitPath>, Vec<PathBuf>), RunError> {
    let ask = ["ls-files", "-z", "-t", "-s", "--cached", "--others", "--exclude-standard"];
    let answer = git(root, &ask, None).map_err(|why| why.error(root))?;
    let unknown = || Failed::unexpected().error(root);
    let records = answer.out.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    let named = records.map(|record| named(record).ok_or_else(unknown));
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let mut closed = Vec::new();
    for line in answer.warnings.lines().filter(|line| !line.trim().is_empty()) {
        match warning(line) {
            Warning::Closed(folder) => closed.push(root.join(folder)),
            Warning::Harmless => {}
            Warning::Other => return Err(Failed::said(line).error(root)),
        }
    }
    Ok((named, closed))
}

/// `H 100644 <blob> 0<tab><path>` for a file of the index, `? <path>` for another.
fn named(record: &[u8]) -> Option<GitPath> {
    let tag = record.first()?;
    let rest = record.get(2..)?;
    if *tag == b'?' {
        let folder = rest.strip_suffix(b"/");
        let kind = if folder.is_some() { EntryKind::Repository } else { EntryKind::Untracked };
        return Some(GitPath { path: path(folder.unwrap_or(rest))?, kind });
    }
    let tab = rest.iter().position(|byte| *byte == b'\t')?;
    let about = std::str::from_utf8(rest.get(..tab)?).ok()?;
    let mut about = about.split(' ');
    let mode = about.next()?;
    let id = about.next()?;
    let kind = match (mode, *tag == b'S') {
        ("160000", _) => EntryKind::Submodule,
        ("120000", false) => EntryKind::Link,
        ("120000", true) => EntryKind::SparseLink,
        (_, false) => EntryKind::Tracked,
        (_, true) => EntryKind::Sparse(id.to_owned()),
    };
    Some(GitPath { path: path(rest.get(tab + 1..)?)?, kind })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every name is valid elsewhere")]
fn path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;

    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(|text| PathBuf::from(OsStr::new(text)))
}

enum Warning {
    /// A folder that git could not list.
    Closed(PathBuf),
    /// A `.gitignore` that git could not read; the files that it ignores are listed.
    Harmless,
    Other,
}

fn warning(line: &str) -> Warning {
    let Some(text) = line.strip_prefix("warning: ") else { return Warning::Other };
    if let Some(rest) = text.strip_prefix("could not open directory '") {
        let end = rest.rfind("': ").unwrap_or(rest.len());
        let folder = rest.get(..end).unwrap_or(rest);
        return Warning::Closed(PathBuf::from(folder.trim_end_matches('/')));
    }
    if text.starts_with("unable to access '") && text.contains("ignore'") {
        return Warning::Harmless;
    }
    Warning::Other
}

/// The bytes of blobs, in their order.
pub(super) fn blobs(root: &Path, ids: &[&str]) -> Result<Vec<Vec<u8>>, RunError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let answer = git(root, &["cat-file", "--batch"], Some(asked.as_bytes()));
    let answer = answer.map_err(|why| why.error(root))?;
    let mut rest = answer.out.as_slice();
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        let missing = || Failed::said(&format!("the object {id} is missing")).error(root);
        let (bytes, left) = blob(rest).ok_or_else(missing)?;
        out.push(bytes.to_vec());
        rest = left;
    }
    Ok(out)
}

/// Reads blobs one after another, in their order, and gives each with its position. The bytes of one
/// over the limit are skipped.
pub(super) fn each_blob(
    root: &Path,
    ids: &[&str],
    limit: usize,
    take: &mut dyn FnMut(usize, Option<Vec<u8>>),
) -> Result<(), RunError> {
    if ids.is_empty() {
        return Ok(());
    }
    let failed = |why: Failed| why.error(root);
    let broken = |error| failed(Failed::Program(error));
    let mut child = command(root, &["cat-file", "--batch", "--buffer"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(broken)?;
    let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let writer = child.stdin.take().map(|mut stdin| {
        // The input is written while the output is read; otherwise both processes could block.
        std::thread::spawn(move || stdin.write_all(asked.as_bytes()))
    });
    let mut out = child.stdout.take().map(BufReader::new);
    let mut read = Ok(());
    for (nth, id) in ids.iter().enumerate() {
        let bytes = out.as_mut().map_or(Ok(NextBlob::Missing), |out| next_blob(out, limit));
        match bytes {
            Ok(NextBlob::Read(bytes)) => take(nth, Some(bytes)),
            Ok(NextBlob::Large) => take(nth, None),
            Ok(NextBlob::Missing) => {
                read = Err(Failed::said(&format!("the object {id} is missing")));
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                read = Err(Failed::said(""));
            }
            Err(error) => read = Err(Failed::Program(error)),
        }
        if read.is_err() {
            let _ = child.kill();
            break;
        }
    }
    // Git ends when it can neither read nor write any more.
    drop(out);
    let ended = child.wait().map_err(broken)?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    read.map_err(failed)?;
    if ended.success() { Ok(()) } else { Err(failed(Failed::said(&ended.to_string()))) }
}

/// What git returned for an object.
enum NextBlob {
    Read(Vec<u8>),
    /// It is over the limit.
    Large,
    Missing,
}

/// The next answer of `cat-file --batch`: a line with the size, the bytes, and a line feed.
fn next_blob(out: &mut impl BufRead, limit: usize) -> io::Result<NextBlob> {
    let mut line = String::new();
    if out.take(LINE_MAX).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let size = line.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
    let Some(size) = size else { return Ok(NextBlob::Missing) };
    let is_large = size > limit as u64;
    let mut bytes = Vec::new();
    let mut content = out.take(size);
    let read = if is_large {
        io::copy(&mut content, &mut io::sink())?
    } else {
        content.read_to_end(&mut bytes)? as u64
    };
    let mut end = [0];
    out.read_exact(&mut end)?;
    if read < size || end != [b'\n'] {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(if is_large { NextBlob::Large } else { NextBlob::Read(bytes) })
}

/// The files of `HEAD`: paths from the repository's root, and blobs. Before the first commit there
/// are none.
pub(super) fn head(root: &Path) -> Result<Vec<(PathBuf, String)>, RunError> {
    let error = |why: Failed| why.error(root);
    // A branch without a commit is not an error; any other failure is.
    let verify = ["rev-parse", "--verify", "--quiet", "HEAD"];
    match git(root, &verify, None) {
        Ok(_) => {}
        Err(why) if why.means_missing() => {
            git(root, &["symbolic-ref", "--quiet", "HEAD"], None).map_err(error)?;
            return Ok(Vec::new());
        }
        Err(why) => return Err(error(why)),
    }
    let answer = git(root, &["ls-tree", "-r", "-z", "HEAD"], None).map_err(error)?;
    entries(root, &answer.out, tree_entry)
}

/// The files of the index: paths from the repository's root, and blobs.
pub(super) fn index(root: &Path) -> Result<Vec<(PathBuf, String)>, RunError> {
    let answer = git(root, &["ls-files", "-z", "-s"], None).map_err(|why| why.error(root))?;
    entries(root, &answer.out, index_entry)
}

/// Paths and blobs of the regular files among entries.
fn entries<'e>(
    root: &Path,
    out: &'e [u8],
    read: impl Fn(&'e [u8]) -> Option<(&'e str, PathBuf, &'e str)>,
) -> Result<Vec<(PathBuf, String)>, RunError> {
    let unknown = || Failed::unexpected().error(root);
    let mut files = Vec::new();
    for entry in out.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let (mode, path, id) = read(entry).ok_or_else(unknown)?;
        if mode.starts_with("100") {
            files.push((path, id.to_owned()));
        }
    }
    Ok(files)
}

/// Mode, path and blob of an entry of the index.
fn index_entry(entry: &[u8]) -> Option<(&str, PathBuf, &str)> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let about = std::str::from_utf8(entry.get(..tab)?).ok()?;
    let mode = about.split(' ').next()?;
    let id = about.split(' ').nth(1)?;
    Some((mode, path(entry.get(tab + 1..)?)?, id))
}

/// Mode, path and blob of an entry of a tree.
fn tree_entry(entry: &[u8]) -> Option<(&str, PathBuf, &str)> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let about = std::str::from_utf8(entry.get(..tab)?).ok()?;
    let mode = about.split(' ').next()?;
    let id = about.split(' ').nth(2)?;
    Some((mode, path(entry.get(tab + 1..)?)?, id))
}

/// The commit that a revision names.
pub(super) fn commit(root: &Path, revision: &str) -> Result<String, RunError> {
    let name = quote(revision);
    let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let commit = format!("{revision}^{{commit}}");
    let commit = git(root, &[&verify[..], &[commit.as_str()]].concat(), None);
    let commit = commit.map_err(|why| match why {
        why if why.means_missing() => RunError::new(format!("git knows no revision {name}"))
            .help("write one as `main` or `HEAD~1`"),
        why => {
            let RunError { message, help } = why.error(root);
            RunError { message: format!("--since needs git: {message}"), help }
        }
    })?;
    Ok(String::from_utf8_lossy(&commit.out).trim().to_owned())
}

/// An entry of a commit's tree: a file, a link, or the commit of a submodule.
pub(super) struct TreeEntry {
    /// As git writes it, such as `100644`.
    pub(super) mode: String,
    /// From the repository's root.
    pub(super) path: PathBuf,
    /// The object's id.
    pub(super) id: String,
}

/// Every entry below a commit.
pub(super) fn tree(root: &Path, commit: &str) -> Result<Vec<TreeEntry>, RunError> {
    let list = git(root, &["ls-tree", "-r", "-z", commit], None);
    let list = list.map_err(|why| why.error(root))?;
    let entries = list.out.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    let entries = entries.filter_map(tree_entry);
    let entries =
        entries.map(|(mode, path, id)| TreeEntry { mode: mode.into(), path, id: id.into() });
    Ok(entries.collect())
}

/// One answer of `cat-file --batch`: a line with the size, the bytes, and a line feed.
fn blob(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(text.get(..end)?).ok()?;
    let size: usize = line.rsplit(' ').next()?.parse().ok()?;
    let start = end + 1;
    Some((text.get(start..start + size)?, text.get(start + size + 1..)?))
}

/// Git's output.
struct Answer {
    out: Vec<u8>,
    warnings: String,
}

/// Why git gave no answer.
enum Failed {
    /// It could not be run.
    Program(io::Error),
    /// It does not trust a repository that another user owns.
    Owner,
    /// Its exit code, unless a signal ended it, and its message, which may be empty.
    Answer { code: Option<i32>, said: String },
}

impl Failed {
    fn said(message: &str) -> Self {
        Self::Answer { code: None, said: message.to_owned() }
    }

    fn unexpected() -> Self {
        Self::said("an unexpected answer")
    }

    /// Whether git ran and said that there is no such object. A process that was killed says
    /// nothing.
    fn means_missing(&self) -> bool {
        matches!(self, Self::Answer { code: Some(1), said } if said.is_empty())
    }

    fn error(self, root: &Path) -> RunError {
        let place = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let place = place.display();
        match self {
            Self::Program(error) => RunError::new(format!(
                "{place} is a git repository, and the program `git`, which lists its files, {}",
                match error.kind() {
                    io::ErrorKind::NotFound => "is not installed".to_owned(),
                    _ => format!("cannot be run: {}", io_reason(&error)),
                }
            ))
            .help("install git, or put it on PATH"),
            Self::Owner => RunError::new(format!(
                "git does not list the files of {place}, because another user owns it"
            ))
            .help(format!("git config --global --add safe.directory '{place}'")),
            Self::Answer { said, .. } => {
                let said = if said.is_empty() { "it ended early" } else { &said };
                RunError::new(format!("git cannot list the files of {place}: {}", escape(said)))
                    .help("make `git status` work there; without git nothing is checked")
            }
        }
    }
}

/// A call of git that depends on no variables or settings of the user.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = cortexkey_system::command("git");
    command.arg("-C").arg(folder);
    for setting in NEUTRAL_SETTINGS {
        command.args(["-c", setting]);
    }
    command.args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in DROPPED_VARIABLES {
        command.env_remove(name);
    }
    // If this repository is damaged, git would answer for one above it.
    if let Some(above) = folder.parent() {
        command.env("GIT_CEILING_DIRECTORIES", above);
    }
    // The repository's settings could name another folder (`core.worktree`).
    command.env("GIT_WORK_TREE", ".");
    // A replacement object (`git replace`) is not what was committed.
    command.env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").env_remove("LANGUAGE");
    command
}

fn git(folder: &Path, args: &[&str], input: Option<&[u8]>) -> Result<Answer, Failed> {
    let mut command = command(folder, args);
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(Failed::Program)?;
    let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
        let input = input.to_vec();
        // The input is written while the output is read; otherwise both processes could block.
        std::thread::spawn(move || stdin.write_all(&input))
    });
    let output = child.wait_with_output().map_err(Failed::Program)?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() {
        return Ok(Answer { out: output.stdout, warnings: said });
    }
    if said.contains("dubious ownership") || said.contains("is owned by someone else") {
        return Err(Failed::Owner);
    }
    Err(Failed::Answer { code: output.status.code(), said })
}

//! Reads files of a git repository at a commit, through `git` and a temporary bare repository.
//!
//! Nothing is checked out, so no hook, submodule, attribute or configuration of the repository has
//! an effect. The user's own configuration is read, because it sets how to log in.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use thiserror::Error;

use crate::process::{Exchanged, ProgramError, exchange};

const TIMEOUT: Duration = Duration::from_secs(120);
/// The largest output of a command, other than a file's contents.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// The size of the largest file that git may write, in bytes: a server could fill the disk.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Settings that override the user's configuration.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "http.followRedirects=false",
    "fetch.fsckObjects=true",
    // One pack, whose size is limited.
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
];
/// Variables that would direct git to another repository.
const VARIABLES: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_TEMPLATE_DIR",
    "GIT_EXTERNAL_DIFF",
];

/// Why a file of a repository could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// The temporary repository cannot be created.
    #[error("cannot create a temporary folder")]
    Folder(#[source] io::Error),
    /// Git cannot be run.
    #[error("git {0}")]
    Program(ProgramError),
    /// Git could not fetch the commit.
    #[error("git cannot fetch the commit: {message}")]
    Fetch {
        /// What git reported.
        message: String,
    },
    /// The revision is not a commit.
    #[error("the revision is not a commit of this repository")]
    NoCommit,
    /// The commit has no such file.
    #[error("the commit has no file at this path")]
    NoFile,
    /// The path is a link, a folder or a submodule.
    #[error("the path is not a regular file in the commit")]
    NotRegular,
    /// The file is too large.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

/// The repositories of a run, each fetched once per commit.
#[derive(Default)]
pub(super) struct Repositories {
    fetched: BTreeMap<(String, String), TempDir>,
}

impl Repositories {
    /// A file's bytes at a commit.
    pub(super) fn read(
        &mut self,
        url: &str,
        rev: &str,
        path: &str,
        limit: usize,
    ) -> Result<Vec<u8>, GitError> {
        let key = (url.to_owned(), rev.to_owned());
        if !self.fetched.contains_key(&key) {
            self.fetched.insert(key.clone(), fetch(url, rev)?);
        }
        let folder = self.fetched.get(&key).ok_or(GitError::NoCommit)?;
        let tree = [rev, "--", path];
        let listed = run(folder.path(), url, &[&["ls-tree", "--full-tree"], &tree[..]].concat())?;
        let listed = listed.text();
        // `MODE TYPE ID<tab>PATH`
        let Some((about, _)) = listed.split_once('\t') else { return Err(GitError::NoFile) };
        let mut about = about.split(' ');
        let mode = about.next();
        let kind = about.next();
        let id = about.next();
        if kind != Some("blob") || mode == Some("120000") {
            return Err(GitError::NotRegular);
        }
        let id = id.ok_or(GitError::NoFile)?;
        let blob = run_with(folder.path(), url, &["cat-file", "blob", id], limit);
        match blob {
            Ok(blob) if blob.code == Some(0) => Ok(blob.stdout.to_vec()),
            Err(GitError::Program(ProgramError::TooMuch { .. })) => {
                Err(GitError::TooLarge { limit })
            }
            Ok(_) => Err(GitError::NoFile),
            Err(error) => Err(error),
        }
    }
}

/// Fetches one commit into a new repository.
fn fetch(url: &str, rev: &str) -> Result<TempDir, GitError> {
    let folder =
        tempfile::Builder::new().prefix("cortexkey-").tempdir().map_err(GitError::Folder)?;
    let at = folder.path();
    // A commit id of 64 digits belongs to a repository with SHA-256.
    let format = if rev.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
    let init = run(at, url, &["init", "--quiet", "--bare", "--template=", format])?;
    if init.code != Some(0) {
        return Err(GitError::Fetch { message: reason(&init) });
    }
    let options =
        ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
    let shallow = [&options[..], &["--depth=1", "--", url, rev]].concat();
    let mut fetched = run(at, url, &shallow)?;
    if fetched.code != Some(0) {
        // Some servers return commits only by branch or tag, not by id.
        let all = ["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        fetched = run(at, url, &[&options[..], &all].concat())?;
    }
    if fetched.code != Some(0) {
        return Err(GitError::Fetch { message: reason(&fetched) });
    }
    let kind = run(at, url, &["cat-file", "-t", rev])?;
    if kind.code != Some(0) || kind.text() != "commit" {
        return Err(GitError::NoCommit);
    }
    Ok(folder)
}

fn run(folder: &Path, url: &str, arguments: &[&str]) -> Result<Exchanged, GitError> {
    run_with(folder, url, arguments, OUTPUT_BYTES_MAX)
}

fn run_with(
    folder: &Path,
    url: &str,
    arguments: &[&str],
    limit: usize,
) -> Result<Exchanged, GitError> {
    let mut command = program(FILE_BYTES_MAX);
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").current_dir(folder);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // A repository on this machine is used only if the policy names one.
    let protocols = if url.starts_with("file://") { "https:ssh:file" } else { "https:ssh" };
    command.env("GIT_ALLOW_PROTOCOL", protocols);
    // The folder itself is the repository; git does not search the folders above.
    command.arg("--git-dir=.").args(arguments);
    exchange(command, b"", TIMEOUT, limit).map_err(GitError::Program)
}

/// Git, which cannot write a larger file than this; programs that it starts cannot either.
#[cfg(unix)]
fn program(file_bytes_max: u64) -> Command {
    // POSIX counts in blocks of 512 bytes.
    let script = format!("ulimit -f {} && exec git \"$@\"", file_bytes_max / 512);
    let mut command = cortexkey_system::command("sh");
    command.args(["-c", &script, "git"]);
    command
}

#[cfg(not(unix))]
fn program(_: u64) -> Command {
    cortexkey_system::command("git")
}

/// The line of git's report that says why it failed, made safe for a message. Advice may follow it.
fn reason(ran: &Exchanged) -> String {
    let lines = || ran.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_reason = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let line =
        lines().find(is_reason).or_else(|| lines().next_back()).unwrap_or("it reported nothing");
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn git_and_its_programs_write_no_larger_file() {
        let folder = tempfile::tempdir().unwrap();
        let git = |limit: u64, arguments: &[&str]| {
            let mut command = program(limit);
            command.args(["-c", "user.name=a", "-c", "user.email=a@a.example"]).args(arguments);
            command.current_dir(&folder);
            exchange(command, b"", TIMEOUT, OUTPUT_BYTES_MAX).unwrap().code
        };
        assert_eq!(git(FILE_BYTES_MAX, &["init", "--quiet", "one"]), Some(0));
        // Bytes that cannot be compressed.
        let bytes: Vec<u8> =
            (0..400_000_u32).flat_map(|n| Sha256::digest(n.to_be_bytes())[..1].to_vec()).collect();
        std::fs::write(folder.path().join("one/large"), bytes).unwrap();
        assert_eq!(git(FILE_BYTES_MAX, &["-C", "one", "add", "."]), Some(0));
        assert_eq!(git(FILE_BYTES_MAX, &["-C", "one", "commit", "--quiet", "-m", "a"]), Some(0));
        let url = format!("file://{}/one", folder.path().display());
        let clone = ["-c", "fetch.unpackLimit=1", "clone", "--quiet", "--bare", &url];
        assert_ne!(git(100_000, &[&clone[..], &["small"]].concat()), Some(0));
        assert_eq!(git(1_000_000, &[&clone[..], &["enough"]].concat()), Some(0));
    }
}

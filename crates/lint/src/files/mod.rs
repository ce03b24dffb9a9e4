//! Files in, a report out: finds the policy, finds the corpus, reads both, and has them judged.
//!
//! This is the only part of the crate that touches the file system. It never waits for what is no
//! regular file, never reads more of a file than the limits allow, and counts whatever it leaves
//! out.

mod corpus;
mod discover;
mod open;
mod paths;
mod time;

use std::io::Read;
use std::path::{Path, PathBuf};

use cortexkey_manifest::policy::{Severity, load_as};
use cortexkey_manifest::yaml::Limits;
use cortexkey_manifest::{escape, mask_path};
use jiff::Timestamp;

pub use discover::POLICY_NAMES;
pub use time::now;

use crate::corpus::Corpus;
use crate::judge::lint;
use crate::policy::Policy;
use crate::report::Report;

/// The policy that holds where none is found.
pub const DEFAULT_POLICY: &str = "builtin:recommended";

/// What a run is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files and folders; `-` is standard input. Empty means all of the corpus.
    pub paths: Vec<PathBuf>,
    /// The policy's file, or `builtin:…`; else the nearest one upwards.
    pub policy: Option<PathBuf>,
    /// The name under which standard input is judged.
    pub stdin_filename: Option<PathBuf>,
    /// The folder that relative paths start from, and that output is relative to.
    pub folder: PathBuf,
    /// The time.
    pub now: Timestamp,
    /// How much of a file is read.
    pub limits: Limits,
}

impl Options {
    /// Options for a run in a folder at a moment, with nothing else asked.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, now: Timestamp) -> Self {
        let limits = Limits::default();
        let folder = folder.into();
        Self { paths: Vec::new(), policy: None, stdin_filename: None, folder, now, limits }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What was found; nothing when the run could not begin.
    pub report: Option<Report>,
    /// The policy that keys were held against; nothing when the run could not begin.
    pub policy: Option<Policy>,
    /// The files that were read.
    pub corpus: Corpus,
    /// Sentences for standard error, in order.
    pub messages: Vec<String>,
    /// True when the run was asked something wrong, or the policy cannot stand.
    pub wrong: bool,
    /// True when there was nothing that could be read.
    pub nothing_read: bool,
}

impl Outcome {
    /// 0 clean, 1 findings that count, 2 wrong use or policy, 3 nothing read; of several, 2 before
    /// 3 before 1.
    #[must_use]
    pub fn exit_code(&self, fail_on: Severity) -> u8 {
        if self.wrong {
            2
        } else if self.nothing_read {
            3
        } else {
            u8::from(self.report.as_ref().is_some_and(|report| report.fails(fail_on)))
        }
    }

    fn refused(message: String) -> Self {
        let (policy, corpus) = (None, Corpus::default());
        let messages = vec![message];
        Self { report: None, policy, corpus, messages, wrong: true, nothing_read: false }
    }
}

/// Finds, reads and judges. `stdin` is only read when a path is `-`.
pub fn run(options: &Options, stdin: &mut dyn Read) -> Outcome {
    let mut outcome = judge(options, stdin);
    // A key given where a path belongs must not go on into a log, and a name must not begin a line.
    for message in &mut outcome.messages {
        *message = escape(&mask_path(message));
    }
    outcome
}

fn judge(options: &Options, stdin: &mut dyn Read) -> Outcome {
    let mut messages = Vec::new();
    let chosen = match choose_policy(options, &mut messages) {
        Ok(chosen) => chosen,
        Err(message) => return Outcome::refused(message),
    };
    let given = options.policy.as_ref().map(|path| path.to_string_lossy());
    let mut read = |path: &str| {
        let bytes = open::read(&options.folder.join(path), &options.limits);
        // The policy itself is named as it was given; its parents are where they are.
        let name = given.as_deref().filter(|_| path == chosen).unwrap_or(path);
        bytes.map_err(|why| why.message(name))
    };
    let layers = match load_as(&chosen, &options.limits, &mut read, &|path| identity(options, path))
    {
        Ok(layers) => layers,
        Err(message) => return Outcome::refused(format!("the policy: {message}")),
    };
    let policy = Policy::new(layers);
    messages.extend(policy.notices().iter().cloned());
    let found = if policy.is_usable() {
        corpus::collect(options, &policy, stdin)
    } else {
        Ok(corpus::Found::default())
    };
    let found = match found {
        Ok(found) => found,
        Err(message) => return Outcome::refused(message),
    };
    messages.extend(found.messages);
    let report = lint(&found.corpus, &policy, options.now);
    if !policy.is_usable() {
        messages.push("the policy has mistakes, so no key was held against it".to_owned());
    }
    // A rule that does not exist, in a comment, asks for something that nobody gives.
    let unknown = report.findings.iter().any(|finding| finding.code == "P006");
    let (wrong, nothing_read) = (!policy.stands() || unknown, found.nothing_read);
    let (report, policy, corpus) = (Some(report), Some(policy), found.corpus);
    Outcome { report, policy, corpus, messages, wrong, nothing_read }
}

/// One text for all paths to one file of a policy.
fn identity(options: &Options, path: &str) -> String {
    let whole = std::fs::canonicalize(options.folder.join(path)).ok();
    whole.and_then(|whole| whole.into_os_string().into_string().ok()).unwrap_or_else(|| path.into())
}

/// The policy's path as output names it, or `builtin:…`.
fn choose_policy(options: &Options, messages: &mut Vec<String>) -> Result<String, String> {
    if let Some(path) = &options.policy {
        let text = path.to_string_lossy();
        if text.starts_with("builtin:") {
            return Ok(text.into_owned());
        }
        return Ok(paths::shown(&options.folder, path));
    }
    let given: Vec<&Path> = options
        .paths
        .iter()
        .map(|path| match (path.as_os_str() == "-", &options.stdin_filename) {
            (true, Some(name)) => name.as_path(),
            (true, None) => Path::new("."),
            _ => path.as_path(),
        })
        .collect();
    if let Some(path) = discover::policy(&options.folder, &given)? {
        let shown = paths::shown(&options.folder, &path);
        if !discover::is_above(&options.folder, &path) {
            messages.push(format!("keys are held against {shown}, the policy of the paths given"));
        }
        return Ok(shown);
    }
    let name = POLICY_NAMES[0];
    let place = if given.is_empty() { "here or above" } else { "with or above the paths given" };
    messages.push(format!("no {name} {place}: keys are held against {DEFAULT_POLICY}"));
    Ok(DEFAULT_POLICY.to_owned())
}

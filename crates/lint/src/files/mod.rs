//! Lints the files of a repository: finds the policies and the corpus, reads both, and checks them.
//!
//! This is the only part of the crate that uses the file system. It never waits for a pipe or a
//! device, never reads more of a file than the limits allow, follows no link out of the repository,
//! and counts every file that it skips.

mod boundary;
mod companions;
mod copies;
mod definitions;
mod fix;
mod git;
mod listing;
mod names;
mod open;
mod paths;
mod patterns;
mod policy_set;
mod read;
mod revision;
mod run;
mod search;
mod time;
mod to_read;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cortexkey_manifest::policy::{LoadError, Severity, is_builtin, load_as, pinned};
use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_manifest::{escape, mask_path};
use cortexkey_system::{Links, WriteOptions, counted, link_boundary, replace};
use jiff::Timestamp;
use thiserror::Error;

pub use definitions::DefinitionFiles;
pub use names::POLICY_NAMES;
pub use time::{TimeError, now};
pub use watch::Watched;

use self::copies::Copies;
use crate::cases::CaseFile;
use crate::engine::{Baseline, KnownFinding};
use crate::model::Report;
use crate::model::{Corpus, CorpusFile};
use crate::policy::{Policy, Selection, SelectionError};

/// The policy for files that have no policy of their own.
pub const DEFAULT_POLICY: &str = "builtin:recommended";

/// The name of a baseline that no option names.
pub const BASELINE_NAME: &str = "cortexkey-baseline.json";

/// What a run checks, and how.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// Files and folders; `-` is standard input. Empty means all of the corpus.
    pub paths: Vec<PathBuf>,
    /// The policy's file, or `builtin:…`; by default the nearest one, searching upwards.
    pub policy: Option<PathBuf>,
    /// The path under which standard input is checked.
    pub stdin_filename: Option<PathBuf>,
    /// The folder that relative paths start from, and that output is relative to.
    pub folder: PathBuf,
    /// The time.
    pub now: Timestamp,
    /// How much of a file is read.
    pub limits: YamlLimits,
    /// Whether comments in files can suppress findings.
    pub comments: bool,
    /// A git revision to compare keys with.
    pub since: Option<String>,
    /// A file with known findings, instead of the one beside the policy.
    pub baseline: Option<PathBuf>,
    /// Whether baselines are ignored.
    pub no_baseline: bool,
    /// Whether the baseline is written.
    pub write_baseline: bool,
    /// Whether findings are fixed.
    pub fix: FixMode,
    /// Whether fixes that need a review are applied too.
    pub unsafe_fixes: bool,
    /// Fixes that a person has accepted: the file's path as output shows it, and the fingerprint.
    pub accepted_fixes: BTreeSet<(String, String)>,
    /// The rules whose findings are shown and fixed.
    pub selection: Selection,
    /// Patterns of files that are not reported on, relative to `folder`.
    pub exclude: Vec<String>,
    /// Texts of an editor, by absolute path. They count in place of policy files, and as definitions
    /// that no file has yet.
    pub texts: Arc<BTreeMap<PathBuf, String>>,
    /// The progress of the run, for a caller that shows it.
    pub progress: Arc<Progress>,
    /// The folder that a CI service checks the repository out to.
    pub project: Option<PathBuf>,
    /// The number of threads; one per processor by default.
    pub jobs: Option<usize>,
}

/// How many files have been read so far.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    all: AtomicUsize,
}

impl Progress {
    /// Files read, and files in all.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed))
    }
}

/// Whether findings are fixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixMode {
    /// They are reported.
    #[default]
    No,
    /// The files are changed.
    Write,
    /// The changes are shown as a diff.
    Diff,
}

impl Options {
    /// Options for a run in a folder at a moment; everything else has its default.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, now: Timestamp) -> Self {
        let limits = YamlLimits::default();
        let folder = folder.into();
        Self {
            paths: Vec::new(),
            policy: None,
            stdin_filename: None,
            folder,
            now,
            limits,
            comments: true,
            since: None,
            baseline: None,
            no_baseline: false,
            write_baseline: false,
            fix: FixMode::No,
            unsafe_fixes: false,
            accepted_fixes: BTreeSet::new(),
            selection: Selection::default(),
            exclude: Vec::new(),
            texts: Arc::default(),
            progress: Arc::default(),
            jobs: None,
            project: None,
        }
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// The findings; `None` when the run could not start.
    pub report: Option<Report>,
    /// The policy that is nearest to where the run started; `None` when it could not start.
    pub policy: Option<Policy>,
    /// The other policies of the run, which govern files of their own.
    pub others: Vec<Policy>,
    /// The baseline in use, if all of the corpus was checked.
    pub known: Option<KnownFindings>,
    /// The files that were read.
    pub corpus: Corpus,
    /// Messages for standard error, in order.
    pub messages: Vec<String>,
    /// What to do about the last message, when the run could not start.
    pub help: Option<String>,
    /// True for a usage error, or a policy with mistakes.
    pub usage_error: bool,
    /// True when no file could be read.
    pub no_input: bool,
    /// What fixing changes, as a diff.
    pub diff: Option<String>,
}

/// The findings of the baseline in use.
#[derive(Clone, Debug)]
pub struct KnownFindings {
    /// The baseline's path as output shows it.
    pub path: String,
    /// Its findings.
    pub findings: Vec<KnownFinding>,
}

impl KnownFindings {
    /// How many of them are no longer found.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_gone).count()
    }
}

impl RunOutcome {
    /// 0 clean, 1 findings that count, 2 usage error or invalid policy, 3 no input. If several apply,
    /// 2 comes before 3, and 3 before 1.
    #[must_use]
    pub fn exit_code(&self, fail_on: Severity) -> u8 {
        if self.usage_error {
            2
        } else if self.no_input {
            3
        } else {
            u8::from(self.report.as_ref().is_some_and(|report| report.fails(fail_on)))
        }
    }

    /// The policy that governs a file of the corpus.
    #[must_use]
    pub fn policy_of(&self, file: &CorpusFile) -> Option<&Policy> {
        let other = file.policy.checked_sub(1);
        other.map_or(self.policy.as_ref(), |other| self.others.get(other))
    }

    /// Whether the run reads a file: one of its policies, their lock files and baselines, a file of
    /// the corpus or one of the paths given.
    #[must_use]
    pub fn reads(&self, options: &Options, path: &Path) -> bool {
        let Ok(path) = std::fs::canonicalize(options.folder.join(path)) else { return false };
        let policies = self.policy.iter().chain(&self.others);
        let own = policies.flat_map(|policy| watch::own_files(options, policy));
        let corpus = self.corpus.files.iter().map(|file| options.folder.join(&file.path));
        let given = options.paths.iter().map(|path| options.folder.join(path));
        let is_it = |input: PathBuf| std::fs::canonicalize(input).is_ok_and(|input| input == path);
        own.chain(corpus).chain(given).any(is_it)
    }

    fn refused(error: RunError) -> Self {
        Self {
            report: None,
            policy: None,
            others: Vec::new(),
            known: None,
            corpus: Corpus::default(),
            messages: vec![error.message],
            help: error.help,
            usage_error: true,
            no_input: false,
            diff: None,
        }
    }
}

/// Why a run cannot start or continue, and what to do about it.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct RunError {
    message: String,
    help: Option<String>,
}

impl RunError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl From<SelectionError> for RunError {
    fn from(error: SelectionError) -> Self {
        Self::new(error.message).help(error.help)
    }
}

impl From<String> for RunError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

/// Finds, reads and checks the files. `stdin` is only read when a path is `-`.
pub fn run(options: &Options, stdin: &mut dyn Read) -> RunOutcome {
    let is_named = options.paths.iter().any(|path| path.as_os_str() == "-");
    let stdin = is_named.then(|| open::bounded(stdin, &options.limits));
    let with_text = with_stdin(options, stdin.as_ref());
    let mut outcome = lint(with_text.as_ref().unwrap_or(options), stdin);
    // A key given as a path must not reach a log, and a file name must not start a line.
    for message in outcome.messages.iter_mut().chain(&mut outcome.help) {
        *message = escape(&mask_path(message));
    }
    outcome
}

/// The options with standard input as the text of the policy file that it is named after.
fn with_stdin(
    options: &Options,
    stdin: Option<&Result<Vec<u8>, open::OpenError>>,
) -> Option<Options> {
    let path = paths::absolute(&options.folder, options.stdin_filename.as_deref()?);
    let text = String::from_utf8(stdin?.as_ref().ok()?.clone()).ok()?;
    let mut texts = BTreeMap::clone(&options.texts);
    texts.insert(path, text);
    Some(Options { texts: Arc::new(texts), ..options.clone() })
}

/// Standard input, where a path is `-`.
type Stdin = Option<Result<Vec<u8>, open::OpenError>>;

fn lint(options: &Options, stdin: Stdin) -> RunOutcome {
    let mut messages = Vec::new();
    match run::run(options, stdin, &mut messages) {
        Ok(outcome) => outcome,
        Err(error) => {
            let mut outcome = RunOutcome::refused(error);
            messages.append(&mut outcome.messages);
            RunOutcome { messages, ..outcome }
        }
    }
}

/// Reads the policy and its parents; `texts` replaces the text of files that were fixed.
fn load_policy(
    options: &Options,
    chosen: &str,
    number: usize,
    texts: &BTreeMap<String, String>,
) -> Result<Policy, RunError> {
    let given = options.policy.as_ref().map(|path| path.to_string_lossy());
    let home = paths::absolute(&options.folder, Path::new(chosen));
    let home = home.parent().unwrap_or(&home);
    let mut copies = Copies::default();
    let mut read = |path: &str| {
        if let Some(text) = texts.get(path) {
            return Ok(text.as_bytes().to_vec());
        }
        if let Some(text) = options.texts.get(&paths::absolute(&options.folder, Path::new(path))) {
            return Ok(text.as_bytes().to_vec());
        }
        // The policy itself is named as it was given; its parents are where they are.
        let own = given.as_deref().filter(|_| path == chosen);
        let place = options.folder.join(path);
        if let Some(base) = pinned::base_of(path) {
            return copies.read(options, home, base, path).map_err(|error| error.message.into());
        }
        let bytes = match own {
            Some(_) => open::read(&place, &options.limits),
            None => companions::read_inside(options, home, &place),
        };
        bytes.map_err(|why| why.message(own.unwrap_or(path)).into())
    };
    let layers = load_as(chosen, &options.limits, &mut read, &|path| identity(options, path));
    let whole = |path: &str| identity(options, path);
    layers
        .map(|layers| Policy::numbered(layers, number).with_paths(&whole))
        .map_err(|error| policy_error(&error))
}

fn policy_error(error: &LoadError) -> RunError {
    match error {
        LoadError::NoBuiltin { meant, .. } => {
            RunError::new(error.to_string()).help(format!("did you mean `{meant}`?"))
        }
        LoadError::Read(_) => RunError::new(error.to_string())
            .help("correct the policy's path, or create a policy with `cortexkey policy init`"),
    }
}

/// Replaces the text of a policy's file, unless it changed since it was read or is outside the
/// repository.
pub fn replace_policy(options: &Options, path: &str, old: &str, new: &str) -> Result<(), RunError> {
    let place = options.folder.join(path);
    fix::write(path, Some(&place), old, new)
}

/// Reads the files with the policy's cases.
pub fn read_cases(options: &Options, policy: &Policy) -> Result<Vec<CaseFile>, RunError> {
    companions::cases(options, policy, &home(options, policy))
}

/// Reads the baseline. One that is written for the first time does not have to exist.
fn known(options: &Options, policy: &Policy, partial: bool) -> Result<Option<Baseline>, RunError> {
    if options.write_baseline && partial {
        return Err(
            RunError::new("--write-baseline covers the whole corpus").help("remove the paths")
        );
    }
    if options.write_baseline && !options.selection.is_all() {
        return Err(
            RunError::new("--write-baseline covers all rules").help("remove --select and --ignore")
        );
    }
    let named = options.baseline.as_ref();
    let path = match named {
        _ if options.no_baseline => return Ok(None),
        Some(path) => options.folder.join(path),
        None => baseline_path(options, policy),
    };
    let name = paths::shown(&options.folder, &path);
    // A dangling link is not a missing file.
    let is_missing = path.symlink_metadata().is_err();
    if is_missing && (options.write_baseline || named.is_none()) {
        return Ok(None);
    }
    // A baseline of many findings is larger than a definition may be.
    let limits = YamlLimits { bytes: 64 << 20, ..options.limits };
    let bytes = if named.is_some() {
        open::read(&path, &limits)
    } else {
        // One that no option names is part of the repository.
        let wide = Options { limits, ..options.clone() };
        companions::read_inside(&wide, &home(options, policy), &path)
    };
    let bytes = bytes.map_err(|why| {
        RunError::new(format!("the baseline: {}", why.message(&name)))
            .help("create one with --write-baseline")
    })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("the baseline {name} is not UTF-8"))?;
    let read = Baseline::read(&text).map(Some);
    read.map_err(|why| RunError::new(format!("the baseline {name}: {why}")))
}

/// Where the baseline is: named by an option, or beside the policy.
fn baseline_path(options: &Options, policy: &Policy) -> PathBuf {
    match &options.baseline {
        Some(path) => options.folder.join(path),
        None => home(options, policy).join(BASELINE_NAME),
    }
}

/// The policy's folder; for a built-in policy, the folder where the command runs.
fn home(options: &Options, policy: &Policy) -> PathBuf {
    let path = policy.path().filter(|path| !is_builtin(path));
    let file = path.map(|path| paths::absolute(&options.folder, Path::new(path)));
    let folder = file.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    folder.unwrap_or_else(|| paths::absolute(&options.folder, Path::new("")))
}

/// Writes the baseline.
fn write_baseline(
    options: &Options,
    policy: &Policy,
    new: &Baseline,
    left: usize,
    older: Option<&Baseline>,
    messages: &mut Vec<String>,
) -> Result<(), RunError> {
    let path = baseline_path(options, policy);
    let name = paths::shown(&options.folder, &path);
    // One that an option names may be anywhere, but no link of a repository leads out of it.
    let root = match &options.baseline {
        Some(_) => link_boundary(&path),
        None => Some(boundary::Boundary::around(path.parent().unwrap_or(&path))?.root),
    };
    let links = root.as_deref().map_or(Links::Follow, Links::Within);
    replace(&path, new.text().as_bytes(), WriteOptions::new(links))
        .map_err(|error| RunError::new(format!("cannot write {name}: {}", error.reason())))?;
    let gone = older.map_or(0, |older| older.len().saturating_sub(new.len()));
    let mut message = format!("{name} contains {}", counted(new.len(), "finding"));
    if gone > 0 {
        message += &format!(", {gone} fewer than before");
    }
    if left > 0 {
        let verb = if left == 1 { "is" } else { "are" };
        message += &format!(
            ", and {left} {verb} excluded: a baseline takes no secrets, locked rules, coverage findings, or \
             findings that are new since it was written"
        );
    }
    messages.push(message);
    Ok(())
}

/// Returns one string for all paths to the same policy file.
fn identity(options: &Options, path: &str) -> String {
    let whole = std::fs::canonicalize(options.folder.join(path)).ok();
    whole.and_then(|whole| whole.into_os_string().into_string().ok()).unwrap_or_else(|| path.into())
}

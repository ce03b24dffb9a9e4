//! Which files are judged, and which of them are reported on.
//!
//! The corpus is the policy's `keys`; where it names none, what was given; where nothing was
//! given, the YAML files of the folder. A file that is given and is not in the corpus is counted.
//!
//! Refuses to pass over what it cannot see: a path given by hand that does not exist or cannot be
//! read, and a folder of the corpus that cannot be looked into, are errors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cortexkey_manifest::lock::FILE_NAME;
use cortexkey_manifest::policy::is_policy;
use cortexkey_manifest::{Problem, ProblemKind, Span, quote};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;
use rayon::prelude::*;

use super::paths::{absolute, shown, shown_whole};
use super::{Options, POLICY_NAMES, git, open};
use crate::cases::CaseFile;
use crate::corpus::{Before, Corpus, CorpusFile, LockedKeys};
use crate::judge::{FEW, FileJudge, Part};
use crate::policy::Policy;

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) corpus: Corpus,
    /// What each file gave by itself, where the run changes none of them.
    pub(super) parts: Option<Vec<Part>>,
    pub(super) messages: Vec<String>,
    pub(super) nothing_read: bool,
}

/// Finds and reads the corpus.
pub(super) fn collect(
    options: &Options,
    policy: &Policy,
    stdin: &mut dyn Read,
    judge: Option<&FileJudge<'_>>,
) -> Result<Found, String> {
    let patterns = Patterns::of(options, policy)?;
    let policies =
        policy.sources().map(|(path, _)| absolute(&options.folder, Path::new(path))).collect();
    let home = super::home(options, policy);
    let (found, wanted) = (Found::default(), Vec::new());
    let mut search =
        Search { options, patterns, policies, lock: home.join(FILE_NAME), found, wanted };
    search.paths(stdin)?;
    let lock = lock(options, &home);
    let before = search.before(&home)?;
    let mut found = search.finish(judge, &home);
    (found.corpus.lock, found.corpus.before) = (lock, before);
    Ok(found)
}

/// The files that the policy's `tests` name. A pattern that fits none is a mistake.
pub(super) fn cases(
    options: &Options,
    policy: &Policy,
    home: &Path,
) -> Result<Vec<CaseFile>, String> {
    let mut files: BTreeMap<PathBuf, CaseFile> = BTreeMap::new();
    for pattern in policy.tests() {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| format!("`tests`: {error}"))?.compile_matcher();
        let root = absolute(home, Path::new(literal(pattern)));
        let mut any = false;
        for entry in WalkBuilder::new(&root).standard_filters(false).build() {
            let entry = entry.map_err(|error| format!("`tests`: {error}"))?;
            let path = entry.path();
            let below = path.strip_prefix(home).ok().is_some_and(|path| glob.is_match(path));
            if !below || entry.file_type().is_none_or(|kind| kind.is_dir()) {
                continue;
            }
            any = true;
            let name = shown(&options.folder, path);
            let bytes = open::read(path, &options.limits).map_err(|why| why.message(&name))?;
            files.insert(path.to_path_buf(), CaseFile::new(name, bytes, &options.limits));
        }
        if !any {
            return Err(format!("`tests`: no file fits {}", quote(pattern)));
        }
    }
    Ok(files.into_values().collect())
}

/// The lock file beside the policy, where there is one.
fn lock(options: &Options, home: &Path) -> Option<LockedKeys> {
    let path = home.join(FILE_NAME);
    let name = shown(&options.folder, &path);
    let bytes = match open::read(&path, &options.limits) {
        Err(open::Why::System(error)) if error.kind() == io::ErrorKind::NotFound => return None,
        bytes => bytes,
    };
    let read = bytes.map(|bytes| LockedKeys::new(name.as_str(), bytes, &options.limits));
    Some(read.unwrap_or_else(|why| {
        let mut lock = LockedKeys::new(name, Vec::new(), &options.limits);
        let problem =
            Problem::new(ProblemKind::YamlSyntax, Span::default(), why.finding(&options.limits));
        lock.problems = vec![problem.help(why.help())];
        lock
    }))
}

/// The policy's `keys`.
struct Patterns {
    set: Option<GlobSet>,
    /// The folder that they start from, absolute.
    base: PathBuf,
    /// The folders below which each of them looks.
    roots: Vec<PathBuf>,
}

impl Patterns {
    fn of(options: &Options, policy: &Policy) -> Result<Self, String> {
        let Some((path, keys)) = policy.keys() else {
            let base = absolute(&options.folder, Path::new(""));
            return Ok(Self { set: None, base, roots: Vec::new() });
        };
        let file = absolute(&options.folder, Path::new(path));
        let base = file.parent().unwrap_or(&file).to_path_buf();
        let mut set = GlobSetBuilder::new();
        let mut roots = Vec::new();
        for key in keys {
            let pattern = key.value.strip_prefix("./").unwrap_or(&key.value);
            if pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
                let pattern = quote(pattern);
                return Err(format!(
                    "{path}: the pattern {pattern} in `keys` leaves the policy's folder; move the \
                     policy up, or the keys below it"
                ));
            }
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            set.add(glob.map_err(|error| format!("{path}: `keys`: {error}"))?);
            roots.push(absolute(&base, Path::new(literal(pattern))));
        }
        let set = set.build().map_err(|error| format!("{path}: `keys`: {error}"))?;
        Ok(Self { set: Some(set), base, roots })
    }

    /// True when a file belongs to the corpus; nothing when the policy names no files.
    fn hold(&self, path: &Path) -> Option<bool> {
        let set = self.set.as_ref()?;
        let inside = path.strip_prefix(&self.base).ok();
        Some(inside.is_some_and(|path| set.is_match(path)))
    }

    /// True when a folder may hold files of the corpus.
    fn reach(&self, folder: &Path) -> bool {
        self.reached()(folder)
    }

    /// The same as a value.
    fn reached(&self) -> impl Fn(&Path) -> bool + Send + Sync + 'static {
        let roots = self.set.as_ref().map(|_| self.roots.clone());
        move |folder| {
            let on_the_way = |root: &PathBuf| root.starts_with(folder) || folder.starts_with(root);
            roots.as_ref().is_none_or(|roots| roots.iter().any(on_the_way))
        }
    }
}

/// The folders that a pattern begins with, up to the first that is no plain name.
fn literal(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len());
    let end = pattern.get(..wild).and_then(|plain| plain.rfind('/'));
    pattern.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Where the bytes of a file come from.
enum Origin {
    Disk,
    Stdin(Result<Vec<u8>, open::Why>),
    /// It has been tried, and cannot be read.
    Nowhere(open::Why),
}

struct Search<'a> {
    options: &'a Options,
    patterns: Patterns,
    /// The policy's own files.
    policies: BTreeSet<PathBuf>,
    /// The lock file, whether it is there or not.
    lock: PathBuf,
    found: Found,
    /// The corpus, in the order in which its files were met; some more than once.
    wanted: Vec<Wanted>,
}

impl Search<'_> {
    fn paths(&mut self, stdin: &mut dyn Read) -> Result<(), String> {
        let named = self.patterns.set.is_some();
        let all = self.options.paths.is_empty() || self.names_policy();
        if named {
            self.walk(&self.patterns.base.clone(), all);
        } else if self.options.paths.is_empty() {
            self.walk(&self.options.folder.clone(), true);
        }
        // A commit that ignores a definition and forces it in must not get past a whole run.
        if named && all {
            self.tracked();
        }
        let mut stdin_taken = false;
        for path in &self.options.paths {
            if path.as_os_str() == "-" {
                if stdin_taken {
                    return Err("standard input (`-`) is given twice".to_owned());
                }
                stdin_taken = true;
                self.stdin(stdin);
                continue;
            }
            self.given(absolute(&self.options.folder, path));
        }
        self.found.corpus.partial = !all && named;
        Ok(())
    }

    /// The corpus at the revision that is asked for.
    fn before(&self, home: &Path) -> Result<Option<Before>, String> {
        let Some(revision) = &self.options.since else { return Ok(None) };
        git::before(home, revision, &self.options.limits, &|path| self.belongs(path)).map(Some)
    }

    fn names_policy(&self) -> bool {
        let mut paths = self.options.paths.iter().map(|path| absolute(&self.options.folder, path));
        paths.any(|path| self.policies.contains(&path) || path == self.lock)
    }

    /// A path given by hand.
    fn given(&mut self, path: PathBuf) {
        match open::look(&path) {
            // What was asked for and cannot be read is an error, in the corpus or not.
            Err(why) => {
                self.want_instead(path, Origin::Nowhere(why));
            }
            Ok(open::Seen::Folder) => self.folder(&path),
            Ok(open::Seen::File) if self.policies.contains(&path) || path == self.lock => {}
            Ok(open::Seen::File) if self.patterns.hold(&path) == Some(false) => {
                self.found.corpus.passed_over += 1;
            }
            Ok(open::Seen::File) => {
                self.want(path, true, Origin::Disk);
            }
        }
    }

    fn folder(&mut self, folder: &Path) {
        let named = self.patterns.set.is_some();
        if !named {
            self.walk(folder, true);
        }
        let mut holds = false;
        for wanted in &mut self.wanted {
            if wanted.path.starts_with(folder) {
                wanted.reported = true;
                holds = true;
            }
        }
        if !holds {
            let what = if named {
                "holds no file that fits the policy's `keys`"
            } else {
                "holds no YAML file"
            };
            let folder = shown(&self.options.folder, folder);
            self.found.messages.push(format!("the folder {folder} {what}"));
        }
    }

    fn stdin(&mut self, stdin: &mut dyn Read) {
        // Read in any case: a writer that is not read from gets an error.
        let bytes = open::bounded(stdin, &self.options.limits);
        let Some(name) = &self.options.stdin_filename else {
            self.want_instead(PathBuf::from("<stdin>"), Origin::Stdin(bytes));
            return;
        };
        let path = absolute(&self.options.folder, name);
        if self.patterns.hold(&path) == Some(false) || self.policies.contains(&path) {
            self.found.corpus.passed_over += 1;
        } else {
            self.want_instead(path, Origin::Stdin(bytes));
        }
    }

    /// A file of the corpus. Where it was met before, it comes from where that said.
    fn want(&mut self, path: PathBuf, reported: bool, origin: Origin) {
        self.wanted.push(Wanted { path, reported, origin, instead: false });
    }

    /// The same for one that is asked for, whatever was said of it before.
    fn want_instead(&mut self, path: PathBuf, origin: Origin) {
        self.wanted.push(Wanted { path, reported: true, origin, instead: true });
    }

    /// Adds what git ignores and yet holds, where the policy lies in a repository.
    fn tracked(&mut self) {
        let base = self.patterns.base.clone();
        // A worktree and a submodule have a file there.
        let is_repository = |git: PathBuf| git.is_file() || git.join("HEAD").is_file();
        if !base.ancestors().any(|folder| is_repository(folder.join(".git"))) {
            return;
        }
        match git::tracked_though_ignored(&base) {
            Ok(files) => {
                for path in files {
                    if self.belongs(&path) {
                        self.want(path, true, Origin::Disk);
                    }
                }
            }
            Err(why) => self.found.messages.push(why),
        }
    }

    fn walk(&mut self, folder: &Path, reported: bool) {
        let folder = absolute(&self.options.folder, folder);
        let reached = self.patterns.reached();
        let walk = WalkBuilder::new(&folder)
            .hidden(false)
            .require_git(false)
            // Git's own files say what is no part of a repository; others only hide it from tools.
            .ignore(false)
            // What a user ignores for himself must not change what a run finds.
            .git_global(false)
            .git_exclude(false)
            .follow_links(true)
            // The order in which they are judged, so that there is little left to sort.
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| entry.file_name() != ".git" && reached(entry.path()))
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                    if !folder && self.belongs(path) {
                        self.want(path.to_path_buf(), reported, Origin::Disk);
                    }
                }
                Err(error) => self.trouble(&error, reported),
            }
        }
    }

    /// True when a file that a walk met belongs to the corpus.
    fn belongs(&self, path: &Path) -> bool {
        if self.policies.contains(path) || path == self.lock {
            return false;
        }
        self.patterns.hold(path).unwrap_or_else(|| {
            let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
            ["yaml", "yml"].iter().any(|known| end.eq_ignore_ascii_case(known))
        })
    }

    /// A walk met something that it cannot read.
    fn trouble(&mut self, error: &ignore::Error, reported: bool) {
        let (path, ended) = cause(error);
        if let ignore::Error::Loop { ancestor, child } = ended {
            // All below has been seen on the way here, so nothing is missed.
            self.found.messages.push(format!(
                "{} is a link back to {}; it is not followed",
                shown(&self.options.folder, child),
                shown(&self.options.folder, ancestor)
            ));
            return;
        }
        match path {
            // A link to nothing that would belong to the corpus is a file that cannot be read.
            Some(path) if self.belongs(path) => {
                self.want(path.to_path_buf(), reported, Origin::Disk);
            }
            // What lies in a folder that cannot be looked into would be missed without a word.
            Some(path) if path.is_dir() && self.patterns.reach(path) => {
                let why = fs::read_dir(path).err();
                let why = why.unwrap_or_else(|| io::Error::other(ended.to_string()));
                let origin = Origin::Nowhere(open::Why::Folder(why));
                self.want(path.to_path_buf(), reported, origin);
            }
            Some(path) if !self.patterns.reach(path) => {}
            _ => self.found.messages.push(format!("cannot look into a folder: {ended}")),
        }
    }

    fn finish(mut self, judge: Option<&FileJudge<'_>>, home: &Path) -> Found {
        let named = self.patterns.set.is_some();
        let wanted = each_once(self.wanted);
        let mut parts = judge.map(|_| Vec::with_capacity(wanted.len()));
        for (read, item) in read_all(self.options, &wanted, named, judge).into_iter().zip(&wanted) {
            let Some((mut file, part)) = read else {
                self.found.corpus.passed_over += usize::from(is_worth_a_word(self.options, item));
                continue;
            };
            file.id = shown_whole(home, &item.path);
            self.found.corpus.files.push(file);
            if let Some(parts) = &mut parts {
                parts.push(part);
            }
        }
        self.found.parts = parts;
        let reported = self.found.corpus.files.iter().filter(|file| file.reported);
        let read = reported.filter(|file| file.readable).count();
        self.found.nothing_read = read == 0 && self.found.corpus.passed_over == 0;
        if self.found.nothing_read && self.found.corpus.files.iter().all(|file| !file.reported) {
            let what =
                if named { "no file fits the policy's `keys`" } else { "no YAML file found" };
            let message = if self.options.paths.is_empty() {
                format!("{what}: nothing could be read")
            } else {
                "nothing could be read".to_owned()
            };
            self.found.messages.push(message);
        }
        self.found
    }
}

/// True for a file that holds policies and nothing else: one that could not be read to its end, or
/// that readers see in two ways, may hold a key as well.
fn is_policy_alone(file: &CorpusFile) -> bool {
    let documents = file.tree.documents();
    let all = documents.iter().all(|document| is_policy(&file.tree, *document));
    all && !documents.is_empty() && file.problems.is_empty()
}

/// False for a policy that a walk met under a policy's own name: nobody takes it for a key.
fn is_worth_a_word(options: &Options, item: &Wanted) -> bool {
    let name = item.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut given = options.paths.iter().map(|path| absolute(&options.folder, path));
    !POLICY_NAMES.contains(&name) || given.any(|path| path == item.path)
}

/// A file of the corpus that is still to be read.
struct Wanted {
    path: PathBuf,
    reported: bool,
    origin: Origin,
    /// Whether it comes from here whatever was said before.
    instead: bool,
}

/// Each file once, in the order of their paths.
fn each_once(mut wanted: Vec<Wanted>) -> Vec<Wanted> {
    wanted.sort_by(|a, b| a.path.cmp(&b.path));
    wanted.dedup_by(|again, kept| {
        if again.path != kept.path {
            return false;
        }
        kept.reported |= again.reported;
        if again.instead {
            kept.origin = std::mem::replace(&mut again.origin, Origin::Disk);
        }
        true
    });
    wanted
}

/// A file with what it gave by itself.
type Judged = Option<(CorpusFile, Part)>;

/// Reads and parses the files, on all processors where they are many; the order stays. Nothing
/// comes of a policy among the keys, where its own policy names no files.
fn read_all(
    options: &Options,
    wanted: &[Wanted],
    named: bool,
    judge: Option<&FileJudge<'_>>,
) -> Vec<Judged> {
    options.progress.all.store(wanted.len(), Ordering::Relaxed);
    let one = |item: &Wanted| {
        options.progress.done.fetch_add(1, Ordering::Relaxed);
        // A file that breaks the reader must not vanish.
        let read = catch_unwind(AssertUnwindSafe(|| read_one(options, item)));
        let mut file = read.unwrap_or_else(|_| {
            let why = "cannot be read: the reader failed on this file";
            CorpusFile::unreadable(name(options, &item.path), why, "report it, with the file")
        });
        if !named && is_policy_alone(&file) {
            return None;
        }
        let part = judge.map(|judge| judge.file(&file)).unwrap_or_default();
        // What was judged is seldom looked at again, and all trees together are large.
        if let (Some(_), Some(tree)) = (judge, Arc::get_mut(&mut file.tree)) {
            tree.forget();
        }
        Some((file, part))
    };
    if wanted.len() < FEW {
        return wanted.iter().map(one).collect();
    }
    wanted.par_iter().map(one).collect()
}

fn read_one(options: &Options, item: &Wanted) -> CorpusFile {
    let limits = &options.limits;
    let name = name(options, &item.path);
    let bytes = match &item.origin {
        Origin::Disk => open::read(&item.path, limits),
        Origin::Stdin(Ok(bytes)) => Ok(bytes.clone()),
        Origin::Stdin(Err(why)) | Origin::Nowhere(why) => return unread(options, item, why),
    };
    match bytes {
        Ok(bytes) => CorpusFile { reported: item.reported, ..CorpusFile::new(name, bytes, limits) },
        Err(why) => unread(options, item, &why),
    }
}

fn unread(options: &Options, item: &Wanted, why: &open::Why) -> CorpusFile {
    let limits = &options.limits;
    let file = CorpusFile::unreadable(name(options, &item.path), &why.finding(limits), why.help());
    let readable = matches!(why, open::Why::Large(_));
    CorpusFile { reported: item.reported, readable, ..file }
}

/// A file's path as output shows it.
fn name(options: &Options, path: &Path) -> String {
    shown_whole(&options.folder, path).unwrap_or_else(|| path.to_string_lossy().into_owned())
}

/// The path that an error is about, and the error below its wrappings.
fn cause(error: &ignore::Error) -> (Option<&Path>, &ignore::Error) {
    match error {
        ignore::Error::WithPath { path, err } => {
            let (inner, err) = cause(err);
            (inner.or(Some(path)), err)
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            cause(err)
        }
        error => (None, error),
    }
}

//! [`Root`]: a folder of the editor, with its policies and their findings.

use core::mem;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::empty;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cortexkey_lint::files::{self, Options};
use cortexkey_lint::{
    Corpus, CorpusFile, FileId, Finding, LintOptions, LintSession, Policy, Report, SourceId,
    WaivedBy, lint,
};
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{is_builtin, load};
use cortexkey_manifest::yaml::YamlLimits;

/// A folder that is checked.
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    /// One per policy, in the order of their numbers.
    sessions: Vec<LintSession<'static>>,
    /// The sessions' findings when all files were compared last.
    reports: Vec<Arc<Report>>,
    /// The findings that count, by file. Those in definitions are current.
    found: BTreeMap<PathBuf, Vec<LocatedFinding>>,
    /// The files of each session whose findings may differ since then.
    affected: Vec<BTreeSet<FileId>>,
    files: HashMap<PathBuf, FileId>,
    /// The files of the policies.
    policies: BTreeSet<PathBuf>,
    /// The absolute path of each path of output.
    paths: RefCell<HashMap<String, PathBuf>>,
    /// Fingerprints of the findings in the baseline.
    known: BTreeSet<String>,
    /// Why the folder could not be checked.
    pub(crate) fault: Option<String>,
    limits: YamlLimits,
}

/// A finding in its report.
#[derive(Clone, Debug)]
struct LocatedFinding {
    report: Arc<Report>,
    at: usize,
}

impl LocatedFinding {
    fn finding(&self) -> &Finding {
        &self.report.findings[self.at]
    }
}

impl Root {
    /// Reads and checks a folder, using the editor's texts in place of files.
    pub(crate) fn load(folder: &Path, texts: &HashMap<PathBuf, String>) -> Self {
        let now = jiff::Timestamp::now();
        let mut options = Options::new(folder, now);
        let texts_of_files = texts.iter().map(|(path, text)| (path.clone(), text.clone()));
        options.texts = Arc::new(texts_of_files.collect());
        let outcome = files::run(&options, &mut empty());
        let mut root = Self {
            folder: folder.to_owned(),
            sessions: Vec::new(),
            reports: Vec::new(),
            found: BTreeMap::new(),
            affected: Vec::new(),
            files: HashMap::new(),
            policies: BTreeSet::new(),
            paths: RefCell::default(),
            known: BTreeSet::new(),
            fault: None,
            limits: options.limits,
        };
        let Some(report) = &outcome.report else {
            root.fault = Some(outcome.messages.join("; "));
            return root;
        };
        // Without a usable policy, keys cannot be checked.
        let is_unchecked = outcome.policy.iter().chain(&outcome.others).any(|it| !it.is_usable());
        let is_empty = outcome.corpus.files.is_empty() && !outcome.messages.is_empty();
        root.fault = (is_unchecked || is_empty).then(|| outcome.messages.join("; "));
        let by_baseline = |waived: &&cortexkey_lint::WaivedFinding| waived.by == WaivedBy::Baseline;
        let known = report.waived.iter().filter(by_baseline);
        root.known = known.map(|waived| waived.finding.fingerprint.clone()).collect();
        let mut corpus = outcome.corpus;
        for file in &corpus.files {
            root.files.insert(root.absolute(&file.path), file.id);
        }
        let policies: Vec<Policy> = outcome.policy.into_iter().chain(outcome.others).collect();
        let last = policies.len().saturating_sub(1);
        for (at, policy) in policies.into_iter().enumerate() {
            let mut own = if at == last { mem::take(&mut corpus) } else { corpus.clone() };
            for file in &mut own.files {
                file.reported &= file.policy == at;
            }
            root.sessions.push(LintSession::new(own, policy, &LintOptions::at(now)));
        }
        root.affected = vec![BTreeSet::new(); root.sessions.len()];
        for (path, text) in texts {
            root.set_text(path, text);
        }
        root.compare_all();
        root
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }

    /// Whether it is the same folder.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.folder == other.folder
    }

    /// Replaces the text of a file; false if the folder's corpus has no such file.
    pub(crate) fn set_text(&mut self, path: &Path, text: &str) -> bool {
        let Some(file) = self.files.get(path).copied() else { return false };
        for (session, affected) in self.sessions.iter_mut().zip(&mut self.affected) {
            let differ = session.set_text(file, text.as_bytes().to_vec(), &self.limits);
            affected.extend(differ.into_iter().flatten());
        }
        true
    }

    /// Whether a file is part of a policy in force.
    pub(crate) fn is_policy(&self, path: &Path) -> bool {
        self.policies.contains(path)
    }

    /// The text of a policy's file that is in force.
    pub(crate) fn policy_text(&self, path: &Path) -> Option<&str> {
        self.policy_file(path).map(|(_, text)| text)
    }

    fn policy_file(&self, path: &Path) -> Option<(&Policy, &str)> {
        self.sessions.iter().zip(&self.reports).find_map(|(session, report)| {
            let is_it = |source: &&cortexkey_lint::SourceText| {
                source.is_of_policy() && self.absolute(&source.path) == path
            };
            Some((session.policy(), report.sources.iter().find(is_it)?.text()))
        })
    }

    /// The findings of a policy by itself, with another text for one of its files. None if the policy
    /// has a new parent now, which is read with the folder.
    pub(crate) fn report_of_policy(&self, path: &Path, text: &str) -> Option<Report> {
        let (policy, _) = self.policy_file(path)?;
        let mut read = |wanted: &str| match policy.text(wanted) {
            _ if self.absolute(wanted) == path => Ok(text.as_bytes().to_vec()),
            Some(known) => Ok(known.as_bytes().to_vec()),
            None => Err(String::new().into()),
        };
        let policy = Policy::new(load(policy.path()?, &self.limits, &mut read).ok()?);
        let nothing = Corpus { partial: true, ..Corpus::default() };
        Some(lint(&nothing, &policy, jiff::Timestamp::now()))
    }

    /// The findings of a file by itself, however many files there are beside it.
    pub(crate) fn report_of(&self, path: &Path) -> Option<Report> {
        let file = self.files.get(path)?;
        let governs =
            |session: &&LintSession<'_>| session.file(*file).is_some_and(|known| known.reported);
        self.sessions.iter().find(governs)?.report_of(*file)
    }

    /// Whether the baseline holds a finding.
    pub(crate) fn is_known(&self, finding: &Finding) -> bool {
        self.known.contains(&finding.fingerprint)
    }

    /// Compares the files that changed with those that rules compare with them. Returns the files whose
    /// findings may differ.
    pub(crate) fn compare_changed(&mut self) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        let affected: Vec<_> = self.affected.iter_mut().map(mem::take).collect();
        for (session, affected) in self.sessions.iter().zip(&affected) {
            let files = affected.iter().filter_map(|file| session.file(*file));
            changed.extend(files.map(|file| self.absolute(&file.path)));
        }
        for path in &changed {
            self.found.remove(path);
        }
        let reports = self.sessions.iter().zip(&affected);
        let reports: Vec<_> = reports
            .filter(|(_, affected)| !affected.is_empty())
            .map(|(session, affected)| Arc::new(session.report_on(affected)))
            .collect();
        self.take(&reports);
        changed
    }

    /// Compares all files, and updates the findings in the policies.
    pub(crate) fn compare_all(&mut self) {
        self.affected.iter_mut().for_each(BTreeSet::clear);
        self.found.clear();
        self.reports = self.sessions.iter().map(|it| Arc::new(it.report())).collect();
        let sources = self.reports.iter().flat_map(|report| report.sources.iter());
        let of_policy = sources.filter(|it| it.is_of_policy() && !is_builtin(&it.path));
        self.policies = of_policy.map(|source| self.absolute(&source.path)).collect();
        self.take(&self.reports.clone());
    }

    /// Stores the findings of reports that count.
    fn take(&mut self, reports: &[Arc<Report>]) {
        let mut seen = BTreeSet::new();
        for report in reports {
            for (at, finding) in report.findings.iter().enumerate() {
                let Some(path) = self.path_of(report, finding.location.source) else { continue };
                // Several policies may extend the same policy with a mistake.
                let is_double = !seen.insert((&finding.fingerprint, finding.location.span));
                if !is_double && !self.is_known(finding) {
                    let found = LocatedFinding { report: Arc::clone(report), at };
                    self.found.entry(path).or_default().push(found);
                }
            }
        }
    }

    /// The files with findings that count.
    pub(crate) fn files_with_findings(&self) -> impl Iterator<Item = &PathBuf> {
        self.found.keys()
    }

    /// The findings of a file that count.
    pub(crate) fn findings(&self, path: &Path) -> Vec<(&Finding, &Report)> {
        let found = self.found.get(path).into_iter().flatten();
        found.map(|found| (found.finding(), &*found.report)).collect()
    }

    /// The path of a source on disk; `None` for a built-in policy.
    pub(crate) fn path_of(&self, report: &Report, source: SourceId) -> Option<PathBuf> {
        let path = &report.sources.get(source)?.path;
        let is_file = !is_builtin(path) && !path.starts_with('<');
        is_file.then(|| self.absolute(path))
    }

    /// The absolute path of a path of output. Asking the file system each time would take most of
    /// the time of a refresh.
    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        if let Some(known) = self.paths.borrow().get(path) {
            return known.clone();
        }
        let joined = self.folder.join(path);
        let whole = std::fs::canonicalize(&joined).unwrap_or(joined);
        self.paths.borrow_mut().insert(path.to_owned(), whole.clone());
        whole
    }

    /// All files with definitions.
    pub(crate) fn files(&self) -> impl Iterator<Item = &CorpusFile> {
        self.sessions.first().into_iter().flat_map(|session| &session.corpus().files)
    }

    /// All definitions, each with its file.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (&CorpusFile, &Definition)> {
        self.files().flat_map(move |file| {
            let documents = file.documents.iter().filter_map(|it| it.definition.as_ref());
            documents.map(move |definition| (file, definition))
        })
    }

    pub(crate) fn file(&self, path: &Path) -> Option<&CorpusFile> {
        self.sessions.first()?.file(*self.files.get(path)?)
    }

    /// The policy that governs a file; the folder's own for other files.
    pub(crate) fn policy(&self, path: &Path) -> Option<(&Policy, &Report)> {
        let at = self.file(path).map_or(0, |file| file.policy);
        Some((self.sessions.get(at)?.policy(), &**self.reports.get(at)?))
    }

    /// All policies with their reports.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (usize, &Policy, &Report)> {
        let sessions = self.sessions.iter().zip(&self.reports).enumerate();
        sessions.map(|(at, (session, report))| (at, session.policy(), &**report))
    }
}

//! [`Root`]: a folder of the editor, with its policies and their findings.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::empty;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cortexkey_lint::files::{self, Options};
use cortexkey_lint::{
    Corpus, CorpusFile, FileId, Finding, LintOptions, LintSession, Policy, Report, SourceId,
    WaivedBy,
};
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::yaml::Limits;

/// A folder that is checked.
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    /// One per policy, in the order of their numbers.
    sessions: Vec<LintSession<'static>>,
    /// The sessions' last findings.
    reports: Vec<Report>,
    files: HashMap<PathBuf, FileId>,
    /// The absolute path of each path of output.
    paths: RefCell<HashMap<String, PathBuf>>,
    /// Fingerprints of the findings in the baseline.
    known: BTreeSet<String>,
    /// Why the folder could not be checked.
    pub(crate) fault: Option<String>,
    limits: Limits,
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
            files: HashMap::new(),
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
        root.fault = is_unchecked.then(|| outcome.messages.join("; "));
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
            let mut own = if at == last { core::mem::take(&mut corpus) } else { corpus.clone() };
            for file in &mut own.files {
                file.reported &= file.policy == at;
            }
            root.sessions.push(LintSession::new(own, policy, &LintOptions::at(now)));
        }
        root.reports = root.sessions.iter().map(LintSession::report).collect();
        for (path, text) in texts {
            root.set_text(path, text);
        }
        root
    }

    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }

    /// Replaces the text of a file; false if the folder's corpus has no such file.
    pub(crate) fn set_text(&mut self, path: &Path, text: &str) -> bool {
        let Some(file) = self.files.get(path).copied() else { return false };
        for session in &mut self.sessions {
            session.set_text(file, text.as_bytes().to_vec(), &self.limits);
        }
        true
    }

    /// Whether a file is part of a policy in force.
    pub(crate) fn is_policy(&self, path: &Path) -> bool {
        self.reports.iter().any(|report| {
            let of_policy = report.sources.iter().filter(|source| source.is_of_policy());
            of_policy
                .filter(|source| !source.path.starts_with("builtin:"))
                .any(|source| self.absolute(&source.path) == path)
        })
    }

    /// The findings of a file by itself, which take no longer the more files there are.
    pub(crate) fn report_of(&self, path: &Path) -> Option<Report> {
        let file = self.files.get(path)?;
        let governs = |session: &&LintSession<'_>| {
            session.corpus().files.iter().any(|known| known.id == *file && known.reported)
        };
        self.sessions.iter().find(governs)?.report_of(*file)
    }

    /// Whether the baseline holds a finding.
    pub(crate) fn is_known(&self, finding: &Finding) -> bool {
        self.known.contains(&finding.fingerprint)
    }

    /// Updates the findings across files. Single files were already checked.
    pub(crate) fn refresh(&mut self) {
        self.reports = self.sessions.iter().map(LintSession::report).collect();
    }

    /// All findings that count, by file.
    pub(crate) fn findings(&self) -> BTreeMap<PathBuf, Vec<(&Finding, &Report)>> {
        let mut all: BTreeMap<PathBuf, Vec<(&Finding, &Report)>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for report in &self.reports {
            for finding in &report.findings {
                let Some(path) = self.path_of(report, finding.location.source) else { continue };
                let is_double = !seen.insert((&finding.fingerprint, finding.location.span));
                if !is_double && !self.is_known(finding) {
                    all.entry(path).or_default().push((finding, report));
                }
            }
        }
        all
    }

    /// The path of a source on disk; none for a built-in policy.
    pub(crate) fn path_of(&self, report: &Report, source: SourceId) -> Option<PathBuf> {
        let path = &report.sources.get(source)?.path;
        let is_file = !path.starts_with("builtin:") && !path.starts_with('<');
        is_file.then(|| self.absolute(path))
    }

    /// Where a file of output is. Asking the file system each time would take most of a refresh.
    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        if let Some(known) = self.paths.borrow().get(path) {
            return known.clone();
        }
        let joined = self.folder.join(path);
        let whole = std::fs::canonicalize(&joined).unwrap_or(joined);
        self.paths.borrow_mut().insert(path.to_owned(), whole.clone());
        whole
    }

    pub(crate) fn corpus(&self) -> Option<&Corpus> {
        self.sessions.first().map(LintSession::corpus)
    }

    /// All definitions with the path and their file.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (PathBuf, &CorpusFile, &Definition)> {
        let files = self.corpus().into_iter().flat_map(|corpus| &corpus.files);
        files.flat_map(move |file| {
            let documents = file.documents.iter().filter_map(|it| it.definition.as_ref());
            documents.map(move |definition| (self.absolute(&file.path), file, definition))
        })
    }

    pub(crate) fn file(&self, path: &Path) -> Option<&CorpusFile> {
        let id = self.files.get(path)?;
        self.corpus()?.files.iter().find(|file| file.id == *id)
    }

    /// The policy that governs a file; the folder's own for other files.
    pub(crate) fn policy(&self, path: &Path) -> Option<(&Policy, &Report)> {
        let at = self.file(path).map_or(0, |file| file.policy);
        Some((self.sessions.get(at)?.policy(), self.reports.get(at)?))
    }

    /// All policies with their reports.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (usize, &Policy, &Report)> {
        let sessions = self.sessions.iter().zip(&self.reports).enumerate();
        sessions.map(|(at, (session, report))| (at, session.policy(), report))
    }
}

//! A corpus that stays checked while its files change: for editors, and for fixing.

use core::mem;
use core::ops::Deref;
use std::collections::{BTreeSet, HashMap, HashSet};

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::YamlLimits;

use super::file::{FileLinter, FileResult};
use super::lint::{assemble, check_files};
use super::neighbours::Neighbours;
use super::run::LintOptions;
use crate::model::{Corpus, CorpusFile, FileId, Report, SourceId, document_at};
use crate::parallel;
use crate::policy::{Policy, Settings};
use crate::rule::Rule;

/// A corpus that stays checked against a policy. A change of one file checks that file again, and the
/// rules across files; the other files keep their results.
pub struct LintSession<'a> {
    corpus: Corpus,
    /// The result of each file by itself, in the corpus' order.
    results: Vec<FileResult>,
    policy: SessionPolicy<'a>,
    options: LintOptions<'a>,
    /// Created when a text changes, and dropped by other changes.
    neighbours: Option<Neighbours>,
}

/// The policy of a session.
pub enum SessionPolicy<'a> {
    /// The caller owns it.
    Borrowed(&'a Policy),
    /// The session owns it.
    Owned(Box<Policy>),
}

impl Deref for SessionPolicy<'_> {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        match self {
            Self::Borrowed(policy) => policy,
            Self::Owned(policy) => policy,
        }
    }
}

impl<'a> From<&'a Policy> for SessionPolicy<'a> {
    fn from(policy: &'a Policy) -> Self {
        Self::Borrowed(policy)
    }
}

impl From<Policy> for SessionPolicy<'_> {
    fn from(policy: Policy) -> Self {
        Self::Owned(Box::new(policy))
    }
}

/// The state before a change.
pub(super) enum Previous<'a> {
    /// A file of the corpus, by its index.
    File(usize, Box<(CorpusFile, FileResult)>),
    /// The policy, with the results of all files.
    Policy(SessionPolicy<'a>, Vec<FileResult>),
}

impl<'a> LintSession<'a> {
    /// Checks a corpus.
    #[must_use]
    pub fn new(
        corpus: Corpus,
        policy: impl Into<SessionPolicy<'a>>,
        options: &LintOptions<'a>,
    ) -> Self {
        let policy = policy.into();
        let results = check_files(&corpus, &policy, options);
        Self { corpus, results, policy, options: *options, neighbours: None }
    }

    /// The corpus as it is now.
    #[must_use]
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Replaces a file's text and checks it. Returns the files whose findings may differ now;
    /// `None` if the corpus has no such file. The time does not depend on the number of other
    /// files.
    pub fn set_text(
        &mut self,
        file: FileId,
        bytes: Vec<u8>,
        limits: &YamlLimits,
    ) -> Option<BTreeSet<FileId>> {
        let neighbours = self.neighbours.get_or_insert_with(|| Neighbours::new(&self.corpus.files));
        let at = neighbours.position(file)?;
        let old = &self.corpus.files[at];
        let mut affected = neighbours.beside(old);
        neighbours.leave(at, old);
        let new = old.with_bytes(bytes, limits);
        neighbours.enter(at, &new);
        affected.extend(neighbours.beside(&new));
        self.results[at] = FileLinter::new(&self.policy, &self.options).check(&new);
        self.corpus.files[at] = new;
        neighbours.add_namesakes(&mut affected, &self.corpus.files);
        Some(affected.into_iter().map(|at| self.corpus.files[at].id).collect())
    }

    /// Replaces the texts of several files; returns the state before.
    pub(super) fn replace_texts(
        &mut self,
        texts: &[(FileId, Vec<u8>)],
        limits: &YamlLimits,
    ) -> Vec<Previous<'a>> {
        self.neighbours = None;
        let files = self.corpus.files.iter().enumerate();
        let positions: HashMap<FileId, usize> = files.map(|(at, file)| (file.id, at)).collect();
        let linter = FileLinter::new(&self.policy, &self.options);
        let new = parallel::map(texts, self.options.jobs, |(id, bytes)| {
            let at = *positions.get(id)?;
            let file = self.corpus.files[at].with_bytes(bytes.clone(), limits);
            let result = linter.check(&file);
            Some((at, file, result))
        });
        let mut changes = Vec::with_capacity(new.len());
        for (at, file, result) in new.into_iter().flatten() {
            let file = mem::replace(&mut self.corpus.files[at], file);
            let result = mem::replace(&mut self.results[at], result);
            changes.push(Previous::File(at, Box::new((file, result))));
        }
        changes
    }

    /// Adds a file to the corpus and checks it.
    pub fn add(&mut self, file: CorpusFile) {
        self.neighbours = None;
        self.results.push(self.check(&file));
        self.corpus.files.push(file);
    }

    /// Removes a file from the corpus. Returns false if the corpus has no such file.
    pub fn remove(&mut self, file: FileId) -> bool {
        let Some(at) = self.position(file) else { return false };
        self.neighbours = None;
        self.results.remove(at);
        self.corpus.files.remove(at);
        true
    }

    /// Puts another policy in force, and checks all files against it.
    pub fn set_policy(&mut self, policy: Policy) {
        self.replace_policy(policy);
    }

    /// Replaces the policy and returns the previous state.
    pub(super) fn replace_policy(&mut self, policy: Policy) -> Previous<'a> {
        let old = mem::replace(&mut self.policy, policy.into());
        let results = check_files(&self.corpus, &self.policy, &self.options);
        Previous::Policy(old, mem::replace(&mut self.results, results))
    }

    /// Undoes changes, the last one first.
    pub(super) fn restore(&mut self, changes: Vec<Previous<'a>>) {
        self.neighbours = None;
        for previous in changes.into_iter().rev() {
            match previous {
                Previous::File(at, file) => (self.corpus.files[at], self.results[at]) = *file,
                Previous::Policy(policy, results) => {
                    self.policy = policy;
                    self.results = results;
                }
            }
        }
    }

    /// The findings, as [`super::lint_with`] reports them.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report_all().shortened()
    }

    /// Every finding.
    pub(super) fn report_all(&self) -> Report {
        assemble(&self.corpus, &self.policy, &self.options, self.results.clone())
    }

    /// The findings of one file by itself, without those of rules that compare files, and without
    /// looking at the rest of the corpus. `None` if the corpus has no such file.
    #[must_use]
    pub fn report_of(&self, file: FileId) -> Option<Report> {
        let at = self.position(file)?;
        let files = vec![self.corpus.files[at].clone()];
        let alone = Corpus { files, partial: true, ..Corpus::default() };
        let results = vec![self.results[at].clone()];
        Some(assemble(&alone, &self.policy, &self.options, results).shortened())
    }

    /// The findings in some files, as in [`Self::report`], but looking only at files with keys that
    /// rules compare with theirs.
    #[must_use]
    pub fn report_on(&self, files: &BTreeSet<FileId>) -> Report {
        let mut report = match &self.neighbours {
            Some(neighbours) if self.corpus.before.is_none() => {
                self.report_beside(neighbours, files)
            }
            _ => self.report_all(),
        };
        let wanted: HashSet<SourceId> = files.iter().copied().map(SourceId::File).collect();
        report.findings.retain(|finding| wanted.contains(&finding.location.source));
        report.waived.retain(|waived| wanted.contains(&waived.finding.location.source));
        report.shortened()
    }

    fn report_beside(&self, neighbours: &Neighbours, files: &BTreeSet<FileId>) -> Report {
        let positions = files.iter().filter_map(|file| neighbours.position(*file));
        let beside: BTreeSet<usize> =
            positions.flat_map(|at| neighbours.beside(&self.corpus.files[at])).collect();
        let files = beside.iter().map(|at| self.corpus.files[*at].clone()).collect();
        let results = beside.iter().map(|at| self.results[*at].clone()).collect();
        let part = Corpus { files, partial: true, ..Corpus::default() };
        assemble(&part, &self.policy, &self.options, results)
    }

    /// The settings of a rule for the key whose document contains a span, including overrides; without
    /// a key there, the settings for all keys.
    #[must_use]
    pub fn settings(&self, rule: &'static Rule, file: FileId, span: Span) -> Settings {
        let file = self.position(file).map(|at| &self.corpus.files[at]);
        let key = file.and_then(|file| {
            Some((file, document_at(&file.documents, span)?.definition.as_ref()?))
        });
        let linter = || FileLinter::new(&self.policy, &self.options);
        key.map_or_else(
            || self.policy.settings(rule).clone(),
            |(file, definition)| linter().settings(rule, file, definition),
        )
    }

    /// A file of the corpus.
    #[must_use]
    pub fn file(&self, file: FileId) -> Option<&CorpusFile> {
        self.corpus.files.get(self.position(file)?)
    }

    fn position(&self, file: FileId) -> Option<usize> {
        if let Some(neighbours) = &self.neighbours {
            return neighbours.position(file);
        }
        self.corpus.files.iter().position(|known| known.id == file)
    }

    fn check(&self, file: &CorpusFile) -> FileResult {
        FileLinter::new(&self.policy, &self.options).check(file)
    }
}

//! The files to check, parsed. No file is opened here.

use std::path::PathBuf;
use std::sync::Arc;

use cortexkey_manifest::definition::{self, Definition};
use cortexkey_manifest::lock::{self, Lock};
use cortexkey_manifest::yaml::{Tree, YamlLimits, parse, parse_bytes};
use cortexkey_manifest::{Problem, ProblemKind, Span, decode};

use super::claims::{self, Claim};
use super::source::FileId;

/// One document of a file that may be a key definition.
#[derive(Clone, Debug)]
pub struct KeyDocument {
    /// Its span in the file.
    pub span: Span,
    /// The definition, unless it is of another kind or version.
    pub definition: Option<Definition>,
    /// Mistakes of its form.
    pub problems: Vec<Problem>,
}

/// The document that contains a span; a file's documents come in order.
pub(crate) fn document_at(documents: &[KeyDocument], span: Span) -> Option<&KeyDocument> {
    let next = documents.partition_point(|document| document.span.start <= span.start);
    let document = documents.get(next.checked_sub(1)?)?;
    (span.end <= document.span.end).then_some(document)
}

/// One file of the corpus.
#[derive(Clone, Debug)]
pub struct CorpusFile {
    /// Identifies the file, whatever its text.
    pub id: FileId,
    /// Its path as output shows it.
    pub path: String,
    /// Its path from the policy's folder, wherever the command runs, unless that is `path`.
    pub policy_path: Option<String>,
    /// Its text and tree.
    pub tree: Arc<Tree>,
    /// Mistakes of its YAML.
    pub problems: Vec<Problem>,
    /// Its documents.
    pub documents: Vec<KeyDocument>,
    /// True when findings of this file are reported; other files are read because rules need them.
    pub reported: bool,
    /// True when its bytes could be read.
    pub readable: bool,
    /// Which of the run's policies it is checked against.
    pub policy: usize,
    /// Where it can be written; `None` for standard input and for a file of a repository's index.
    pub disk_path: Option<PathBuf>,
    /// Where it claims to be a definition, although it belongs to no corpus.
    pub(crate) outside: Option<Span>,
    /// True when its bytes are text.
    pub decoded: bool,
}

impl CorpusFile {
    /// Parses the bytes of a file.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>, limits: &YamlLimits) -> Self {
        let decoded = decode(bytes);
        let parsed = parse(&decoded.text, limits);
        let (mut problems, trusted) = match decoded.problem {
            Some(problem) => (vec![problem], false),
            None => (parsed.problems, true),
        };
        let tree = Arc::new(parsed.tree);
        let mut documents = Vec::with_capacity(tree.documents().len());
        if trusted {
            for document in tree.documents() {
                let lowered = definition::read(&tree, *document);
                let span = tree.node(document.root).span;
                let definition = lowered.definition;
                let problems = lowered.problems;
                documents.push(KeyDocument { span, definition, problems });
            }
            if documents.is_empty() && problems.is_empty() {
                problems.push(
                    Problem::new(
                        ProblemKind::MissingField,
                        Span::default(),
                        "the file contains no key definition",
                    )
                    .help("write one, or remove the file from the corpus"),
                );
            }
        }
        Self {
            id: FileId::unique(),
            path: path.into(),
            policy_path: None,
            tree,
            problems,
            documents,
            reported: true,
            readable: true,
            policy: 0,
            disk_path: None,
            outside: None,
            decoded: trusted,
        }
    }

    /// The same file with another text.
    #[must_use]
    pub(crate) fn with_bytes(&self, bytes: Vec<u8>, limits: &YamlLimits) -> Self {
        let mut new = Self {
            id: self.id,
            policy_path: self.policy_path.clone(),
            reported: self.reported,
            policy: self.policy,
            disk_path: self.disk_path.clone(),
            ..Self::new(self.path.clone(), bytes, limits)
        };
        if self.is_outside() {
            // Without a definition, nothing of it is checked.
            match new.claim() {
                Claim::No => {
                    new.documents = Vec::new();
                    new.problems = Vec::new();
                }
                Claim::Yes(span) | Claim::Unclear(span) => new.leave_out(span),
            }
        }
        new
    }

    /// Its path from the folder of the policy in force, if that is known.
    pub(crate) fn path_in_policy(&self) -> &str {
        self.policy_path.as_deref().unwrap_or(&self.path)
    }

    /// Parses the bytes of a file that no corpus names; `None` if it contains no definition.
    #[must_use]
    pub fn outside(path: impl Into<String>, bytes: Vec<u8>, limits: &YamlLimits) -> Option<Self> {
        let mut file = Self::new(path, bytes, limits);
        match file.claim() {
            Claim::No => None,
            Claim::Yes(span) | Claim::Unclear(span) => {
                file.leave_out(span);
                Some(file)
            }
        }
    }

    /// Whether the file contains a definition but belongs to no corpus.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.outside.is_some()
    }

    /// Whether the file was read to its end, with all of its definitions.
    pub(crate) fn is_read(&self) -> bool {
        let is_sound = |problems: &[Problem]| !problems.iter().any(Problem::leaves_unchecked);
        let is_known =
            |document: &KeyDocument| document.definition.is_some() && is_sound(&document.problems);
        self.readable && is_sound(&self.problems) && self.documents.iter().all(is_known)
    }

    /// Whether the file was read to its end, and is checked.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_read() && !self.is_outside()
    }

    /// Prevents the file from being read as a definition, which it claims to be at a span.
    pub(crate) fn leave_out(&mut self, claim: Span) {
        self.outside = Some(claim);
        self.documents = Vec::new();
        self.problems = Vec::new();
    }

    /// Whether the file defines keys.
    pub(crate) fn claim(&self) -> Claim {
        claims::claim(&self.tree, !self.problems.is_empty())
    }

    /// Represents a file that cannot be read, which is always a finding.
    #[must_use]
    pub fn unreadable(path: impl Into<String>, why: &str, help: &str) -> Self {
        let mut file = Self::new(path, Vec::new(), &YamlLimits::default());
        let problem = Problem::new(ProblemKind::YamlSyntax, Span::default(), why).help(help);
        file.problems = vec![problem];
        file.readable = false;
        file
    }
}

/// The corpus at an earlier revision.
#[derive(Clone, Debug)]
pub struct EarlierCorpus {
    /// The name of the revision.
    pub revision: String,
    /// Its files.
    pub files: Vec<CorpusFile>,
}

/// The lock file, which maps definitions to key ids of tenants.
#[derive(Clone, Debug)]
pub struct LockedKeys {
    /// Its path as output shows it.
    pub path: String,
    /// Its text and tree.
    pub tree: Arc<Tree>,
    /// Its content.
    pub lock: Lock,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl LockedKeys {
    /// Parses the bytes of a lock file.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>, limits: &YamlLimits) -> Self {
        let parsed = parse_bytes(bytes, limits);
        let lowered = parsed.first().map(|document| lock::read(&parsed.tree, document));
        let (lock, problems) = match lowered {
            Some(lowered) => (lowered.lock.unwrap_or_default(), lowered.problems),
            None => (Lock::default(), parsed.problems),
        };
        let tree = Arc::new(parsed.tree);
        Self { path: path.into(), tree, lock, problems }
    }
}

/// All files that are checked.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The files, in any order; findings come out sorted.
    pub files: Vec<CorpusFile>,
    /// Files that were given and are neither in the corpus nor a policy.
    pub skipped: usize,
    /// Files that are not reported on because a pattern excludes them.
    pub excluded: usize,
    /// The corpus at an earlier revision, to compare keys with.
    pub before: Option<EarlierCorpus>,
    /// The lock file.
    pub lock: Option<LockedKeys>,
    /// True when some files are not reported on; rules that need the whole corpus are skipped then.
    pub partial: bool,
    /// True when files of the corpus were not read, because a policy of theirs cannot be used.
    pub unseen: bool,
}

impl Corpus {
    /// Whether every definition was read and belongs to the corpus. Only then is a key that is not
    /// here one that does not exist.
    pub(crate) fn is_complete(&self) -> bool {
        !self.unseen && self.files.iter().all(CorpusFile::is_complete)
    }
}

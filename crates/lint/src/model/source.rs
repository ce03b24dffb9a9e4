//! The files that findings point to, and locations in them.

use core::ops::Index;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use cortexkey_manifest::policy::is_builtin;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Position, Span, blank, line_path, mask_path, secret_ranges};

/// Identifies a file of a corpus, whatever its current text. Unique within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u64);

impl FileId {
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Identifies a file that findings point to. Known when the file is read, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// A file of a policy.
    Policy {
        /// Which policy of the run.
        policy: usize,
        /// Which of its layers; files that could not be read follow them.
        layer: usize,
    },
    /// A file of the corpus.
    File(FileId),
    /// The lock file beside a policy.
    Lock {
        /// Which policy of the run.
        policy: usize,
    },
}

/// A location in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub source: SourceId,
    /// Its bytes in that file.
    pub span: Span,
}

/// A file that findings point to, with its text.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Which file it is.
    pub id: SourceId,
    /// Its path as output shows it.
    pub path: String,
    /// Its path from the policy's folder, wherever the command runs.
    pub(crate) policy_path: String,
    /// Its path from the root of the repository, for readers who see that and not the command's
    /// folder; `None` for a built-in policy.
    pub(crate) from_root: Option<String>,
    pub(crate) tree: Arc<Tree>,
    /// False for files that are read only because other files refer to them.
    pub(crate) reported: bool,
}

impl SourceText {
    pub(crate) fn new(id: SourceId, path: &str, tree: &Arc<Tree>) -> Self {
        let path = mask_path(path);
        let from_root = (!is_builtin(&path)).then(|| path.clone());
        let tree = Arc::clone(tree);
        Self { id, policy_path: path.clone(), from_root, path, tree, reported: true }
    }

    /// Sets the path that is independent of where the command runs.
    pub(crate) fn named(mut self, policy_path: &str) -> Self {
        self.policy_path = mask_path(policy_path);
        self
    }

    /// Sets the path from the root of the repository.
    pub(crate) fn rooted(&mut self, path: &str) {
        if self.from_root.is_some() {
            self.from_root = Some(mask_path(path));
        }
    }

    /// True for a file of a policy and for the lock file beside one.
    #[must_use]
    pub fn is_of_policy(&self) -> bool {
        !matches!(self.id, SourceId::File(_))
    }

    /// Its path for formats that a review of the whole repository shows.
    pub(crate) fn in_review(&self) -> &str {
        let path = self.from_root.as_deref().unwrap_or(&self.path);
        path.strip_prefix("./").unwrap_or(path)
    }

    /// Its path for human-readable formats: one line that no log interprets as a command.
    pub(crate) fn shown(&self) -> String {
        line_path(&self.path)
    }

    /// Line and column where a span starts and ends.
    #[must_use]
    pub fn positions(&self, span: Span) -> (Position, Position) {
        (self.tree.position(span.start), self.tree.position(span.end))
    }

    /// The text. It may contain a secret; show [`Self::masked`] instead.
    #[must_use]
    pub fn text(&self) -> &str {
        self.tree.source()
    }

    /// The text with everything that may be a secret as asterisks, byte for byte as long.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.tree.source();
        let ranges = secret_ranges(text, Some(&self.tree), self.is_of_policy());
        if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
    }
}

/// The sources of a report: the policy's layers first, then the corpus, then the lock file.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<SourceText>,
    at: HashMap<SourceId, usize>,
}

impl Sources {
    /// The source of an id; `None` for a file of another run.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&SourceText> {
        self.all.get(*self.at.get(&id)?)
    }

    /// All of them, in order.
    pub fn iter(&self) -> core::slice::Iter<'_, SourceText> {
        self.all.iter()
    }

    pub(crate) fn all_mut(&mut self) -> &mut [SourceText] {
        &mut self.all
    }
}

impl FromIterator<SourceText> for Sources {
    fn from_iter<I: IntoIterator<Item = SourceText>>(items: I) -> Self {
        let mut sources = Self::default();
        for source in items {
            if let Entry::Vacant(at) = sources.at.entry(source.id) {
                at.insert(sources.all.len());
                sources.all.push(source);
            }
        }
        sources
    }
}

impl<'s> IntoIterator for &'s Sources {
    type Item = &'s SourceText;
    type IntoIter = core::slice::Iter<'s, SourceText>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Sources {
    type Item = SourceText;
    type IntoIter = std::vec::IntoIter<SourceText>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

/// A report holds every source that its findings point into.
impl Index<SourceId> for Sources {
    type Output = SourceText;

    fn index(&self, id: SourceId) -> &SourceText {
        &self.all[self.at[&id]]
    }
}

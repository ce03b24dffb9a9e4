//! What a rule found: where, what, and what to do about it.
//!
//! A finding never holds a value that may be a secret; messages are made from masked text.

use std::borrow::Cow;

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

/// A place in one of a report's sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index into [`crate::Report::sources`].
    pub source: usize,
    /// Bytes of that source.
    pub span: Span,
}

/// A second place that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// Why it matters, in a few words.
    pub message: String,
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span is an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// How a finding can be mended: edits of its own file, which do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// True when it changes nothing that the key may do, and nothing that somebody meant.
    pub safe: bool,
    /// The edits, in any order.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// One edit that changes no meaning.
    pub fn safe(span: Span, text: impl Into<String>) -> Self {
        Self { safe: true, edits: vec![Edit { span, text: text.into() }] }
    }

    /// One edit that somebody has to agree with.
    pub fn unsafe_(span: Span, text: impl Into<String>) -> Self {
        Self { safe: false, ..Self::safe(span, text) }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Code of the rule, as in `E003`.
    pub code: Cow<'static, str>,
    /// Name of the rule, as in `expiry-too-long`.
    pub name: Cow<'static, str>,
    /// How grave it is, as the policy has it.
    pub severity: Severity,
    /// The value itself, or the key of the mapping that lacks one.
    pub place: Place,
    /// What was seen, and what would be right.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// Name of the key, where the finding is about one.
    pub key: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
    /// What else tells it from others at its place, in words that no day changes.
    pub about: String,
    /// How it can be mended, where a program can.
    pub fix: Option<Fix>,
    /// True when it says that a part of a file could not be checked. Nothing suppresses, waives,
    /// lowers or baselines such a finding: whatever else is wrong there stays unseen.
    pub unchecked: bool,
    /// Says across runs that it is the same finding; made without line numbers.
    pub fingerprint: String,
}

impl Finding {
    /// Moves it with its report's sources, behind this many others.
    pub(crate) fn moved(&mut self, by: usize) {
        let related = self.related.iter_mut().map(|related| &mut related.place);
        for place in related.chain([&mut self.place]) {
            place.source += by;
        }
    }
}

/// What silenced a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaivedBy {
    /// A waiver of the policy.
    Waiver,
    /// A comment in the file.
    Comment,
    /// The baseline.
    Baseline,
}

impl WaivedBy {
    /// The word in output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiver => "waiver",
            Self::Comment => "comment",
            Self::Baseline => "baseline",
        }
    }
}

/// A finding that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaivedFinding {
    /// What was found.
    pub finding: Finding,
    /// Why it does not count.
    pub by: WaivedBy,
}

//! A finding: its location, its message, and its remedy.
//!
//! A finding never holds a value that may be a secret; messages are made from masked text.

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

use super::rule_id::RuleId;
use super::source::Location;

/// A related location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The location.
    pub location: Location,
    /// Its label.
    pub message: String,
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span is an insertion.
    pub span: Span,
    /// What replaces it.
    pub text: String,
}

/// How a finding can be fixed: edits of its own file, which do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// True when it changes neither what the key may do nor what the author meant.
    pub safe: bool,
    /// The edits, in any order.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// One edit that changes no meaning.
    pub fn safe(span: Span, text: impl Into<String>) -> Self {
        Self { safe: true, edits: vec![Edit { span, text: text.into() }] }
    }

    /// One edit that needs a review.
    pub fn unsafe_(span: Span, text: impl Into<String>) -> Self {
        Self { safe: false, ..Self::safe(span, text) }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The severity that the policy sets.
    pub severity: Severity,
    /// The value itself, or the key of the mapping that lacks one.
    pub location: Location,
    /// What is wrong: the fact, and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Name of the key, if the finding is about one.
    pub key: Option<String>,
    /// Related locations.
    pub related: Vec<Related>,
    /// What else distinguishes it from others at its location, in words that do not change over
    /// time.
    pub detail: String,
    /// The edits that fix it.
    pub fix: Option<Fix>,
    /// Whether it reports that a part of a file could not be checked. Nothing suppresses, waives,
    /// lowers or baselines such a finding, because other mistakes there stay hidden.
    pub unchecked: bool,
    /// Identifies the finding across runs; computed without line numbers.
    pub fingerprint: String,
}

/// What suppressed a finding.
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
    pub const fn as_str(self) -> &'static str {
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
    /// The finding.
    pub finding: Finding,
    /// Why it does not count.
    pub by: WaivedBy,
}

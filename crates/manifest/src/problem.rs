//! What a reader reports: a mistake, its place, and the rule that it belongs to.
//!
//! A problem has no severity: the policy sets it.

use crate::source::Span;

/// The kind of a mistake; each belongs to one rule of the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Not YAML, not UTF-8, or over a limit.
    YamlSyntax,
    /// A key twice in one mapping.
    DuplicateKey,
    /// Another YAML reader sees something else in the same bytes.
    ParserDisagreement,
    /// An anchor, alias, merge key, or tag that retypes.
    Indirection,
    /// A field that the format does not have.
    UnknownField,
    /// A required field that is not there.
    MissingField,
    /// A value of the wrong shape.
    WrongType,
    /// A value outside of what the field takes.
    BadValue,
    /// An `apiVersion` or `kind` that is not known.
    UnsupportedVersion,
    /// A time that cannot be read.
    BadExpiry,
}

impl ProblemKind {
    /// Code of the rule that the mistake belongs to.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::YamlSyntax => "Y001",
            Self::DuplicateKey => "Y002",
            Self::ParserDisagreement => "Y003",
            Self::Indirection => "Y006",
            Self::UnknownField => "S001",
            Self::MissingField => "S002",
            Self::WrongType => "S003",
            Self::BadValue => "S004",
            Self::UnsupportedVersion => "S005",
            Self::BadExpiry => "E005",
        }
    }
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind it is.
    pub kind: ProblemKind,
    /// Where it is.
    pub span: Span,
    /// What was seen, and what was expected.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Span, String)>,
    /// What was most likely meant, for an unknown name or word.
    pub meant: Option<Box<str>>,
    /// The same value in the accepted form, where there is no doubt about it.
    pub rewrite: Option<Box<str>>,
}

impl Problem {
    /// A problem without help or second place.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, span, message, help: None, related: Vec::new(), meant: None, rewrite: None }
    }

    /// True when a part of the file stays unread because of it, so that no rule could check it: for
    /// every problem except an unknown field that resembles no known one.
    #[must_use]
    pub fn leaves_unchecked(&self) -> bool {
        self.kind != ProblemKind::UnknownField || self.meant.is_some()
    }

    /// The same with a sentence on what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }
}

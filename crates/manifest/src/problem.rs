//! [`Problem`]: a mistake that a reader reports, with its position and the rule that it belongs to.
//!
//! A problem has no severity: the policy sets it.

use crate::source::Span;

/// The kind of a mistake; each belongs to one rule of the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Not YAML, not UTF-8, or over a limit.
    YamlSyntax,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// Another YAML reader interprets the same bytes differently.
    ParserDisagreement,
    /// An anchor, alias, merge key, or tag that retypes.
    Indirection,
    /// A field that the format does not have.
    UnknownField,
    /// A required field that is missing.
    MissingField,
    /// A value of the wrong type.
    WrongType,
    /// A value that the field does not accept.
    BadValue,
    /// An unknown `apiVersion` or `kind`.
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
    /// The kind of mistake.
    pub kind: ProblemKind,
    /// Where it is.
    pub span: Span,
    /// The fact, and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Related positions, each with a label.
    pub related: Vec<(Span, String)>,
    /// The probable intent, for an unknown name or word.
    pub meant: Option<Box<str>>,
    /// The same value in the accepted form, if it is unambiguous.
    pub rewrite: Option<Box<str>>,
}

impl Problem {
    /// A problem without a hint or a second position.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, span, message, help: None, related: Vec::new(), meant: None, rewrite: None }
    }

    /// True if a part of the file could not be read because of it, so that no rule could check it:
    /// for
    /// every problem except an unknown field that resembles no known one.
    #[must_use]
    pub fn leaves_unchecked(&self) -> bool {
        self.kind != ProblemKind::UnknownField || self.meant.is_some()
    }

    /// Adds a hint.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second position.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }
}

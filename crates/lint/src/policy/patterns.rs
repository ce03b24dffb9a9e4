//! Regular expressions of policies.
//!
//! An expression that is very large when compiled is an error. Matching always takes linear time.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::HirKind;
use thiserror::Error;

/// Bytes that one compiled expression may take.
const SIZE_BYTES_MAX: usize = 1 << 20;
/// Characters of one expression.
const LENGTH_MAX: usize = 1000;

/// Why an expression is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PatternError {
    #[error("it is longer than {LENGTH_MAX} characters")]
    TooLong,
    /// The reason, without the lines that quote the expression.
    #[error("{0}")]
    Invalid(String),
}

/// Compiles an expression.
pub(crate) fn compile(pattern: &str) -> Result<Regex, PatternError> {
    compile_within(pattern, SIZE_BYTES_MAX)
}

/// Like [`compile`], with a smaller limit for the compiled expression.
pub(crate) fn compile_within(pattern: &str, bytes_max: usize) -> Result<Regex, PatternError> {
    if pattern.chars().count() > LENGTH_MAX {
        return Err(PatternError::TooLong);
    }
    RegexBuilder::new(pattern).size_limit(bytes_max).build().map_err(|error| {
        let text = error.to_string();
        // The last line has the reason; those before it quote the expression.
        let last = text.lines().last().unwrap_or_default();
        PatternError::Invalid(last.strip_prefix("error: ").unwrap_or(last).to_owned())
    })
}

/// An expression that names or other strings must match.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
    /// Prefixes of the expression, the longest first; compiled once something does not match.
    prefixes: OnceLock<Vec<Regex>>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        let regex = compile(text)?;
        let text = text.to_owned();
        Ok(Self { text, regex, prefixes: OnceLock::new() })
    }

    /// The expression as the policy has it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// How many bytes of a string the longest matching prefix of the expression covers.
    pub(crate) fn matched_length(&self, text: &str) -> Option<usize> {
        let prefixes = self.prefixes.get_or_init(|| prefixes(&self.text).unwrap_or_default());
        prefixes.iter().find_map(|prefix| Some(prefix.find(text)?.end()))
    }
}

fn prefixes(pattern: &str) -> Option<Vec<Regex>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let parts: Vec<String> = parts
        .iter()
        .filter(|part| !matches!(part.kind(), HirKind::Look(_)))
        .map(ToString::to_string)
        .collect();
    let prefix = |count: usize| compile(&format!("^(?:{})", parts.get(..count)?.concat())).ok();
    Some((1..=parts.len()).rev().filter_map(prefix).collect())
}

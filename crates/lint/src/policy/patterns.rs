//! The policy's regular expressions, each compiled once.
//!
//! Expressions that are very large when compiled are an error; matching takes linear time for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take.
const SIZE_BYTES_MAX: usize = 1 << 20;
/// Characters of one expression.
const LENGTH_MAX: usize = 1000;

/// Compiles an expression, or says why it cannot be.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    compile_within(pattern, SIZE_BYTES_MAX)
}

/// The same where the compiled expression may take fewer bytes.
pub(crate) fn compile_within(pattern: &str, bytes_max: usize) -> Result<Regex, String> {
    if pattern.chars().count() > LENGTH_MAX {
        return Err(format!("it is longer than {LENGTH_MAX} characters"));
    }
    RegexBuilder::new(pattern).size_limit(bytes_max).build().map_err(|error| {
        let text = error.to_string();
        // The last line says what is wrong; those before it draw the expression.
        let last = text.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })
}

/// Expressions that have been compiled.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    known: Mutex<HashMap<String, Option<Arc<Regex>>>>,
}

impl Patterns {
    /// The compiled expression; nothing for one that cannot be compiled, which is a mistake of the
    /// policy and reported as such.
    pub(crate) fn get(&self, pattern: &str) -> Option<Arc<Regex>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(pattern) {
            return found.clone();
        }
        let found = compile(pattern).ok().map(Arc::new);
        known.insert(pattern.to_owned(), found.clone());
        found
    }
}

//! [`Mark`]: what stands in a key's comment until the key is in place, so that it is found again
//! when the answer that names its id never arrived.
//!
//! It refuses to be mistaken for what a person writes.

use core::fmt;

use cortexkey_api::api_keys::ApiKeyRecord;

const BEFORE: &str = "[cortexkey:";
const LEN: usize = 16;
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A mark, different for each try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    /// A new one; an error where the system gives no random bytes.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; LEN];
        getrandom::fill(&mut bytes)?;
        // 32 letters, so that each is as likely as the other.
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte % 32)]);
        Ok(Self(bytes.into_iter().map(letter).collect()))
    }

    /// One that a lock file has.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A comment with the mark in it.
    pub(crate) fn on(&self, comment: Option<&str>) -> String {
        match comment {
            Some(comment) if !comment.is_empty() => format!("{comment} {self}"),
            _ => self.to_string(),
        }
    }

    pub(crate) fn is_on(&self, record: &ApiKeyRecord) -> bool {
        record.comment.as_ref().is_some_and(|comment| comment.ends_with(&self.to_string()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEFORE}{}]", self.0)
    }
}

/// Whether a key's comment ends in the mark of a run that was interrupted before it took it off.
///
/// ```
/// use cortexkey_client::has_mark;
///
/// assert!(has_mark("Exports. SEC-1 [cortexkey:k3x9k3x9k3x9k3x9]"));
/// assert!(!has_mark("Exports. SEC-1"));
/// ```
pub fn has_mark(comment: &str) -> bool {
    let inner = comment.rfind(BEFORE).and_then(|at| comment.get(at + BEFORE.len()..));
    inner
        .and_then(|inner| inner.strip_suffix(']'))
        .is_some_and(|mark| mark.len() == LEN && mark.bytes().all(|byte| LETTERS.contains(&byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn marks_differ_and_are_found() {
        let (one, other) = (Mark::new().unwrap(), Mark::new().unwrap());
        assert_ne!(one, other);
        for comment in [None, Some(""), Some("Exports. SEC-1")] {
            assert!(has_mark(&one.on(comment)));
            assert!(one.on(comment).starts_with(comment.unwrap_or_default()));
        }
        assert!(!has_mark("Exports. SEC-1") && !has_mark("[cortexkey:x]") && !has_mark(""));
    }
}

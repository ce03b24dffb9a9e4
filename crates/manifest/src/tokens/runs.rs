//! Runs of bytes that may form a token.
//!
//! Every scalar and every message is searched for tokens, and few contain one: checking the lengths
//! of the runs avoids most searches.

use core::ops::Range;

/// Letters and digits.
pub(super) const LETTER: u8 = 1;

/// `_` and `-`.
pub(super) const MARK: u8 = 2;

/// `+` and `/`, of base64.
pub(super) const SIGN: u8 = 4;

/// `=`, of base64.
pub(super) const PAD: u8 = 8;

/// The class of each byte; `None` for bytes that no token contains.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        classes[byte as usize] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => LETTER,
            b'_' | b'-' => MARK,
            b'+' | b'/' => SIGN,
            b'=' => PAD,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// Runs of bytes of some classes.
pub(super) fn runs(text: &str, of: u8) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    core::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|byte| class(*byte) & of != 0)?;
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| class(*byte) & of == 0).unwrap_or(rest.len());
        at = start + length;
        Some(start..at)
    })
}

/// The lengths of the longest runs of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Longest {
    /// Of letters and digits.
    pub(super) letters: usize,
    /// Of all classes.
    pub(super) run: usize,
}

impl Longest {
    pub(super) fn of(text: &str) -> Self {
        let mut longest = Self::default();
        let mut letters = 0;
        let mut run = 0;
        for class in text.bytes().map(class) {
            letters = if class == LETTER { letters + 1 } else { 0 };
            run = if class == 0 { 0 } else { run + 1 };
            longest.letters = longest.letters.max(letters);
            longest.run = longest.run.max(run);
        }
        longest
    }
}

//! Detects a Cortex API key by its form: in one piece, or in adjacent parts.
//!
//! Runs are split at everything outside `[A-Za-z0-9]`, so that a variable's name before a key or a
//! word after it does not hide it.

use core::ops::Range;

use super::runs::{LETTER, Longest, runs};
use super::{has_both, is_random};

/// Characters of a Cortex API key: 128 in all public examples, with some tolerance.
const KEY: core::ops::RangeInclusive<usize> = 100..=160;

/// From this length on, randomly mixed letters and digits are at least a part of a key.
const HALF: usize = 60;

/// The shortest part of a key that is joined with its neighbours.
const PART: usize = 16;

/// Bytes between two parts: quotes, line endings, indentation and comment marks.
const GAP_MAX: usize = 160;

/// Every key in a string, in order.
pub(super) fn keys(text: &str, longest: Longest) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if longest.letters < PART {
        return found;
    }
    let mut chain = Chain::default();
    for run in runs(text, LETTER) {
        if run.len() < PART {
            chain.end(&mut found);
            continue;
        }
        let word = &text[run.clone()];
        if is_key(word) {
            chain.end(&mut found);
            found.push(run);
        } else if is_part(word) {
            chain.add(run, &mut found);
        } else {
            chain.end(&mut found);
        }
    }
    chain.end(&mut found);
    found
}

fn is_key(word: &str) -> bool {
    (KEY.contains(&word.len()) && has_both(word))
        || (word.len() >= HALF && has_three(word) && is_random(word))
}

/// Digests have lower-case letters only, so a list of them is not a key in parts.
fn is_part(word: &str) -> bool {
    has_cases(word) && is_random(word)
}

fn has_cases(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

fn has_three(word: &str) -> bool {
    has_cases(word) && word.bytes().any(|b| b.is_ascii_digit())
}

/// Parts that follow one another without a word between them.
#[derive(Default)]
struct Chain {
    range: Range<usize>,
    /// Letters and digits in the parts.
    letters: usize,
}

impl Chain {
    fn add(&mut self, run: Range<usize>, found: &mut Vec<Range<usize>>) {
        if self.letters == 0 || run.start - self.range.end > GAP_MAX {
            self.end(found);
            self.range = run.start..run.start;
        }
        self.range.end = run.end;
        self.letters += run.len();
    }

    fn end(&mut self, found: &mut Vec<Range<usize>>) {
        if KEY.contains(&self.letters) {
            found.push(self.range.clone());
        }
        self.letters = 0;
    }
}

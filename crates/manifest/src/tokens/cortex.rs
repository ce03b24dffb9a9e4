//! Detects a Cortex API key by its form: in one piece, in parts, or in short groups.
//!
//! Runs are split at everything outside `[A-Za-z0-9]`, so that a variable's name before a key or a
//! word after it does not hide it.

use core::ops::{Add, Range, Sub};

use super::runs::{LETTER, Longest, runs};
use super::{class, has_both, is_random};

/// The length of a Cortex API key in all public examples.
const LENGTH: usize = 128;

/// The accepted lengths of a key, with some tolerance.
const KEY: core::ops::RangeInclusive<usize> = KEY_MIN..=160;

/// The fewest characters of a key.
pub(super) const KEY_MIN: usize = 100;

/// From this length on, randomly mixed letters and digits are at least a part of a key.
const HALF: usize = 60;

/// The shortest part of a key that is joined with its neighbours.
const PART: usize = 16;

/// Bytes between two parts: quotes, line endings, indentation, comment marks and labels.
pub(super) const GAP_MAX: usize = 160;

/// The longest group of a key in short groups.
const GROUP_MAX: usize = 31;

/// Bytes between two groups.
const GROUP_GAP_MAX: usize = 24;

/// The number of characters of a key in groups that is checked at once: every key has at least this
/// many in whole groups.
const GROUPED: usize = LENGTH - GROUP_MAX + 1;

/// Characters next to them that are masked too.
const MASK_MARGIN: usize = LENGTH - GROUPED;

/// The keys in a string, as they are written.
pub(super) fn keys(text: &str, longest: Longest) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if text.len() < HALF {
        return found;
    }
    if longest.letters >= PART {
        in_pieces(text, &mut found);
    }
    if text.len() >= GROUPED {
        in_groups(text, &mut found);
    }
    found
}

/// Keys in one piece, and in parts.
fn in_pieces(text: &str, found: &mut Vec<Range<usize>>) {
    let mut chain = Chain::default();
    let mut parts: Vec<Range<usize>> = Vec::new();
    for run in runs(text, LETTER) {
        let word = &text[run.clone()];
        if is_key(word) {
            chain.end(found);
            found.push(run);
        } else if is_part(word) {
            parts.push(run.clone());
            chain.add(run, found);
        } else {
            chain.end(found);
        }
    }
    chain.end(found);
    parts.retain(|part| !is_base64(text, part));
    labelled(&parts, found);
}

fn is_key(word: &str) -> bool {
    (KEY.contains(&word.len()) && has_both(word) && !is_digest(word))
        || (word.len() >= HALF && has_three(word) && is_random(word))
}

/// True for hexadecimal digits of one case. A key of this length never has only these.
fn is_digest(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit()) && !has_cases(word)
}

/// Digests have only lower-case letters, so a list of them is not a key in parts.
fn is_part(word: &str) -> bool {
    word.len() >= PART && has_cases(word) && is_random(word)
}

fn has_cases(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

pub(super) fn has_three(word: &str) -> bool {
    has_cases(word) && word.bytes().any(|b| b.is_ascii_digit())
}

/// True for a run next to a base64 sign, which no key contains.
fn is_base64(text: &str, run: &Range<usize>) -> bool {
    let before = text.as_bytes().get(..run.start).and_then(<[u8]>::last);
    let after = text.as_bytes().get(run.end);
    matches!(before, Some(b'+' | b'/')) || matches!(after, Some(b'+' | b'/' | b'='))
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

/// Parts with words between them, such as `part1=`, that add up to one key. The last part may be too
/// short to be known as one.
fn labelled(parts: &[Range<usize>], found: &mut Vec<Range<usize>>) {
    let mut first = 0;
    let mut letters = 0;
    for (at, part) in parts.iter().enumerate() {
        let before = parts.get(first..at).and_then(<[_]>::last);
        if before.is_some_and(|before| part.start - before.end > GAP_MAX) {
            first = at;
            letters = 0;
        }
        letters += part.len();
        while letters > LENGTH {
            letters -= parts[first].len();
            first += 1;
        }
        if letters > LENGTH - PART && first < at {
            found.push(parts[first].start..part.end);
        }
    }
}

/// Letters and digits of a string, counted.
#[derive(Clone, Copy, Default)]
struct Counts {
    letters: usize,
    upper: usize,
    digits: usize,
    /// How often two adjacent characters are of different classes.
    changes: usize,
    /// The letters in runs of three or more lower-case letters, as in words.
    words: usize,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            letters: self.letters + other.letters,
            upper: self.upper + other.upper,
            digits: self.digits + other.digits,
            changes: self.changes + other.changes,
            words: self.words + other.words,
        }
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            letters: self.letters - other.letters,
            upper: self.upper - other.upper,
            digits: self.digits - other.digits,
            changes: self.changes - other.changes,
            words: self.words - other.words,
        }
    }
}

impl Counts {
    /// Counts a run; `last` is the character before it.
    fn of(run: &[u8], last: Option<u8>) -> Self {
        let before = last.into_iter().chain(run.iter().copied());
        let own = run.iter().skip(usize::from(last.is_none()));
        let small = run.split(|byte| !byte.is_ascii_lowercase());
        Self {
            letters: run.len(),
            upper: run.iter().filter(|byte| byte.is_ascii_uppercase()).count(),
            digits: run.iter().filter(|byte| byte.is_ascii_digit()).count(),
            changes: before.zip(own).filter(|(a, b)| class(*a) != class(**b)).count(),
            words: small.map(<[u8]>::len).filter(|length| *length >= 3).sum(),
        }
    }

    /// True for the mixture of a random string; words have few changes, and hardly a digit.
    fn are_random(self) -> bool {
        let Self { letters, upper, digits, changes, words } = self;
        let lower = letters - upper - digits;
        digits * 16 >= letters
            && upper * 5 >= letters
            && lower * 5 >= letters
            && changes * 20 >= letters * 9
            && words * 5 <= letters * 2
    }
}

/// Short groups that follow one another, each with the counts up to its end.
#[derive(Default)]
struct Groups {
    groups: Vec<(Range<usize>, Counts)>,
    last: Option<u8>,
}

/// Keys in groups that are too short to be known as parts, as in `aB3d eF5g`.
fn in_groups(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut groups = Groups::default();
    for run in runs(text, LETTER) {
        let last = groups.groups.last().map_or(run.start..run.start, |(last, _)| last.clone());
        let gap = bytes.get(last.end..run.start).unwrap_or_default();
        // Base64 is not a key in groups, although signs split it: they split it at random, not into
        // equal groups.
        let is_sign = !gap.is_empty() && gap.iter().all(|byte| b"+/=".contains(byte));
        let is_base64 = is_sign && run.len() != last.len();
        if run.len() > GROUP_MAX || gap.len() > GROUP_GAP_MAX || is_base64 {
            groups.end(found);
        }
        if run.len() <= GROUP_MAX {
            groups.add(run, bytes);
        }
    }
    groups.end(found);
}

impl Groups {
    fn add(&mut self, run: Range<usize>, bytes: &[u8]) {
        let own = bytes.get(run.clone()).unwrap_or_default();
        let sum = self.up_to(self.groups.len()) + Counts::of(own, self.last);
        self.last = own.last().copied();
        self.groups.push((run, sum));
    }

    /// The counts of the first groups.
    fn up_to(&self, count: usize) -> Counts {
        let before = count.checked_sub(1).and_then(|last| self.groups.get(last));
        before.map(|(_, sum)| *sum).unwrap_or_default()
    }

    fn end(&mut self, found: &mut Vec<Range<usize>>) {
        let letters = |from: usize, to: usize| (self.up_to(to) - self.up_to(from)).letters;
        let count = self.groups.len();
        let mut first = 0;
        let mut end = 0;
        while end < count {
            end += 1;
            while letters(first + 1, end) >= GROUPED {
                first += 1;
            }
            let counts = self.up_to(end) - self.up_to(first);
            if counts.letters < GROUPED || !counts.are_random() {
                continue;
            }
            let mut start = first;
            while start > 0 && letters(start - 1, first) <= MASK_MARGIN {
                start -= 1;
            }
            let known = end;
            while end < count && letters(known, end + 1) <= MASK_MARGIN {
                end += 1;
            }
            found.push(self.groups[start].0.start..self.groups[end - 1].0.end);
            first = end;
        }
        self.groups.clear();
        self.last = None;
    }
}

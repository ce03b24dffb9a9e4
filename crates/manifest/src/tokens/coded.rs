//! Detects a Cortex API key that was encoded: in hexadecimal digits, base32 or base64.
//!
//! An encoded key decodes to letters and digits only, which nothing else of its length does.

use core::ops::Range;

use super::cortex::{GAP_MAX, KEY_MIN, has_three};
use super::is_random;
use super::runs::{LETTER, runs};

/// An encoding of bytes by characters.
struct Encoding {
    /// Bits in a character.
    bits: u32,
    value: fn(u8) -> Option<u8>,
    /// The shortest run that is decoded.
    least: usize,
}

const ENCODINGS: [Encoding; 3] = [
    Encoding { bits: 4, value: hex, least: 2 },
    Encoding { bits: 5, value: base32, least: 16 },
    Encoding { bits: 6, value: base64, least: 16 },
];

/// Adds every encoded key of a string.
pub(super) fn keys(text: &str, found: &mut Vec<Range<usize>>) {
    for encoding in &ENCODINGS {
        let shortest = KEY_MIN * 8 / encoding.bits as usize;
        if text.len() < shortest {
            continue;
        }
        let mut stream = Stream::new(encoding);
        for run in runs(text, LETTER) {
            stream.add(text, run, found);
        }
        stream.end(found);
    }
}

/// Runs that decode to letters and digits, one after the other. Labels between them are skipped.
struct Stream<'e> {
    encoding: &'e Encoding,
    range: Range<usize>,
    decoded: String,
    /// The bits of an incomplete byte, and how many there are.
    rest: (u32, u32),
    /// The length of the last run.
    last: usize,
}

impl<'e> Stream<'e> {
    fn new(encoding: &'e Encoding) -> Self {
        Self { encoding, range: 0..0, decoded: String::new(), rest: (0, 0), last: 0 }
    }

    fn add(&mut self, text: &str, run: Range<usize>, found: &mut Vec<Range<usize>>) {
        if !self.decoded.is_empty() && run.start - self.range.end > GAP_MAX {
            self.end(found);
        }
        let Some(digits) = self.encoding.digits(&text[run.clone()]) else { return };
        if !self.decode(digits) {
            // A word may have the form of a short run.
            if digits.len() * 2 < self.last {
                return;
            }
            self.end(found);
            if !self.decode(digits) {
                self.end(found);
                return;
            }
        }
        if self.range.is_empty() {
            self.range.start = run.start;
        }
        self.range.end = run.end;
        self.last = digits.len();
    }

    /// Decodes a run. If it decodes to other bytes than letters and digits, returns false and
    /// changes nothing.
    fn decode(&mut self, digits: &str) -> bool {
        let before = (self.decoded.len(), self.rest);
        for digit in digits.bytes() {
            let Some(value) = (self.encoding.value)(digit) else { return false };
            let (bits, count) = self.rest;
            let (bits, count) =
                (bits << self.encoding.bits | u32::from(value), count + self.encoding.bits);
            if count < 8 {
                self.rest = (bits, count);
                continue;
            }
            let rest = count - 8;
            self.rest = (bits & ((1 << rest) - 1), rest);
            let byte = u8::try_from(bits >> rest).unwrap_or_default();
            if !byte.is_ascii_alphanumeric() {
                self.decoded.truncate(before.0);
                self.rest = before.1;
                return false;
            }
            self.decoded.push(char::from(byte));
        }
        true
    }

    fn end(&mut self, found: &mut Vec<Range<usize>>) {
        if self.decoded.len() >= KEY_MIN && has_three(&self.decoded) && is_random(&self.decoded) {
            found.push(self.range.clone());
        }
        *self = Self::new(self.encoding);
    }
}

impl Encoding {
    /// The digits of a run; `None` if it has other characters, or is too short to be distinguished
    /// from a word.
    fn digits<'t>(&self, run: &'t str) -> Option<&'t str> {
        let digits = if self.bits == 4 { without_prefix(run) } else { run };
        let is_whole = self.bits != 4 || digits.len() % 2 == 0 || digits.len() >= 16;
        let fits = digits.len() >= self.least && is_whole;
        (fits && digits.bytes().all(|byte| (self.value)(byte).is_some())).then_some(digits)
    }
}

/// The digits of `\x61`, `0x61` and `\u0061`.
fn without_prefix(run: &str) -> &str {
    let prefixes = ["0x", "0X", "x", "X", "u00", "U000000"];
    prefixes.iter().find_map(|prefix| run.strip_prefix(prefix)).unwrap_or(run)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn base32(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a'),
        b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    }
}

/// Signs are excluded, because no letter or digit is encoded with one.
fn base64(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        _ => None,
    }
}

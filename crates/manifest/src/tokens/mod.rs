//! Finds possible secrets in a string: keys by their form, and values by the name of their field.
//!
//! A Cortex API key is a run of 128 letters and digits; other keys are shorter, and some contain
//! punctuation. Names of keys, roles and files, hyphenated words and times are not masked. Masking
//! keeps the length in bytes, so that spans stay valid.

mod coded;
mod cortex;
mod encoded;
mod runs;

use core::ops::Range;
use std::borrow::Cow;

use self::runs::{LETTER, Longest, MARK, PAD, SIGN, runs};
use crate::{Span, format};

/// From this length on, an unbroken run of letters and digits is a key or a hash of one.
const UNBROKEN: usize = 40;

/// The shortest run whose form is checked.
const RUN: usize = 20;

/// The most bytes of a known key that are examined.
const KNOWN_MAX: usize = 4096;

/// The limit for known keys whose prefix many words share, so that the rest must look random.
const CHANCE_MAX: usize = 256;

/// The longest value, in characters, that is always shown when its field does not accept it.
pub(crate) const REFUSED_MIN: usize = 12;

/// The most bytes of a value in the wrong line that are examined.
const REFUSED_MAX: usize = 512;

/// From this length on, an unbroken run in a path given by the user is a key rather than a name.
/// The folder of the copies of remote policies.
pub(crate) const COPIES: &str = ".cortexkey/policies";
/// How many digits of a revision the path of a copy has.
pub(crate) const REVISION_CHARS: usize = 16;
const IN_PATH: usize = 24;

/// Prefixes of known keys, the minimum length of the rest, whether the rest must look random
/// because words start the same way, and the kind of key.
const PREFIXES: &[(&str, usize, bool, &str)] = &[
    ("ghp_", 8, false, "a GitHub token"),
    ("gho_", 8, false, "a GitHub token"),
    ("ghu_", 8, false, "a GitHub token"),
    ("ghs_", 8, false, "a GitHub token"),
    ("ghr_", 8, false, "a GitHub token"),
    ("github_pat_", 8, false, "a GitHub token"),
    ("glpat-", 8, false, "a GitLab token"),
    ("xoxa-", 8, false, "a Slack token"),
    ("xoxb-", 8, false, "a Slack token"),
    ("xoxe-", 8, false, "a Slack token"),
    ("xoxp-", 8, false, "a Slack token"),
    ("xoxr-", 8, false, "a Slack token"),
    ("xoxs-", 8, false, "a Slack token"),
    ("AKIA", 12, false, "an AWS access key"),
    ("ASIA", 12, true, "an AWS access key"),
    ("eyJ", 12, false, "a JWT"),
    ("sk-", 12, true, "an API key"),
];

/// Names that indicate a secret, in lower case and without punctuation.
const SECRETS: &[&str] = &[
    "key",
    "apikey",
    "apitoken",
    "accesstoken",
    "bearertoken",
    "token",
    "secret",
    "clientsecret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "privatekey",
    "secretkey",
    "xdrapikey",
    "cortexapikey",
    "cortexkeyapikey",
];

/// The length of the longest of these names.
const SECRET_MAX: usize = {
    let mut longest = 0;
    let mut at = 0;
    while at < SECRETS.len() {
        if SECRETS[at].len() > longest {
            longest = SECRETS[at].len();
        }
        at += 1;
    }
    longest
};

/// The names of fields whose values are secrets.
#[derive(Clone, Copy, Debug)]
pub struct SecretFieldName;

impl SecretFieldName {
    /// True for a field name that indicates a secret. Case, `-` and `_` do not matter.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let mut folded = [0; SECRET_MAX];
        let mut length = 0;
        for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
            let Some(place) = folded.get_mut(length) else { return false };
            *place = byte.to_ascii_lowercase();
            length += 1;
        }
        SECRETS.iter().any(|secret| Some(secret.as_bytes()) == folded.get(..length))
    }
}

/// The text with each possible secret replaced by asterisks of the same length in bytes, so that
/// offsets stay valid.
#[must_use]
pub fn mask_tokens(text: &str) -> String {
    let ranges = tokens(&without_revisions(text));
    if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
}

/// The text with other letters in place of the revisions in paths of remote policies' copies. They
/// look random, and are no secrets.
fn without_revisions(text: &str) -> Cow<'_, str> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_revision = |name: &str| name.len() == REVISION_CHARS && name.bytes().all(is_hex);
    let mut plain = Cow::Borrowed(text);
    for (start, _) in text.match_indices(COPIES) {
        let path = text.get(start..).unwrap_or_default();
        let path = path.split(char::is_whitespace).next().unwrap_or_default();
        let mut at = start;
        for name in path.split_inclusive('/') {
            if name.strip_suffix('/').is_some_and(is_revision) {
                plain.to_mut().replace_range(at..at + REVISION_CHARS, &"x".repeat(REVISION_CHARS));
            }
            at += name.len();
        }
    }
    plain
}

/// Like [`mask_tokens`], for text with paths: a file name that looks like a key is masked too,
/// since a key may have been passed instead of a path.
#[must_use]
pub fn mask_path(text: &str) -> String {
    let plain = without_revisions(text);
    let mut ranges = tokens(&plain);
    ranges.extend(runs(&plain, LETTER).filter(|run| {
        let run = &plain[run.clone()];
        run.len() >= IN_PATH && (is_random(run) || has_digit_inside(run))
    }));
    ranges.sort_by_key(|range| range.start);
    if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
}

/// The text with the given ranges as asterisks, with the same line endings and length in bytes.
#[must_use]
pub fn blank(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        let start = range.start.max(at);
        let end = range.end.min(text.len());
        let (Some(before), Some(inside)) = (text.get(at..start), text.get(start..end)) else {
            continue;
        };
        out.push_str(before);
        for c in inside.chars() {
            if matches!(c, '\n' | '\r') {
                out.push(c);
            } else {
                out.extend(core::iter::repeat_n('*', c.len_utf8()));
            }
        }
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// True for a value that is masked when its field does not accept it.
pub(crate) fn is_refused_secret(text: &str) -> bool {
    text.chars().count() > REFUSED_MIN && is_random(text)
}

/// True for text that looks random: letters and digits, or capitals, alternate too often for words,
/// times and numbered names.
pub(crate) fn is_random(text: &str) -> bool {
    let mut turns = 0_usize;
    let mut changes = 0_usize;
    let mut scraps = 0_usize;
    let mut length = 0_usize;
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let bytes = part.as_bytes();
        let pairs = || bytes.iter().zip(bytes.iter().skip(1));
        let digits = pairs().filter(|(a, b)| a.is_ascii_digit() != b.is_ascii_digit()).count();
        // `prod2` and `2nd` are words.
        turns += digits.saturating_sub(1);
        changes += pairs().filter(|(a, b)| class(**a) != class(**b)).count();
        // `CamelCase` has three or more lower-case letters in a row.
        if bytes.iter().any(u8::is_ascii_uppercase) {
            let small = part.split(|c: char| !c.is_ascii_lowercase());
            scraps += small.filter(|small| matches!(small.len(), 1 | 2)).count();
        }
        length += bytes.len();
    }
    turns >= 3
        || (length >= 10 && changes * 5 > length * 2)
        || (scraps >= 4 && scraps * 8 >= length)
}

fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    }
}

/// True when a letter follows a digit; a digit at the end numbers a word.
fn has_digit_inside(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.any(|(a, b)| a.is_ascii_digit() && b.is_ascii_alphabetic())
}

fn has_both(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The kind of a token, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// As long as a Cortex API key, with the same characters.
    CortexKey,
    /// A known format: `a GitHub token`.
    Known(&'static str),
    /// Long and random.
    Random,
}

/// A possible secret in a string, by its form only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its position.
    pub span: Span,
    /// Its kind.
    pub kind: TokenKind,
}

/// Every token of a string, in order and without overlaps. A known format takes precedence over a
/// Cortex key, and both over strings that only look random.
#[must_use]
pub fn tokens_in(text: &str) -> Vec<Token> {
    let longest = Longest::of(text);
    let pem = encoded::pem(text, longest);
    let mut taken = TokenList::default();
    for (range, maker) in prefixed(text) {
        taken.add(range, TokenKind::Known(maker));
    }
    for (range, maker) in pem.secret {
        taken.add(range, TokenKind::Known(maker));
    }
    for range in encoded::private(text, longest) {
        taken.add(range, TokenKind::Known("a private key"));
    }
    taken.settle();
    let public = encoded::public(text, longest);
    for range in &public.unclear {
        taken.add(range.clone(), TokenKind::Random);
    }
    taken.settle();
    // Public material is long and random, but not a secret. Beside it and between its parts, a secret
    // is still found.
    let mut hidden = [pem.public, public.certain, public.unclear].concat();
    hidden.sort_by_key(|range| range.start);
    let secret = if hidden.is_empty() { Cow::Borrowed(text) } else { blank(text, &hidden).into() };
    for range in cortex_keys(&secret, longest) {
        taken.add(range, TokenKind::CortexKey);
    }
    taken.settle();
    for range in shaped(&secret, longest) {
        taken.add(range, TokenKind::Random);
    }
    taken.settle();
    taken.tokens
}

/// Tokens that do not overlap a token of an earlier kind.
#[derive(Default)]
struct TokenList {
    /// Accepted tokens, in order.
    tokens: Vec<Token>,
    new: Vec<Token>,
}

impl TokenList {
    fn add(&mut self, range: Range<usize>, kind: TokenKind) {
        let span = Span::new(range.start, range.end);
        let next = self.tokens.partition_point(|token| token.span.end <= span.start);
        let overlaps = self.tokens.get(next).is_some_and(|token| token.span.start < span.end);
        if !overlaps {
            self.new.push(Token { span, kind });
        }
    }

    fn settle(&mut self) {
        self.tokens.append(&mut self.new);
        self.tokens.sort_by_key(|token| token.span);
        self.tokens.dedup_by(|next, before| next.span.start < before.span.end);
    }
}

pub(crate) fn tokens(text: &str) -> Vec<Range<usize>> {
    let longest = Longest::of(text);
    let mut ranges = shaped(text, longest);
    ranges.extend(prefixed(text).into_iter().map(|(range, _)| range));
    ranges.extend(encoded::pem(text, longest).secret.into_iter().map(|(range, _)| range));
    ranges.extend(encoded::private(text, longest));
    ranges.extend(cortex_keys(text, longest));
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// Every Cortex API key, as it is or encoded.
fn cortex_keys(text: &str, longest: Longest) -> Vec<Range<usize>> {
    let mut found = cortex::keys(text, longest);
    coded::keys(text, &mut found);
    found.sort_by_key(|range| range.start);
    found
}

/// Runs that are long or look random.
fn shaped(text: &str, longest: Longest) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // Unbroken runs are longer.
    if longest.run < RUN {
        return ranges;
    }
    for run in runs(text, LETTER | MARK | SIGN | PAD) {
        if has_shape(&text[run.clone()]) {
            ranges.push(run);
            continue;
        }
        if run.len() < UNBROKEN {
            continue;
        }
        let inner = runs(&text[run.clone()], LETTER);
        let unbroken = inner.filter(|inner| inner.len() >= UNBROKEN);
        ranges.extend(unbroken.map(|inner| run.start + inner.start..run.start + inner.end));
    }
    ranges
}

/// True for a run that is long, has little punctuation, and looks random.
fn has_shape(run: &str) -> bool {
    if run.len() < RUN {
        return false;
    }
    let run = run.trim_matches(['_', '-', '+', '/', '=']);
    let marks = run.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    run.len() >= RUN && marks * 12 < run.len() * 2 && is_random(run)
}

/// Keys of known formats, at the start of a run of letters, digits, `_` and `-`.
fn prefixed(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut ranges: Vec<(Range<usize>, &'static str)> = Vec::new();
    for run in runs(text, LETTER | MARK) {
        // A prefix within a key does not start another one.
        if ranges.last().is_some_and(|(last, _)| run.start < last.end) {
            continue;
        }
        let rest = text.get(run.start..).unwrap_or_default();
        // No prefix is shorter, and few runs start like one.
        let begin = rest.as_bytes().get(..2).unwrap_or_default();
        if run.len() < 3
            || !matches!(begin, b"gh" | b"gi" | b"gl" | b"xo" | b"AK" | b"AS" | b"ey" | b"sk")
        {
            continue;
        }
        for (prefix, least, chance, maker) in PREFIXES {
            let Some(more) = rest.strip_prefix(prefix) else { continue };
            let more = more
                .bytes()
                .take(if *chance { CHANCE_MAX } else { KNOWN_MAX })
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-+/=.".contains(byte));
            let end = run.start + prefix.len() + more.count();
            let found = text.get(run.start + prefix.len()..end).unwrap_or_default();
            if found.len() >= *least && (!chance || is_random(found) || has_both_unbroken(found)) {
                ranges.push((run.start..end, *maker));
            }
        }
    }
    ranges
}

/// True if one part without punctuation has letters and digits and is not a numbered word.
fn has_both_unbroken(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.len() >= 12 && has_both(part))
}

/// Values that look like a key in fields that take a word, a time or a number; also in files that
/// could not be parsed completely.
pub(crate) fn refused_lines(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        for (colon, _) in line.match_indices(':') {
            let before = line.get(..colon).unwrap_or_default().trim_end_matches(['"', '\'', ' ']);
            let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
            if !name.is_some_and(format::is_typed) {
                continue;
            }
            let after = line.get(colon + 1..).unwrap_or_default();
            let value = after.trim_start_matches([' ', '\t', '"', '\'']);
            let start = colon + 1 + (after.len() - value.len());
            let whole = value.trim_end_matches(['\n', '\r']);
            let value = bounded(value, REFUSED_MAX);
            let is_cut = value.len() < whole.len();
            let value = value.split([',', '}', ']', '"', '\'', '#', '\n', '\r']).next();
            let value = value.unwrap_or_default().trim_end();
            if !value.starts_with(['[', '{']) && is_refused_secret(value) {
                let length = if is_cut { whole.len() } else { value.len() };
                ranges.push(at + start..at + start + length);
            }
        }
        at += line.len();
    }
    ranges
}

/// The start of a string, up to a number of bytes.
fn bounded(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Lines that look like `password: …`, in comments and in files that are not YAML. The text after
/// the colon is masked, and all lines that are indented deeper.
pub(crate) fn secret_lines(text: &str, policy: bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    let mut deeper_than: Option<usize> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let indent = line.len() - line.trim_start_matches([' ', '\t', '#']).len();
        let body = line.trim_end_matches(['\n', '\r']);
        if let Some(limit) = deeper_than {
            if indent > limit || body.trim().is_empty() || body.trim_start().starts_with(": ") {
                ranges.push(at + indent.min(body.len())..at + body.len());
                at += line.len();
                continue;
            }
            deeper_than = None;
        }
        if let Some(value) = secret_value(body, policy) {
            ranges.push(at + value..at + body.len());
            deeper_than = Some(indent);
        } else if body.trim_start().strip_prefix("? ").is_some_and(is_secret_alone) {
            deeper_than = Some(indent);
        }
        at += line.len();
    }
    ranges
}

/// True for a secret's name and nothing else: the value of `? password` follows the colon of a line
/// below.
fn is_secret_alone(name: &str) -> bool {
    SecretFieldName::is_name(name.trim().trim_matches(['"', '\'']))
}

/// Offset after the colon of the first `name: value` on the line whose name is a secret's.
fn secret_value(line: &str, policy: bool) -> Option<usize> {
    for (colon, _) in line.match_indices([':', '=']) {
        let before = line.get(..colon)?.trim_end_matches(['"', '\'', ' ']);
        let name = before
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .next()
            .unwrap_or_default();
        if SecretFieldName::is_name(name) && !(policy && name == "key") {
            let after = line.get(colon + 1..)?;
            return Some(line.len() - after.trim_start().len());
        }
    }
    None
}

#[cfg(test)]
mod tests;

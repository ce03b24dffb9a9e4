//! Finds out what a digest was computed from, if not from what the scheme requires. Every known
//! mistake is tried with the key, so that a match is exact.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Cause;
use super::key::{corrected, hmac, is_digest, mistakes, sha256};

/// A string that may have been hashed, and its mistake; `None` if it is the right string.
struct Candidate {
    text: Zeroizing<Vec<u8>>,
    wrong: Option<(Cause, String)>,
}

impl Candidate {
    fn new(parts: &[&[u8]], cause: Cause, evidence: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(parts.concat()), wrong: Some((cause, evidence.into())) }
    }
}

/// Determines how a digest was computed: `None` if no candidate matches; without a cause if it is
/// correct.
#[expect(clippy::option_option, reason = "no match, correct, or incorrect")]
pub(super) fn how_computed(
    value: &[u8],
    key: &[u8],
    nonce: &[u8],
    timestamp: &[u8],
) -> Option<Option<(Cause, String)>> {
    let plain = corrected(key);
    if value == plain.as_slice() || value == key {
        let evidence = "Authorization is the key itself".to_owned();
        return Some(Some((Cause::KeyForDigest, evidence)));
    }
    if let Some(how) = written_otherwise(value, &plain) {
        let evidence = format!("Authorization is the key {how}");
        return Some(Some((Cause::KeyForDigest, evidence)));
    }
    let (digest, written) = read(value)?;
    for candidate in candidates(key, &plain, nonce, timestamp) {
        let Some(hashed) = hash_method(&digest, &candidate.text) else { continue };
        return Some(match (candidate.wrong, hashed.or(written)) {
            (None, None) => None,
            (None, Some(how)) => Some((Cause::OtherDigest, how.to_owned())),
            (Some(wrong), None) => Some(wrong),
            (Some((cause, evidence)), Some(how)) => Some((cause, format!("{evidence}; {how}"))),
        });
    }
    let sent = timestamp;
    for message in [[nonce, sent].concat(), [sent, nonce].concat(), [nonce, b":", sent].concat()] {
        if *hmac(&plain, &message) == *digest {
            let evidence = "it is an HMAC; the scheme uses a plain hash".to_owned();
            return Some(Some((Cause::OtherDigest, evidence)));
        }
    }
    None
}

/// How the key is written, if the value is the key in another form.
pub(super) fn written_otherwise(value: &[u8], key: &[u8]) -> Option<&'static str> {
    let hexadecimal = Zeroizing::new(hex::encode(key));
    if base64s(key).iter().any(|text| text.as_bytes() == value) {
        Some("in base64")
    } else if value.eq_ignore_ascii_case(hexadecimal.as_bytes()) {
        Some("in hexadecimal digits")
    } else if value != key && value.eq_ignore_ascii_case(key) {
        Some("with letters in the other case")
    } else if value.len() >= 16 && value.len() < key.len() && key.starts_with(value) {
        Some("cut off at its end")
    } else {
        None
    }
}

/// Describes a value that is not a digest of the scheme, by its form.
pub(super) fn shape(value: &[u8]) -> Option<&'static str> {
    if is_digest(value) {
        return None;
    }
    if dashed(value).is_some() {
        return Some("hexadecimal digits in pairs with dashes between, as BitConverter writes");
    }
    let digits = value.iter().all(u8::is_ascii_hexdigit);
    Some(match value.len() {
        32 if digits => "32 hexadecimal digits, as from MD5",
        40 if digits => "40 hexadecimal digits, as from SHA-1",
        56 if digits => "56 hexadecimal digits, as from SHA-224",
        96 if digits => "96 hexadecimal digits, as from SHA-384",
        128 if digits => "128 hexadecimal digits, as from SHA-512",
        _ if decoded(value).is_some_and(|bytes| bytes.len() == 32) => "a SHA-256 in base64",
        _ if decoded(value).is_some_and(|bytes| bytes.len() == 20) => "a SHA-1 in base64",
        _ => "something else",
    })
}

/// The digest in lower-case digits, and what is wrong with its form; upper case is reported
/// elsewhere.
fn read(value: &[u8]) -> Option<(Zeroizing<String>, Option<&'static str>)> {
    let lower = |value: &[u8]| Zeroizing::new(String::from_utf8_lossy(value).to_ascii_lowercase());
    if is_digest(value) {
        return Some((lower(value), None));
    }
    if let Some(digits) = dashed(value) {
        return Some((lower(&digits), Some("the digits are in pairs, separated by dashes")));
    }
    let bytes = decoded(value)?;
    match bytes.len() {
        32 => Some((Zeroizing::new(hex::encode(bytes)), Some("the digest is in base64"))),
        64 if is_digest(&bytes) => Some((lower(&bytes), Some("its digits are in base64"))),
        _ => None,
    }
}

fn dashed(value: &[u8]) -> Option<Vec<u8>> {
    let pairs: Vec<&[u8]> = value.split(|byte| b"-: ".contains(byte)).collect();
    let digits = pairs.concat();
    (pairs.len() == 32 && pairs.iter().all(|pair| pair.len() == 2) && is_digest(&digits))
        .then_some(digits)
}

fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(value).ok())
}

fn base64s(bytes: &[u8]) -> [Zeroizing<String>; 4] {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .map(|engine| Zeroizing::new(engine.encode(bytes)))
}

/// Determines how a text was hashed to the digest: `None` if in no known way; without a name if
/// with plain SHA-256.
#[expect(clippy::option_option, reason = "no match, correct, or incorrect")]
fn hash_method(digest: &str, text: &[u8]) -> Option<Option<&'static str>> {
    let once = sha256(&[text]);
    if once.as_str() == digest {
        return Some(None);
    }
    if *sha256(&[once.as_bytes()]) == digest {
        return Some(Some("the digest was hashed a second time"));
    }
    if *sha256(&[&Sha256::digest(text)]) == digest {
        return Some(Some("the digest's bytes were hashed a second time"));
    }
    let wide = |order: fn(u16) -> [u8; 2], mark: &[u8]| {
        let units = text.iter().flat_map(|byte| order(u16::from(*byte)));
        let wide: Vec<u8> = mark.iter().copied().chain(units).collect();
        *sha256(&[&Zeroizing::new(wide)]) == digest
    };
    if wide(u16::to_le_bytes, b"")
        || wide(u16::to_le_bytes, b"\xff\xfe")
        || wide(u16::to_be_bytes, b"")
        || wide(u16::to_be_bytes, b"\xfe\xff")
    {
        return Some(Some("the text was hashed as UTF-16, as from [Text.Encoding]::Unicode"));
    }
    if *sha256(&[b"\xef\xbb\xbf", text]) == digest {
        return Some(Some("a byte order mark was hashed before the text"));
    }
    for end in [&b"\n"[..], b"\r\n"] {
        if *sha256(&[text, end]) == digest {
            return Some(Some("a line ending was hashed after the text"));
        }
    }
    None
}

/// The candidates, the right one first.
fn candidates(key: &[u8], plain: &[u8], nonce: &[u8], sent: &[u8]) -> Vec<Candidate> {
    let right = Zeroizing::new([plain, nonce, sent].concat());
    let mut all = vec![Candidate { text: right, wrong: None }];
    // Mistakes in the key's text, as configured and as other clients may have it.
    for slip in mistakes(key) {
        let evidence = format!("{}, and was hashed that way", slip.evidence);
        all.push(Candidate::new(&[key, nonce, sent], slip.cause, evidence));
    }
    other_keys(plain, nonce, sent, &mut all);
    other_times(plain, nonce, sent, &mut all);
    other_orders(plain, nonce, sent, &mut all);
    all
}

fn other_keys(plain: &[u8], nonce: &[u8], sent: &[u8], all: &mut Vec<Candidate>) {
    for (before, after, cause, what) in [
        (&b""[..], &b"\n"[..], Cause::WhitespaceAroundKey, "a line ending was hashed with the key"),
        (b"", b"\r\n", Cause::WhitespaceAroundKey, "a line ending was hashed with the key"),
        (b"", b" ", Cause::WhitespaceAroundKey, "a space was hashed with the key"),
        (b" ", b"", Cause::WhitespaceAroundKey, "a space was hashed with the key"),
        (b"\"", b"\"", Cause::QuotedKey, "quotes were hashed with the key"),
        (b"'", b"'", Cause::QuotedKey, "quotes were hashed with the key"),
        (b"Bearer ", b"", Cause::BearerPrefix, "`Bearer` was hashed with the key"),
    ] {
        all.push(Candidate::new(&[before, plain, after, nonce, sent], cause, what));
    }
    let hashed = sha256(&[plain]);
    let forms = [
        (Zeroizing::new(hashed.as_bytes().to_vec()), "the key was hashed beforehand"),
        (
            Zeroizing::new(hashed.to_ascii_uppercase().into_bytes()),
            "the key was hashed beforehand, in upper-case digits",
        ),
        (Zeroizing::new(Sha256::digest(plain).to_vec()), "the key was hashed beforehand"),
        (Zeroizing::new(plain.to_ascii_lowercase()), "the key was hashed in lower case"),
        (Zeroizing::new(plain.to_ascii_uppercase()), "the key was hashed in upper case"),
    ];
    for (form, what) in &forms {
        all.push(Candidate::new(&[form, nonce, sent], Cause::OtherDigest, *what));
    }
    for form in base64s(plain) {
        let what = "the key was hashed in base64";
        all.push(Candidate::new(&[form.as_bytes(), nonce, sent], Cause::OtherDigest, what));
    }
}

/// A time other than the sent one, in the timestamp's position.
fn other_times(plain: &[u8], nonce: &[u8], sent: &[u8], all: &mut Vec<Candidate>) {
    let seconds = sent.strip_suffix(b"000").unwrap_or(sent.get(..10).unwrap_or_default());
    let what = "seconds were hashed, and milliseconds were sent";
    all.push(Candidate::new(&[plain, nonce, seconds], Cause::SecondsForMilliseconds, what));
    let milliseconds = [sent, b"000"].concat();
    let what = "the hashed unit differs from the sent one";
    all.push(Candidate::new(&[plain, nonce, &milliseconds], Cause::TimestampForm, what));
    let micro = [sent, b"000000"].concat();
    all.push(Candidate::new(&[plain, nonce, &micro], Cause::TimestampForm, what));
    for length in [13, 10] {
        if let Some(cut) = sent.get(..length).filter(|cut| cut.len() < sent.len()) {
            all.push(Candidate::new(&[plain, nonce, cut], Cause::TimestampForm, what));
        }
    }
    let number = core::str::from_utf8(sent).ok().and_then(|text| text.parse::<i64>().ok());
    let time = number.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let Some(time) = time else { return };
    let what = "a date and time in text was hashed, and milliseconds were sent";
    for format in [
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.%3fZ",
        "%Y-%m-%dT%H:%M:%S.%6fZ",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%S.%3f+00:00",
        "%Y-%m-%d %H:%M:%S",
        "%a, %d %b %Y %H:%M:%S GMT",
    ] {
        let text = time.strftime(format).to_string();
        all.push(Candidate::new(&[plain, nonce, text.as_bytes()], Cause::TimestampForm, what));
    }
    let what = "the timestamp was hashed with a fraction";
    all.push(Candidate::new(&[plain, nonce, sent, b".0"], Cause::TimestampForm, what));
}

/// Another order, separators, or missing parts.
fn other_orders(plain: &[u8], nonce: &[u8], sent: &[u8], all: &mut Vec<Candidate>) {
    for (parts, what) in [
        (&[plain, sent, nonce][..], "the timestamp was hashed before the nonce"),
        (&[nonce, sent, plain], "the key was hashed last"),
        (&[sent, nonce, plain], "the key was hashed last"),
        (&[nonce, plain, sent], "the nonce was hashed before the key"),
        (&[sent, plain, nonce], "the timestamp was hashed before the key"),
        (&[plain, b":", nonce, b":", sent], "the parts were separated by colons"),
        (&[plain, b"|", nonce, b"|", sent], "the parts were separated by bars"),
        (&[plain, b",", nonce, b",", sent], "the parts were separated by commas"),
        (&[plain, b".", nonce, b".", sent], "the parts were separated by dots"),
        (&[plain, b"+", nonce, b"+", sent], "the parts were separated by plus signs"),
        (&[plain, b"-", nonce, b"-", sent], "the parts were separated by dashes"),
        (&[plain, b"&", nonce, b"&", sent], "the parts were separated by ampersands"),
        (&[plain, b"\0", nonce, b"\0", sent], "the parts were separated by zero bytes"),
        (&[plain, b"\n", nonce, b"\n", sent], "the parts were separated by line endings"),
        (&[plain, b" ", nonce, b" ", sent], "the parts were separated by spaces"),
        (&[plain, nonce], "the timestamp is missing"),
        (&[plain, sent], "the nonce is missing"),
        (&[nonce, sent], "the key is missing"),
        (&[nonce, plain], "the timestamp is missing, and the nonce was hashed before the key"),
        (&[sent, plain], "the nonce is missing, and the timestamp was hashed before the key"),
        (&[plain], "only the key was hashed, without nonce and timestamp"),
        (&[nonce], "only the nonce was hashed"),
        (&[sent], "only the timestamp was hashed"),
    ] {
        all.push(Candidate::new(parts, Cause::OtherDigest, what));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const KEY: &[u8] = b"Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1xy";
    const NONCE: &[u8] = b"a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2";
    const TIME: &[u8] = b"1798761600000";

    #[expect(clippy::option_option, reason = "no way, the right way, a wrong way")]
    fn made(value: &str) -> Option<Option<Cause>> {
        how_computed(value.as_bytes(), KEY, NONCE, TIME).map(|made| made.map(|(cause, _)| cause))
    }

    fn of(parts: &[&[u8]]) -> String {
        sha256(parts).to_string()
    }

    #[test]
    fn every_known_mistake_is_recognised_and_the_right_digest_is_not() {
        use Cause::{KeyForDigest, OtherDigest, SecondsForMilliseconds, TimestampForm};
        let right = of(&[KEY, NONCE, TIME]);
        assert_eq!(made(&right), Some(None));
        assert_eq!(made(&right.to_uppercase()), Some(None));
        let text = [KEY, NONCE, TIME].concat();
        let wide: Vec<u8> = text.iter().flat_map(|byte| [*byte, 0]).collect();
        let raw = hex::decode(&right).unwrap();
        let pairs: Vec<&str> =
            right.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).unwrap()).collect();
        for (value, cause) in [
            (String::from_utf8(KEY.to_vec()).unwrap(), KeyForDigest),
            (STANDARD.encode(KEY), KeyForDigest),
            (of(&[of(&[KEY]).as_bytes(), NONCE, TIME]), OtherDigest),
            (of(&[right.as_bytes()]), OtherDigest),
            (of(&[&raw]), OtherDigest),
            (pairs.join("-").to_uppercase(), OtherDigest),
            (STANDARD.encode(&raw), OtherDigest),
            (URL_SAFE_NO_PAD.encode(&raw), OtherDigest),
            (of(&[&wide]), OtherDigest),
            (of(&[KEY, TIME, NONCE]), OtherDigest),
            (of(&[TIME, NONCE, KEY]), OtherDigest),
            (of(&[KEY, NONCE]), OtherDigest),
            (of(&[KEY, NONCE, b"1798761600"]), SecondsForMilliseconds),
            (of(&[KEY, NONCE, b"1798761600000000"]), TimestampForm),
            (of(&[KEY, NONCE, b"2027-01-01T00:00:00Z"]), TimestampForm),
            (of(&[KEY, NONCE, TIME, b"\n"]), OtherDigest),
        ] {
            assert_eq!(made(&value), Some(Some(cause)), "{value}");
        }
        assert_eq!(made(&of(&[b"another key", NONCE, TIME])), None);
        assert_eq!(made("nonsense"), None);
    }
}

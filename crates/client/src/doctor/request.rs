//! [`examine_requests`]: requests that another client sent, as `curl -v`, a proxy or a log shows
//! them.
//!
//! It refuses to send anything. What it says of a digest it can say only where it is given the key.

use core::fmt;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cortexkey_core::auth::Level;
use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::key::{hmac, is_digest, sha256, slips};
use super::{Cause, Certainty, Diagnosis};

/// The most that is read of requests.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Tenants are known to take a minute.
const SKEW_MS: u64 = 60_000;

/// A request as it was seen. `Debug` does not show its values: they may be a key.
#[derive(Default)]
pub struct ObservedRequest {
    headers: Vec<(String, String)>,
    /// The answer's date, in milliseconds since 1970.
    answered_ms: Option<u64>,
}

/// Why text holds no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestsError {
    /// It is larger than a megabyte.
    TooLarge,
    /// It is no text.
    NotText,
    /// It begins as JSON and is none, or not of this form.
    Json,
    /// There is no header of the scheme in it.
    NoHeaders,
}

/// Reads requests: heads as HTTP has them, what `curl -v` prints, or JSON (an object of headers, a
/// list of such, or `{"headers": …}`).
pub fn read_requests(text: &[u8]) -> Result<Vec<ObservedRequest>, RequestsError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(RequestsError::TooLarge);
    }
    let text = core::str::from_utf8(text).map_err(|_| RequestsError::NotText)?;
    let requests = if text.trim_start().starts_with(['{', '[']) {
        of_json(text).ok_or(RequestsError::Json)?
    } else {
        of_lines(text)
    };
    let is_ours = |request: &ObservedRequest| {
        request
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("x-xdr-") || name == "authorization")
    };
    let requests: Vec<_> = requests.into_iter().filter(is_ours).collect();
    if requests.is_empty() { Err(RequestsError::NoHeaders) } else { Ok(requests) }
}

fn of_json(text: &str) -> Option<Vec<ObservedRequest>> {
    // One value after another is what logs have.
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.ok()? {
            Value::Array(items) => {
                for item in &items {
                    found.push(of_object(item)?);
                }
            }
            object => found.push(of_object(&object)?),
        }
    }
    Some(found)
}

fn of_object(value: &Value) -> Option<ObservedRequest> {
    let object = value.as_object()?;
    let inner = ["headers", "request"].iter().find_map(|name| object.get(*name)?.as_object());
    let mut request = ObservedRequest::default();
    for (name, value) in inner.unwrap_or(object) {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => core::slice::from_ref(one),
        };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            request.headers.push((name.to_ascii_lowercase(), text));
        }
    }
    Some(request)
}

/// Lines of heads; a request line, or an empty line after headers, begins another.
fn of_lines(text: &str) -> Vec<ObservedRequest> {
    let mut found = vec![ObservedRequest::default()];
    for line in text.lines() {
        // As curl marks what it sends and gets, and what it says itself.
        let (marked, line) = match line.strip_prefix("> ") {
            Some(rest) => (b'>', rest),
            None => match line.strip_prefix("< ") {
                Some(rest) => (b'<', rest),
                None if line.starts_with(['*', '}', '{']) => continue,
                None => (b' ', line),
            },
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_new = line.trim().is_empty() || line.contains(" HTTP/1") || line.contains(" HTTP/2");
        if is_new && marked != b'<' {
            if found.last().is_some_and(|request| !request.headers.is_empty()) {
                found.push(ObservedRequest::default());
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        // One space is HTTP's; what else is there is the client's.
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        if marked == b'<' {
            // The answer belongs to the request before it.
            let before = found.iter_mut().rev().find(|request| !request.headers.is_empty());
            if let (Some(request), "date") = (before, name.as_str()) {
                request.answered_ms = date_ms(&value);
            }
        } else if let Some(request) = found.last_mut() {
            request.headers.push((name, value));
        }
    }
    found
}

fn date_ms(text: &str) -> Option<u64> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let ms = parser.parse_timestamp(text.trim()).ok()?.as_millisecond();
    u64::try_from(ms).ok()
}

/// Examines requests. The key, as it stands in its file or variable, and its level make more of
/// them.
pub fn examine_requests(
    requests: &[ObservedRequest],
    key: Option<&[u8]>,
    level: Option<Level>,
) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    let count = requests.len();
    let mut nonces = HashMap::new();
    for (at, request) in requests.iter().enumerate() {
        let which = if count == 1 { String::new() } else { format!("request {}: ", at + 1) };
        Examination { request, which, key, level, to: &mut diagnosis }.run();
        let Some(nonce) = request.value("x-xdr-nonce") else { continue };
        match nonces.entry(nonce) {
            Entry::Vacant(unseen) => {
                unseen.insert(at);
            }
            Entry::Occupied(earlier) => {
                let evidence =
                    format!("requests {} and {} have the same nonce", earlier.get() + 1, at + 1);
                diagnosis.find(Cause::ReusedNonce, Certainty::Certain, evidence);
            }
        }
    }
    let with_key = if key.is_some() { "and the key" } else { "without the key" };
    let requests = if count == 1 { "request" } else { "requests" };
    diagnosis.step(format!("looked at {count} {requests} {with_key}"));
    diagnosis.finish()
}

impl ObservedRequest {
    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

struct Examination<'a> {
    request: &'a ObservedRequest,
    which: String,
    key: Option<&'a [u8]>,
    level: Option<Level>,
    to: &'a mut Diagnosis,
}

impl Examination<'_> {
    fn find(&mut self, cause: Cause, certainty: Certainty, evidence: &str) {
        self.to.find(cause, certainty, format!("{}{evidence}", self.which));
    }

    fn run(&mut self) {
        self.key_id();
        self.host();
        let request = self.request;
        let Some(authorization) = request.value("authorization") else {
            let evidence = "there is no Authorization header";
            return self.find(Cause::MissingHeader, Certainty::Certain, evidence);
        };
        let mut value = Zeroizing::new(authorization.as_bytes().to_vec());
        for slip in slips(authorization.as_bytes()) {
            let evidence = format!("Authorization: {}", slip.evidence);
            self.find(slip.cause, Certainty::Certain, &evidence);
            value = slip.mended;
        }
        match (request.value("x-xdr-nonce"), request.value("x-xdr-timestamp")) {
            (Some(nonce), Some(timestamp)) => self.advanced(&value, nonce, timestamp),
            (None, None) => self.standard(&value),
            (nonce, _) => {
                let there = if nonce.is_some() {
                    "a nonce and no timestamp"
                } else {
                    "a timestamp and no nonce"
                };
                self.find(Cause::MissingHeader, Certainty::Certain, &format!("there is {there}"));
            }
        }
    }

    fn key_id(&mut self) {
        match self.request.value("x-xdr-auth-id") {
            None => self.find(Cause::MissingKeyId, Certainty::Certain, "there is no x-xdr-auth-id"),
            Some(id) if id.trim().parse::<u64>().is_ok() => {}
            Some(_) => {
                let evidence = "x-xdr-auth-id holds something besides a number";
                self.find(Cause::MissingKeyId, Certainty::Certain, evidence);
            }
        }
    }

    fn host(&mut self) {
        let host = self.request.value("host").or_else(|| self.request.value(":authority"));
        let Some(host) = host else { return };
        let is_console = host.contains("paloaltonetworks.com") && !host.starts_with("api-");
        if is_console {
            let evidence = "the host does not begin with api-";
            self.find(Cause::ConsoleHost, Certainty::Certain, evidence);
        }
    }

    /// The key was sent as it is.
    fn standard(&mut self, value: &[u8]) {
        if let Some(key) = self.key {
            let plain = mended(key);
            if is_digest(value) && [key, &plain].iter().any(|key| equals(value, &sha256(&[key]))) {
                let evidence = "Authorization is the SHA-256 of the key, without nonce and time";
                return self.find(Cause::HashedStandardKey, Certainty::Certain, evidence);
            }
            if self.level == Some(Level::Advanced) && value == plain.as_slice() {
                let evidence = "the key is Advanced, and was sent as it is";
                return self.find(Cause::LevelMismatch, Certainty::Certain, evidence);
            }
            if value != plain.as_slice() {
                let evidence = "Authorization is not the key that was given";
                self.find(Cause::WrongKey, Certainty::Certain, evidence);
            }
        } else if is_digest(value) {
            let evidence = "Authorization is 64 hexadecimal digits, and there is neither nonce nor \
                            timestamp";
            self.find(Cause::HashedStandardKey, Certainty::Likely, evidence);
        } else if self.level == Some(Level::Advanced) {
            let evidence = "the key is Advanced, and there is neither nonce nor timestamp";
            self.find(Cause::LevelMismatch, Certainty::Certain, evidence);
        }
    }

    fn advanced(&mut self, value: &[u8], nonce: &str, timestamp: &str) {
        if self.level == Some(Level::Standard) {
            let evidence = "the key is Standard, and the request is signed";
            self.find(Cause::LevelMismatch, Certainty::Certain, evidence);
        }
        if nonce.len() != 64 || !nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let evidence = format!(
                "the nonce has {} characters, or others than letters and digits",
                nonce.chars().count()
            );
            self.find(Cause::OddNonce, Certainty::Possible, &evidence);
        }
        self.timestamp(timestamp);
        let is_upper = is_digest(value) && value.iter().any(u8::is_ascii_uppercase);
        if is_upper {
            let evidence = "Authorization has upper-case hexadecimal digits";
            self.find(Cause::UpperCaseDigest, Certainty::Certain, evidence);
        }
        let Some(key) = self.key else {
            if !is_digest(value) {
                let evidence = "Authorization is not 64 hexadecimal digits";
                self.find(Cause::OtherDigest, Certainty::Certain, evidence);
            }
            return;
        };
        let mut digest = Zeroizing::new(String::from_utf8_lossy(value).to_ascii_lowercase());
        match made_of(&digest, key, nonce.as_bytes(), timestamp.as_bytes()) {
            None => {
                let evidence = "the digest is not of this key, nonce and timestamp";
                self.find(Cause::WrongKey, Certainty::Certain, evidence);
            }
            Some(None) => {}
            Some(Some((cause, evidence))) => self.find(cause, Certainty::Certain, &evidence),
        }
        digest.zeroize();
    }

    fn timestamp(&mut self, timestamp: &str) {
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let ms = timestamp.parse::<u64>().ok().filter(|_| digits);
        match ms {
            Some(1_000_000_000..=9_999_999_999) => {
                let evidence = "x-xdr-timestamp has 10 digits";
                self.find(Cause::SecondsForMilliseconds, Certainty::Certain, evidence);
            }
            Some(ms) if timestamp.len() == 13 => self.clock(ms),
            _ => {
                let evidence =
                    format!("x-xdr-timestamp is not 13 digits but {}", timestamp.chars().count());
                self.find(Cause::SecondsForMilliseconds, Certainty::Likely, &evidence);
            }
        }
    }

    fn clock(&mut self, ms: u64) {
        let Some(answered_ms) = self.request.answered_ms else { return };
        let off = answered_ms.abs_diff(ms);
        if off > SKEW_MS {
            let way = if answered_ms > ms { "behind" } else { "ahead of" };
            let evidence = format!("the timestamp is {} s {way} the answer's date", off / 1000);
            self.find(Cause::ClockOff, Certainty::Certain, &evidence);
        }
    }
}

/// The key without what stands round it.
fn mended(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let last = slips(key).pop();
    last.map_or_else(|| Zeroizing::new(key.to_vec()), |slip| slip.mended)
}

fn equals(value: &[u8], digest: &str) -> bool {
    value.eq_ignore_ascii_case(digest.as_bytes())
}

/// What a digest was made of: nothing where none of the ways fits, no cause where it is the right
/// one.
#[expect(clippy::option_option, reason = "no way, the right way, a wrong way")]
fn made_of(
    digest: &str,
    key: &[u8],
    nonce: &[u8],
    timestamp: &[u8],
) -> Option<Option<(Cause, String)>> {
    let plain = mended(key);
    let is = |parts: &[&[u8]]| *sha256(parts) == digest;
    if is(&[&plain, nonce, timestamp]) {
        return Some(None);
    }
    // The mistakes of the key's own text, as it is and as others may have it.
    for slip in slips(key) {
        if is(&[key, nonce, timestamp]) {
            return Some(Some((slip.cause, format!("{}, and was hashed so", slip.evidence))));
        }
    }
    let with =
        |before: &[u8], after: &[u8]| Zeroizing::new([before, plain.as_slice(), after].concat());
    for (before, after, cause, what) in [
        (&b""[..], &b"\n"[..], Cause::SpaceRoundKey, "a line end was hashed with the key"),
        (b"", b"\r\n", Cause::SpaceRoundKey, "a line end was hashed with the key"),
        (b"", b" ", Cause::SpaceRoundKey, "a space was hashed with the key"),
        (b" ", b"", Cause::SpaceRoundKey, "a space was hashed with the key"),
        (b"\"", b"\"", Cause::QuotesRoundKey, "quotes were hashed with the key"),
        (b"'", b"'", Cause::QuotesRoundKey, "quotes were hashed with the key"),
        (b"Bearer ", b"", Cause::BearerPrefix, "`Bearer` was hashed with the key"),
    ] {
        if is(&[&with(before, after), nonce, timestamp]) {
            return Some(Some((cause, what.to_owned())));
        }
    }
    // Seconds in one of the two places where the time stands.
    let seconds = timestamp.strip_suffix(b"000").unwrap_or(timestamp.get(..10).unwrap_or_default());
    if is(&[&plain, nonce, seconds]) {
        let evidence = "seconds were hashed, and milliseconds were sent".to_owned();
        return Some(Some((Cause::SecondsForMilliseconds, evidence)));
    }
    let sent = timestamp;
    for (parts, what) in [
        (&[&plain, sent, nonce][..], "the timestamp was hashed before the nonce"),
        (&[nonce, sent, &plain], "the key was hashed last"),
        (&[nonce, &plain, sent], "the nonce was hashed before the key"),
        (&[&plain, b":", nonce, b":", sent], "colons stand between the parts"),
        (&[&plain, b"|", nonce, b"|", sent], "bars stand between the parts"),
        (&[&plain, b"\n", nonce, b"\n", sent], "line ends stand between the parts"),
        (&[&plain, b" ", nonce, b" ", sent], "spaces stand between the parts"),
        (&[&plain, nonce], "the timestamp was left out"),
        (&[&plain, sent], "the nonce was left out"),
    ] {
        if is(parts) {
            return Some(Some((Cause::OtherDigest, what.to_owned())));
        }
    }
    if is(&[&plain]) {
        let evidence = "the key alone was hashed, without nonce and timestamp".to_owned();
        return Some(Some((Cause::OtherDigest, evidence)));
    }
    for message in [[nonce, sent].concat(), [nonce, b":", sent].concat()] {
        if *hmac(&plain, &message) == digest {
            let evidence = "it is an HMAC, and the scheme has a plain hash".to_owned();
            return Some(Some((Cause::OtherDigest, evidence)));
        }
    }
    None
}

impl fmt::Debug for ObservedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ObservedRequest").field("headers", &names).finish_non_exhaustive()
    }
}

impl Drop for ObservedRequest {
    fn drop(&mut self) {
        for (_, value) in &mut self.headers {
            value.zeroize();
        }
    }
}

impl fmt::Display for RequestsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "there is more than a megabyte; give the heads of a few requests",
            Self::NotText => "it is no text (UTF-8)",
            Self::Json => {
                "it is no JSON of this form: an object of headers, a list of such, or \
                 {\"headers\": …}"
            }
            Self::NoHeaders => {
                "there is neither Authorization nor an x-xdr-* header in it; give heads as HTTP \
                 has them, or what `curl -v` prints"
            }
        })
    }
}

impl core::error::Error for RequestsError {}

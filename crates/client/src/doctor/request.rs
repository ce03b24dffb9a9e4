//! [`examine_requests`]: analyses requests that another client sent, as `curl -v`, a proxy or a log
//! shows them.
//!
//! It sends nothing. It can analyse a digest only with the key.

use core::fmt;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cortexkey_core::auth::Level;
use serde_json::Value;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::digest::{how_computed, shape, written_otherwise};
use super::key::{corrected, equals, is_digest, mistakes, sha256};
use super::{Cause, Diagnosis, Likelihood};

/// The most bytes of requests that are read.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Tenants are known to accept one minute.
const SKEW_MS: u64 = 60_000;

/// A captured request. `Debug` does not show its values, which may contain a key.
#[derive(Default)]
pub struct ObservedRequest {
    headers: Vec<(String, String)>,
    /// The response's date, in milliseconds since 1970.
    answered_ms: Option<u64>,
}

/// Why no request can be read from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestsError {
    /// It is larger than a megabyte.
    #[error("there is more than a megabyte\nhelp: give the heads of a few requests")]
    TooLarge,
    /// It is not text.
    #[error("it is not valid UTF-8")]
    NotText,
    /// It starts as JSON, but is invalid or of another form.
    #[error(
        "it is not JSON of this form: an object of headers, a list of them, or {{\"headers\": …}}"
    )]
    Json,
    /// It contains no authentication header.
    #[error(
        "there is neither Authorization nor an x-xdr-* header in it\nhelp: give heads as HTTP has them, or \
         what `curl -v` prints"
    )]
    NoHeaders,
}

/// Reads requests: HTTP heads, the output of `curl -v`, or JSON (an object of headers, a list of
/// them, or `{"headers": …}`).
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
    // Logs contain one value after another.
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

/// Lines of heads; a request line, or an empty line after headers, starts another.
fn of_lines(text: &str) -> Vec<ObservedRequest> {
    let mut found = vec![ObservedRequest::default()];
    for line in text.lines() {
        // The markers that curl puts before what it sends, receives and reports.
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
        // HTTP allows one space; further ones come from the client.
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        if marked == b'<' {
            // The response belongs to the request before it.
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

/// Examines requests. With the key, as stored in its file or variable, and its level, it finds more
/// causes.
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
                diagnosis.find(Cause::ReusedNonce, Likelihood::Certain, evidence);
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
    fn find(&mut self, cause: Cause, certainty: Likelihood, evidence: &str) {
        self.to.find(cause, certainty, format!("{}{evidence}", self.which));
    }

    fn run(&mut self) {
        self.key_id();
        self.host();
        let request = self.request;
        let Some(authorization) = request.value("authorization") else {
            let evidence = "there is no Authorization header";
            return self.find(Cause::MissingHeader, Likelihood::Certain, evidence);
        };
        let mut value = Zeroizing::new(authorization.as_bytes().to_vec());
        for slip in mistakes(authorization.as_bytes()) {
            let evidence = format!("Authorization: {}", slip.evidence);
            self.find(slip.cause, Likelihood::Certain, &evidence);
            value = slip.corrected;
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
                self.find(Cause::MissingHeader, Likelihood::Certain, &format!("there is {there}"));
            }
        }
    }

    fn key_id(&mut self) {
        match self.request.value("x-xdr-auth-id") {
            None => {
                self.find(Cause::MissingKeyId, Likelihood::Certain, "there is no x-xdr-auth-id");
            }
            Some(id) if id.trim().parse::<u64>().is_ok() => {}
            Some(_) => {
                let evidence = "x-xdr-auth-id is not a number";
                self.find(Cause::MissingKeyId, Likelihood::Certain, evidence);
            }
        }
    }

    fn host(&mut self) {
        let host = self.request.value("host").or_else(|| self.request.value(":authority"));
        let Some(host) = host else { return };
        let is_console = host.contains("paloaltonetworks.com") && !host.starts_with("api-");
        if is_console {
            let evidence = "the host does not start with api-";
            self.find(Cause::ConsoleHost, Likelihood::Certain, evidence);
        }
    }

    /// The key was sent unhashed.
    fn standard(&mut self, value: &[u8]) {
        if self.level == Some(Level::Advanced) {
            let evidence = "the key is Advanced, and there is neither nonce nor timestamp";
            self.find(Cause::LevelMismatch, Likelihood::Certain, evidence);
        }
        let hashed = "Authorization is the SHA-256 of the key, without nonce and timestamp";
        if let Some(key) = self.key {
            let plain = corrected(key);
            if [key, plain.as_slice()].iter().any(|key| equals(value, &sha256(&[key]))) {
                return self.find(Cause::HashedStandardKey, Likelihood::Certain, hashed);
            }
            if value == plain.as_slice() {
                return;
            }
            if let Some(how) = written_otherwise(value, &plain) {
                let evidence = format!("Authorization is the key {how}");
                return self.find(Cause::WrongKey, Likelihood::Certain, &evidence);
            }
            // Either of the two may be correct.
            let evidence = "Authorization is not the key that was given";
            self.find(Cause::WrongKey, Likelihood::Possible, evidence);
        }
        if is_digest(value) {
            let evidence = "Authorization is 64 hexadecimal digits, and there is neither nonce nor \
                            timestamp";
            self.find(Cause::HashedStandardKey, Likelihood::Likely, evidence);
        }
    }

    fn advanced(&mut self, value: &[u8], nonce: &str, timestamp: &str) {
        if self.level == Some(Level::Standard) {
            let evidence = "the key is Standard, but the request is signed";
            self.find(Cause::LevelMismatch, Likelihood::Certain, evidence);
        }
        if nonce.len() != 64 || !nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let evidence = format!(
                "the nonce has {} characters, or characters other than letters and digits",
                nonce.chars().count()
            );
            self.find(Cause::InvalidNonce, Likelihood::Possible, &evidence);
        }
        self.timestamp(timestamp);
        let is_upper = is_digest(value) && value.iter().any(u8::is_ascii_uppercase);
        if is_upper {
            let evidence = "Authorization has upper-case hexadecimal digits";
            self.find(Cause::UpperCaseDigest, Likelihood::Certain, evidence);
        }
        let shape = shape(value);
        if let Some(key) = self.key
            && let Some(made) = how_computed(value, key, nonce.as_bytes(), timestamp.as_bytes())
        {
            if let Some((cause, evidence)) = made {
                self.find(cause, Likelihood::Certain, &evidence);
            }
            return;
        }
        if let Some(shape) = shape {
            let evidence = format!("Authorization is {shape}, not 64 hexadecimal digits");
            return self.find(Cause::OtherDigest, Likelihood::Certain, &evidence);
        }
        if self.key.is_some() {
            let evidence = "the digest is of this key, nonce and timestamp in none of the ways that \
                            are known";
            self.find(Cause::OtherDigest, Likelihood::Possible, evidence);
            self.find(Cause::WrongKey, Likelihood::Possible, evidence);
        }
    }

    fn timestamp(&mut self, timestamp: &str) {
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let number = timestamp.parse::<u64>().ok().filter(|_| digits);
        let evidence = match (number, timestamp.len()) {
            (Some(ms), 13) => return self.clock(ms),
            (Some(_), 10) => {
                let evidence = "x-xdr-timestamp has 10 digits";
                return self.find(Cause::SecondsForMilliseconds, Likelihood::Certain, evidence);
            }
            (Some(_), 16) => "x-xdr-timestamp has 16 digits, as in microseconds".to_owned(),
            (Some(_), 19) => "x-xdr-timestamp has 19 digits, as in nanoseconds".to_owned(),
            (None, _) if timestamp.parse::<jiff::Timestamp>().is_ok() => {
                "x-xdr-timestamp is a date and time in text".to_owned()
            }
            (None, _) if timestamp.parse::<f64>().is_ok() => {
                "x-xdr-timestamp is a number with a fraction".to_owned()
            }
            _ => {
                format!("expected 13 digits in x-xdr-timestamp, got {}", timestamp.chars().count())
            }
        };
        self.find(Cause::TimestampForm, Likelihood::Certain, &evidence);
    }

    /// Compares with the response's date, or without one with this machine's clock, which only
    /// works for a request of this moment.
    fn clock(&mut self, ms: u64) {
        if let Some(answered_ms) = self.request.answered_ms {
            let off = answered_ms.abs_diff(ms);
            if off > SKEW_MS {
                let way = if answered_ms > ms { "behind" } else { "ahead of" };
                let zone = zone(off).unwrap_or_default();
                let evidence =
                    format!("the timestamp is {} s {way} the answer's date{zone}", off / 1000);
                self.find(Cause::ClockOff, Likelihood::Certain, &evidence);
            }
            return;
        }
        let now_ms = u64::try_from(crate::transport::now_ms()).unwrap_or(0);
        let off = now_ms.abs_diff(ms);
        if off <= SKEW_MS {
            return;
        }
        let zone = zone(off);
        if ms > now_ms {
            let zone = zone.unwrap_or_default();
            let evidence =
                format!("the timestamp is {} s ahead of this machine's clock{zone}", off / 1000);
            self.find(Cause::ClockOff, Likelihood::Likely, &evidence);
        } else if let Some(zone) = zone {
            let evidence = format!(
                "the timestamp is {} s behind this machine's clock{zone}, if the request was \
                 made just now",
                off / 1000
            );
            self.find(Cause::ClockOff, Likelihood::Possible, &evidence);
        }
    }
}

/// A difference of whole quarters of an hour suggests a local time that was used as UTC.
fn zone(off_ms: u64) -> Option<String> {
    const QUARTER_MS: u64 = 15 * 60 * 1000;
    /// The easternmost zone is 14 hours ahead.
    const QUARTERS_MAX: u64 = 14 * 4;
    let quarters = (off_ms + QUARTER_MS / 2) / QUARTER_MS;
    let is_zone =
        (1..=QUARTERS_MAX).contains(&quarters) && off_ms.abs_diff(quarters * QUARTER_MS) <= SKEW_MS;
    let hours = quarters / 4;
    let minutes = quarters % 4 * 15;
    is_zone.then(|| format!(", {hours} h {minutes:02} min, like the offset of a time zone"))
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

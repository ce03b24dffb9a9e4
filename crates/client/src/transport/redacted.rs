//! The parts of a response that errors may show: without the request's secrets and without control
//! characters.

use core::time::Duration;

use cortexkey_api::{ErrorBody, ErrorCode};
use cortexkey_core::auth::Headers;
use serde_json::Value;
use ureq::http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

/// The longest header or message from the tenant that is kept.
const TEXT_CHARS_MAX: usize = 1000;

/// The relevant headers of a response, safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Date`.
    pub date: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `x-cortexkey-verdict`, which the emulator sends on request.
    pub verdict: Option<String>,
    /// `x-cortexkey-remedy`, which the emulator sends on request.
    pub remedy: Option<String>,
}

impl ResponseHeaders {
    pub(super) fn redacted(headers: &HeaderMap, signed: &Headers<'_>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| header_text(value, signed));
        Self {
            content_type: text("content-type"),
            date: text("date"),
            retry_after: text("retry-after"),
            verdict: text("x-cortexkey-verdict"),
            remedy: text("x-cortexkey-remedy"),
        }
    }

    /// The wait that `Retry-After` asks for, if it is valid.
    pub(super) fn retry_wait(&self) -> Option<Duration> {
        self.retry_after.as_deref().and_then(retry_after)
    }
}

/// `Retry-After` as seconds or as a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let until = parser.parse_timestamp(text.trim()).ok()?.as_millisecond();
    let ms = until.saturating_sub(super::now_ms()).max(0);
    Some(Duration::from_millis(ms.unsigned_abs()))
}

/// A header of the response, without the request's secrets.
pub(super) fn header_text(value: &HeaderValue, signed: &Headers<'_>) -> Option<String> {
    value.to_str().ok().map(|text| clean(text, signed))
}

/// Removes headers that repeat the request's secrets, which are not for another program.
pub(super) fn drop_secrets(headers: &mut HeaderMap, signed: &Headers<'_>) {
    let is_secret = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.contains(signed.authorization())
    };
    let names = headers.iter().filter(|(_, value)| is_secret(value)).map(|(name, _)| name.clone());
    for name in names.collect::<Vec<_>>() {
        headers.remove(name);
    }
}

pub(super) fn without_secrets(mut body: ErrorBody, signed: &Headers<'_>) -> ErrorBody {
    if let Some(ErrorCode::Text(code)) = &mut body.err_code {
        *code = clean(code, signed);
    }
    if let Some(message) = &mut body.err_msg {
        *message = clean(message, signed);
    }
    if let Some(extra) = &mut body.err_extra {
        // Value by value, because a key with a quote or backslash is escaped in JSON.
        *extra = clean_value(extra.take(), signed);
        let text = extra.to_string();
        if text.chars().nth(TEXT_CHARS_MAX).is_some() {
            *extra = text.chars().take(TEXT_CHARS_MAX).collect::<String>().into();
        }
    }
    body
}

/// A value with all its strings, including names, safe to show.
fn clean_value(value: Value, signed: &Headers<'_>) -> Value {
    match value {
        Value::String(text) => clean(&text, signed).into(),
        Value::Array(items) => items.into_iter().map(|item| clean_value(item, signed)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (clean(&name, signed), clean_value(value, signed)))
            .collect(),
        // A key may consist of digits only.
        Value::Number(number) => {
            let text = number.to_string();
            let cleaned = clean(&text, signed);
            if cleaned == text { number.into() } else { cleaned.into() }
        }
        Value::Null | Value::Bool(_) => value,
    }
}

/// Text from the tenant, safe to show: some servers repeat what they received, and a terminal
/// interprets control characters.
fn clean(text: &str, signed: &Headers<'_>) -> String {
    let authorization = signed.authorization();
    // As escaped in JSON that is shown as text.
    let escaped = Zeroizing::new(Value::from(authorization).to_string());
    let escaped = escaped.get(1..escaped.len() - 1).unwrap_or_default();
    let mut text = text.to_owned();
    for secret in [authorization, escaped, signed.nonce().unwrap_or_default()] {
        if !secret.is_empty() {
            text = text.replace(secret, "(secret removed)");
        }
    }
    let shown = |c: char| if cortexkey_manifest::is_invisible(c) { ' ' } else { c };
    text.chars().take(TEXT_CHARS_MAX).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("30"), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        for invalid in ["-1", "soon", "", "1e9", "99999999999999999999"] {
            assert_eq!(retry_after(invalid), None, "{invalid}");
        }
    }
}

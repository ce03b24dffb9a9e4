//! Times and durations as users read and write them. All other code uses milliseconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use cortexkey_manifest::definition::{lifetime, moment};
use thiserror::Error;

/// Why a time or duration is invalid, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TimeError {
    message: String,
}

impl TimeError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// The current time of this machine, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// A time as in definitions: RFC 3339, or a date, which means the end of its day.
///
/// ```
/// use cortexkey_client::time::time_ms;
///
/// assert_eq!(time_ms("2027-03-01T00:00:00Z"), Ok(1_803_859_200_000));
/// assert_eq!(time_ms("2027-03-01"), time_ms("2027-03-02T00:00:00Z"));
/// ```
pub fn time_ms(text: &str) -> Result<u64, TimeError> {
    let time = moment(text)
        .map_err(|error| TimeError::new(format!("{}: {}", error.message, error.help)))?;
    u64::try_from(time.as_millisecond()).map_err(|_| TimeError::new("the time is before 1970"))
}

/// Like [`time_ms`], except that a date means the start of its day.
pub fn start_ms(text: &str) -> Result<u64, TimeError> {
    if text.len() == 10 { time_ms(&format!("{text}T00:00:00Z")) } else { time_ms(text) }
}

/// The last millisecond that a time means: tables show times to the second, so a time copied from
/// one means its whole second. A date means its whole day.
///
/// ```
/// use cortexkey_client::time::last_ms;
///
/// assert_eq!(last_ms("1970-01-01T00:00:07Z"), Ok(7_999));
/// assert_eq!(last_ms("1970-01-01"), Ok(86_399_999));
/// ```
pub fn last_ms(text: &str) -> Result<u64, TimeError> {
    let ms = time_ms(text)?;
    Ok(if text.len() == 10 { ms.saturating_sub(1) } else { ms.saturating_add(999) })
}

/// A duration as in definitions, such as `90d`; `0` is none.
pub fn duration_ms(text: &str) -> Result<u64, TimeError> {
    if text == "0" {
        return Ok(0);
    }
    let duration = lifetime(text)
        .map_err(|error| TimeError::new(format!("{}: {}", error.message, error.help)))?;
    u64::try_from(duration.as_millis()).map_err(|_| TimeError::new("the duration is out of range"))
}

/// A grace period: a duration, or zero in any unit.
pub fn grace_ms(text: &str) -> Result<u64, TimeError> {
    let digits = text.strip_suffix(['d', 'h', 'm', 's']).unwrap_or(text);
    let is_none = !digits.is_empty() && digits.bytes().all(|byte| byte == b'0');
    if is_none { Ok(0) } else { duration_ms(text) }
}

/// A time in UTC, to the second.
pub fn time_text(ms: u64) -> String {
    let time = i64::try_from(ms / 1000).ok();
    let time = time.and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.map_or_else(|| format!("{ms} ms"), |time| time.to_string())
}

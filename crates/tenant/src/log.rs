//! [`LogLine`]: the log of one answered request.
//!
//! It contains no key, nonce, digest or query: a path is truncated at 200 characters and loses each
//! segment that is as long as a key, and a method is one of HTTP's.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use axum::http::Method;
use cortexkey_core::auth::{KeyId, Verdict};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::background::Queue;
use crate::notices::Notification;

/// The largest number of lines that wait to be written.
const WAITING_MAX: usize = 4_096;
const PATH_CHARS_MAX: usize = 200;
/// Digests have 64 characters and keys usually 128; no call's name is close to that.
const PART_CHARS_MAX: usize = 40;

/// Receives each request with its response.
pub type Log = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Receives how many lines were dropped because they were not written in time.
pub type DroppedLog = Arc<dyn Fn(u64) + Send + Sync>;

/// Receives a notice that the webhook did not accept, and the reason.
pub type WebhookLog = Arc<dyn Fn(&Notification, &str) + Send + Sync>;

/// Writes the log on its own thread, which may block.
pub(crate) type Logger = Queue<Logged>;

/// An entry of the log.
pub(crate) enum Logged {
    Request(Arc<LogLine>),
    /// A notice that the webhook did not accept, and why.
    Webhook(Notification, String),
}

/// Starts the log's thread; `None` without listeners.
pub(crate) fn logger(
    log: Option<Log>,
    webhook_log: Option<WebhookLog>,
    dropped_log: Option<DroppedLog>,
) -> io::Result<Option<Logger>> {
    if log.is_none() && webhook_log.is_none() {
        return Ok(None);
    }
    let tell = move |piece: Logged, dropped: u64| {
        if let Some(dropped_log) = dropped_log.as_ref().filter(|_| dropped > 0) {
            dropped_log(dropped);
        }
        match (&piece, &log, &webhook_log) {
            (Logged::Request(line), Some(log), _) => log(line),
            (Logged::Webhook(notification, why), _, Some(log)) => log(notification, why),
            _ => {}
        }
    };
    Queue::new("cortexkey-log", WAITING_MAX, tell).map(Some)
}

/// A request with its response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogLine {
    /// The number of the request in this tenant, from 1 on.
    pub id: u64,
    /// When it arrived, in milliseconds since 1970.
    pub time_ms: u64,
    /// Its method, or `OTHER` if it is not one of HTTP's.
    pub method: String,
    /// Its path, shortened.
    pub path: String,
    /// The key id, if the headers were well-formed.
    pub key_id: Option<KeyId>,
    /// How far its timestamp was from the tenant's clock, in milliseconds; `None` without one.
    pub skew_ms: Option<i64>,
    /// The verifier's verdict.
    pub verdict: Verdict,
    /// Why the replay guard would have refused it, if it only observes.
    pub observed: Option<Verdict>,
    /// The earlier request that it repeats, if that is still stored.
    pub repeats: Option<u64>,
    /// The status of the response.
    pub status: u16,
    /// Why an authentic request was refused, and what would have allowed it.
    pub reason: Option<String>,
    /// How many objects a scope removed from the response.
    pub hidden: usize,
    /// Why the first of them was removed.
    pub hidden_reasons: Vec<String>,
    /// The duration.
    pub took: Duration,
}

/// One line of text, without the time.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.id, self.method, self.path, self.status)?;
        match self.key_id {
            Some(id) => write!(f, " key {id}")?,
            None => f.write_str(" key unknown")?,
        }
        write!(f, " {}", self.verdict)?;
        if let Some(observed) = self.observed {
            write!(f, " (observed: {observed})")?;
        }
        if let Some(repeats) = self.repeats {
            write!(f, " (repeats {repeats})")?;
        }
        if self.hidden > 0 {
            write!(f, " ({} hidden)", self.hidden)?;
        }
        write!(f, " {} us", self.took.as_micros())?;
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

/// The form for `/_cortexkey/requests`, with an explanation of the verdict.
impl Serialize for LogLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("LogLine", 17)?;
        line.serialize_field("id", &self.id)?;
        line.serialize_field("timeMs", &self.time_ms)?;
        line.serialize_field("method", &self.method)?;
        line.serialize_field("path", &self.path)?;
        line.serialize_field("keyId", &self.key_id.map(KeyId::get))?;
        line.serialize_field("skewMs", &self.skew_ms)?;
        line.serialize_field("status", &self.status)?;
        line.serialize_field("verdict", self.verdict.code())?;
        line.serialize_field("message", self.verdict.message())?;
        line.serialize_field("cause", self.verdict.cause())?;
        line.serialize_field("remedy", self.verdict.remedy())?;
        line.serialize_field("observed", &self.observed.map(Verdict::code))?;
        line.serialize_field("repeats", &self.repeats)?;
        line.serialize_field("reason", &self.reason)?;
        line.serialize_field("hidden", &self.hidden)?;
        line.serialize_field("hiddenReasons", &self.hidden_reasons)?;
        line.serialize_field("tookUs", &u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX))?;
        line.end()
    }
}

/// A method that is safe to log: one of HTTP's own. Any other text, even a key, may be sent in its
/// place.
pub(crate) fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// A path that is safe to log.
pub(crate) fn loggable(path: &str) -> String {
    let mut fit = String::new();
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            fit.push('/');
        }
        if part.len() > PART_CHARS_MAX {
            fit.push_str("...");
        } else {
            fit.extend(part.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }));
        }
        if fit.len() > PATH_CHARS_MAX {
            fit.truncate(PATH_CHARS_MAX);
            fit.push_str("...");
            break;
        }
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_fit() {
        assert_eq!(loggable("/public_api/v1/x/"), "/public_api/v1/x/");
        assert_eq!(loggable(&format!("/keys/{}/x", "k".repeat(128))), "/keys/.../x");
        assert_eq!(loggable("/é\u{1b}"), "/??");
        assert!(loggable(&"/abc".repeat(500)).len() < 250);
    }
}

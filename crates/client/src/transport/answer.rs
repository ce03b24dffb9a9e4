//! [`Response`]: a tenant's response to a call. Its body may contain a key, and is not shown.

use core::fmt;
use core::time::Duration;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::error::CallError;
use super::redacted::ResponseHeaders;

/// A response with a status from 200 to 299.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The relevant headers.
    pub headers: ResponseHeaders,
    /// The body, wiped on drop: it may contain a key.
    pub body: Zeroizing<Vec<u8>>,
    /// The round-trip time.
    pub round_trip: Duration,
    /// The tenant's clock minus ours, in milliseconds, accurate to about a second.
    pub clock_offset_ms: Option<i64>,
}

impl Response {
    /// Parses the body. An error contains a position, but never its text, which may be a key.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            if error.is_data() {
                let line = error.line();
                let column = error.column();
                CallError::UnexpectedShape { line, column }
            } else {
                let content_type = self.headers.content_type.clone();
                CallError::NotJson { status: self.status, content_type, bytes: self.body.len() }
            }
        })
    }
}

/// Does not show the body, which may contain a key.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

//! [`Response`]: a tenant's answer to a call. Its body may hold a key, and is not shown.

use core::fmt;
use core::time::Duration;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::error::CallError;
use super::redacted::AnswerHeaders;

/// An answer with a status from 200 to 299.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers that matter.
    pub headers: AnswerHeaders,
    /// The body, wiped on drop: it may hold a key.
    pub body: Zeroizing<Vec<u8>>,
    /// How long request and answer took.
    pub round_trip: Duration,
    /// The tenant's clock minus ours, in milliseconds, to a second or so.
    pub clock_offset_ms: Option<i64>,
}

impl Response {
    /// Reads the body. An error tells a place, never what is there: it may be a key.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            if error.is_data() {
                let (line, column) = (error.line(), error.column());
                CallError::UnexpectedShape { line, column }
            } else {
                let content_type = self.headers.content_type.clone();
                CallError::NotJson { status: self.status, content_type, bytes: self.body.len() }
            }
        })
    }
}

/// Does not show the body: it may hold a key.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

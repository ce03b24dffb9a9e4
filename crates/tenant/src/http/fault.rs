//! Applies an injected fault to a response.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::faults::FaultKind;
use crate::refusal::Refusal;

/// The time limit for sending the first half of a response.
const BREAK_TIME: Duration = Duration::from_millis(20);

/// A connection that is to be reset: later writes are discarded.
#[derive(Clone, Default)]
pub(crate) struct ToReset(pub(crate) Arc<AtomicBool>);

/// The response that replaces the right one, if the fault has one.
pub(super) async fn instead(kind: &FaultKind, connection: Option<&ToReset>) -> Option<Response> {
    match kind {
        FaultKind::Status { status, retry_after_s, envelope } => {
            // The status was validated when the fault was set.
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let message = match status {
                StatusCode::UNAUTHORIZED => "Public API request unauthorized",
                other => other.canonical_reason().unwrap_or("Error"),
            };
            let refusal = Refusal::new(status, message).in_envelope(*envelope);
            let mut response = refusal.into_response();
            if let Some(seconds) = retry_after_s {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(response)
        }
        FaultKind::Redirect { location } => {
            let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
            if let Ok(location) = HeaderValue::from_str(location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Some(response)
        }
        FaultKind::Reset => {
            if let Some(ToReset(reset)) = connection {
                reset.store(true, Ordering::Relaxed);
            }
            Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        FaultKind::Slow { delay_ms } => {
            tokio::time::sleep(Duration::from_millis(*delay_ms)).await;
            None
        }
        FaultKind::Truncated | FaultKind::SkewedDate { .. } => None,
    }
}

/// A response that breaks off in the middle of its body; the headers announce the full length.
pub(super) async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // The emulator's responses are already in memory.
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let half: Bytes = whole.slice(..whole.len() / 2);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let halves = stream::unfold(Some(half), async |half| {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // Waits until what was written is sent; the error then ends the connection.
        tokio::time::sleep(BREAK_TIME).await;
        Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
    });
    Response::from_parts(parts, Body::from_stream(halves))
}

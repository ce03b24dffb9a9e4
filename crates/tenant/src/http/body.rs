//! Bodies: read within limits, and taken as JSON.
//!
//! It refuses more than 1 MiB, senders that take longer than ten seconds, other types than
//! `application/json`, and what is no JSON.

use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use cortexkey_api::RequestData;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::refusal::Refusal;

const BODY_BYTES_MAX: usize = 1024 * 1024;
const BODY_TIME: Duration = Duration::from_secs(10);
/// How much of a refused body is read and thrown away, so that a client that sends before it
/// reads gets to read the refusal.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads a whole body.
pub(super) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Refusal> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut whole = Vec::new();
    let reading = async {
        while let Some(chunk) = next_chunk(&mut body).await? {
            if whole.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let result = match timeout(BODY_TIME, reading).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The body took too long")),
    };
    match result {
        Ok(()) => Ok(whole.into()),
        Err(refusal) => {
            drain(headers, body).await;
            Err(refusal)
        }
    }
}

/// Reads and throws away a body that nobody wants, within limits. A client that asked first is
/// answered at once.
pub(super) async fn drain(headers: &HeaderMap, mut body: Body) {
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    let draining = async {
        let mut left = DRAIN_BYTES_MAX;
        while let Ok(Some(chunk)) = next_chunk(&mut body).await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // What is still unread is the end of the connection, and the client's own doing.
    let _ = timeout(DRAIN_TIME, draining).await;
}

/// The body of a call, `{"request_data": …}`.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        check_type(&parts.headers)?;
        let body = read(&parts.headers, body).await?;
        let data: RequestData<T> = serde_json::from_slice(&body).map_err(|error| {
            if error.is_data() {
                Refusal::invalid("Invalid input").with_extra(error.to_string())
            } else {
                invalid_json()
            }
        })?;
        Ok(Self(data.request_data))
    }
}

/// As [`Asked`], with the errors of the platform's own calls.
pub(super) struct AskedPlatform<T>(pub(super) T);

impl<T, S: Send + Sync> FromRequest<S> for AskedPlatform<T>
where
    Asked<T>: FromRequest<S, Rejection = Refusal>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Asked::from_request(request, state).await {
            Ok(Asked(asked)) => Ok(Self(asked)),
            Err(refusal) => Err(refusal.of_platform()),
        }
    }
}

/// Refuses a body that does not say that it is JSON.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            .with_extra("send the header Content-Type: application/json")
            .with_remedy("send the header Content-Type: application/json"))
    }
}

/// The body is no JSON.
pub(super) fn invalid_json() -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "Bad Request. Got an invalid JSON.")
        .with_remedy("the body is a JSON object with the member request_data")
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Request too large")
        .with_extra("a body has at most 1 MiB")
        .with_remedy("a body has at most 1 MiB")
}

/// The next piece of a body; `None` at its end.
async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Trailers are passed over.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(Refusal::new(StatusCode::BAD_REQUEST, "The body is broken off"));
            }
        }
    }
}

//! Reads request bodies within limits, and parses them as JSON.
//!
//! A body has at most 1 MiB, arrives within ten seconds, and is JSON by its type and contents.

use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use cortexkey_api::RequestData;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::objects::Objects;
use crate::refusal::Refusal;

const BODY_BYTES_MAX: usize = 1024 * 1024;
const BODY_TIME: Duration = Duration::from_secs(10);
/// How much of a refused body is read and discarded, so that a client that sends before it reads
/// gets to read the refusal.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads a complete body.
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

/// Reads and discards an unwanted body, within limits. A client that sent `Expect` gets its
/// response at once.
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
    // An unread rest ends the connection, which is the client's fault.
    let _ = timeout(DRAIN_TIME, draining).await;
}

/// The body of a call, `{"request_data": …}`.
pub(super) struct RequestBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for RequestBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await?.unwrap_or_default();
        let body: RequestData<T> = parse(&bytes)?;
        Ok(Self(body.request_data))
    }
}

/// Like [`RequestBody`], but the whole body may be missing.
pub(super) struct OptionalBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        let body: RequestData<T> = parse(&bytes)?;
        Ok(Self(body.request_data))
    }
}

/// Like [`OptionalBody`], but the body's only member may be missing.
pub(super) struct OptionalMemberBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalMemberBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        let body: Optional<T> = parse(&bytes)?;
        Ok(Self(body.request_data.unwrap_or_default()))
    }
}

/// Like [`OptionalMemberBody`], but the members may also be at the top level, as in the product's
/// description of asset groups.
pub(super) struct BareBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for BareBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        // The description has no 400 for these calls.
        let mut body: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|error| unfit(&error))?;
        let inner = body.remove("request_data").unwrap_or(Value::Object(body));
        T::deserialize(Objects(inner)).map(Self).map_err(|error| unfit(&error))
    }
}

/// Like [`RequestBody`], with the errors of the platform's own calls, and no members besides
/// `request_data`.
pub(super) struct PlatformBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for PlatformBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await.map_err(Refusal::of_platform)?.unwrap_or_default();
        let body: Strict<T> = parse(&bytes).map_err(Refusal::of_platform)?;
        Ok(Self(body.request_data))
    }
}

/// A member that a request may omit or set to `null`. Its field has `#[serde(default)]`.
#[derive(Default)]
pub(super) enum Member<T> {
    /// It is missing.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It is present.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(json)?.map_or(Self::Null, Self::Value))
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Optional<T> {
    #[serde(default = "none", deserialize_with = "some")]
    request_data: Option<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict<T> {
    request_data: T,
}

fn none<T>() -> Option<T> {
    None
}

/// A member that must not be `null` if it is present.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(json: D) -> Result<Option<T>, D::Error> {
    T::deserialize(json).map(Some)
}

/// The bytes of a body that is declared as JSON; `None` if there is no body.
async fn json_bytes(request: Request) -> Result<Option<Bytes>, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body).await?;
    if bytes.is_empty() && !parts.headers.contains_key(header::CONTENT_TYPE) {
        return Ok(None);
    }
    check_type(&parts.headers)?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// Parses a body. JSON that is not valid for the call is distinguished from what is not JSON.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    from_json(bytes).map_err(|error| {
        // Reading stops at the first value that is not valid for the call, and the parser calls some
        // of these a syntax error. What is nested too deeply for any parser counts as no JSON.
        let is_json = serde_json::from_slice::<Value>(bytes).is_ok();
        if is_json { unfit(&error) } else { invalid_json() }
    })
}

/// Deserializes JSON in which no list stands for an object.
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(Objects(&mut json))?;
    json.end()?;
    Ok(value)
}

/// The body is JSON, but not valid for the call.
fn unfit(error: &serde_json::Error) -> Refusal {
    Refusal::invalid("Invalid input").with_extra(error.to_string())
}

/// Refuses a body that is not declared as JSON.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(identity) {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            .with_extra("send the body without Content-Encoding")
            .with_remedy("send the body without Content-Encoding"));
    }
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            .with_extra("send the header Content-Type: application/json")
            .with_remedy("send the header Content-Type: application/json"))
    }
}

/// The body is not JSON.
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
                // Trailers are skipped.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(Refusal::new(StatusCode::BAD_REQUEST, "The body is incomplete"));
            }
        }
    }
}

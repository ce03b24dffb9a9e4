//! Bodies: read within limits, and taken as JSON.
//!
//! A body has at most 1 MiB, arrives within ten seconds, and is JSON by its type and by its text.

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

use crate::refusal::Refusal;

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
        let bytes = json_bytes(request).await?.unwrap_or_default();
        let body: RequestData<T> = parse(&bytes)?;
        Ok(Self(body.request_data))
    }
}

/// As [`Asked`], where the whole body may be missing.
pub(super) struct AskedOrNothing<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for AskedOrNothing<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        let body: RequestData<T> = parse(&bytes)?;
        Ok(Self(body.request_data))
    }
}

/// As [`AskedOrNothing`], where a body need not have its one member.
pub(super) struct AskedOrAll<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for AskedOrAll<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        let body: Optional<T> = parse(&bytes)?;
        Ok(Self(body.request_data.unwrap_or_default()))
    }
}

/// As [`AskedOrAll`], where the members may stand in the body itself, as the product's description
/// has it for asset groups.
pub(super) struct AskedBare<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for AskedBare<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(bytes) = json_bytes(request).await? else { return Ok(Self(T::default())) };
        // These calls have no 400 in the description.
        let mut body: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|error| unfit(&error))?;
        let inner = body.remove("request_data").unwrap_or(Value::Object(body));
        serde_json::from_value(inner).map(Self).map_err(|error| unfit(&error))
    }
}

/// As [`Asked`], with the errors of the platform's own calls, and nothing beside `request_data`.
pub(super) struct AskedPlatform<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for AskedPlatform<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await.map_err(Refusal::of_platform)?.unwrap_or_default();
        let body: Strict<T> = parse(&bytes).map_err(Refusal::of_platform)?;
        Ok(Self(body.request_data))
    }
}

/// A member that a request may leave out, or set to `null`. Its field has `#[serde(default)]`.
#[derive(Default)]
pub(super) enum Member<T> {
    /// The request does not have it.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It is there.
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

/// A member that is there is not `null`.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(json: D) -> Result<Option<T>, D::Error> {
    T::deserialize(json).map(Some)
}

/// The bytes of a body that says that it is JSON; none where there is no body.
async fn json_bytes(request: Request) -> Result<Option<Bytes>, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body).await?;
    if bytes.is_empty() && !parts.headers.contains_key(header::CONTENT_TYPE) {
        return Ok(None);
    }
    check_type(&parts.headers)?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| if error.is_data() { unfit(&error) } else { invalid_json() })
}

/// The body is JSON, and not what the call takes.
fn unfit(error: &serde_json::Error) -> Refusal {
    Refusal::invalid("Invalid input").with_extra(error.to_string())
}

/// Refuses a body that does not say that it is JSON.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(identity) {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            .with_extra("send the body as it is, without Content-Encoding")
            .with_remedy("send the body as it is, without Content-Encoding"));
    }
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
                // Trailers are skipped.
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

//! `/_cortexkey/`: calls that the product does not have, for the last requests, the notices, the
//! clock, fault injection and the settings.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cortexkey_core::access::TagMode;
use futures_util::stream::{self, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{App, api_keys, body};
use crate::faults::Fault;
use crate::inspect::FollowEvent;
use crate::options::{ConsoleKeys, Control};
use crate::refusal::Refusal;
use crate::settings::{ClockChange, ConsoleKey, ControlError, ServerSettings};

/// The origin of a browser's request; `none` if the user typed the address.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// As many faults as allowed, each with the longest address.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// The interval of keep-alive events in a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The largest number of open streams. Each keeps its connection busy, so the remaining connections
/// are available for requests.
const STREAMS_MAX: usize = 500;

/// The calls that the tenant's options enable.
pub(super) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    if app.control != Control::Off {
        router = router
            .route("/_cortexkey/requests", get(requests))
            .route("/_cortexkey/requests/stream", get(stream))
            .route("/_cortexkey/notifications", get(notifications));
    }
    if app.control == Control::Change {
        router = router
            .route("/_cortexkey/clock", get(clock).put(set_clock))
            .route("/_cortexkey/faults", get(faults).put(set_faults))
            .route("/_cortexkey/settings", get(settings).put(set_settings));
    }
    if app.console_keys == ConsoleKeys::On {
        router = router.route("/_cortexkey/keys", post(console_key));
    }
    let limit = DefaultBodyLimit::max(BODY_BYTES_MAX);
    router.layer(limit).layer(from_fn(local_only)).with_state(Arc::clone(app))
}

/// Refuses a request for a host other than this machine, and requests from a page of another site.
async fn local_only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let one_host = hosts.next().is_none();
    // A page's requests for pictures and scripts have no Origin. Programs send neither header.
    let from_a_page = headers.contains_key(header::ORIGIN)
        || (headers.contains_key(FETCH_SITE) && text(FETCH_SITE) != Some("none"));
    if one_host && is_local(host) && !from_a_page {
        return next.run(request).await;
    }
    Refusal::new(StatusCode::FORBIDDEN, "this is for programs on this machine")
        .with_extra("use 127.0.0.1 or localhost, and not a page in a browser")
        .into_response()
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let by_address = name.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    by_address || name == "localhost" || name.ends_with(".localhost")
}

#[derive(Deserialize)]
struct Last {
    #[serde(default = "all")]
    last: usize,
}

fn all() -> usize {
    usize::MAX
}

async fn requests(State(app): State<Arc<App>>, Query(Last { last }): Query<Last>) -> Json<Value> {
    let lines: Vec<_> = app.inspector.last(last);
    let lines: Vec<&crate::LogLine> = lines.iter().map(AsRef::as_ref).collect();
    Json(json!({ "requests": lines }))
}

/// One event per request, from now on, until the reader or the tenant ends the stream.
async fn stream(
    State(app): State<Arc<App>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    if app.inspector.followers() >= STREAMS_MAX {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many readers")
            .with_extra(format!("at most {STREAMS_MAX} streams are open at a time")));
    }
    let events = stream::unfold(app.follow(), async |mut follower| {
        let event = match follower.next().await? {
            FollowEvent::Request(line) => {
                Event::default().event("request").json_data(&*line).ok()?
            }
            FollowEvent::Missed(count) => Event::default().event("missed").data(count.to_string()),
        };
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

async fn notifications(State(app): State<Arc<App>>) -> Json<Value> {
    let notices = app.notices();
    Json(json!({ "notifications": notices.last().collect::<Vec<_>>() }))
}

async fn clock(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "nowMs": app.clock.now_ms() }))
}

async fn set_clock(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sent: axum::body::Bytes,
) -> Result<Json<Value>, Refusal> {
    let change: ClockChange = parse(&headers, &sent)?;
    app.change_clock(change)?;
    Ok(Json(json!({ "nowMs": app.clock.now_ms() })))
}

async fn console_key(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sent: axum::body::Bytes,
) -> Result<Response, Refusal> {
    let key: ConsoleKey = parse(&headers, &sent)?;
    let now_ms = app.clock.now_ms();
    let made = app.change(|store| api_keys::make_in_console(store, key, now_ms))?;
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultList {
    faults: Vec<Fault>,
}

async fn faults(State(app): State<Arc<App>>) -> Json<FaultList> {
    Json(FaultList { faults: app.faults.waiting() })
}

async fn set_faults(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sent: axum::body::Bytes,
) -> Result<Json<FaultList>, Refusal> {
    let FaultList { faults } = parse(&headers, &sent)?;
    app.faults.set(faults).map_err(|error| invalid(error.to_string()))?;
    Ok(Json(FaultList { faults: app.faults.waiting() }))
}

/// The tenant's settings; omitted ones stay unchanged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    enforce_scopes: Option<bool>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tags {
    Permissive,
    Restrictive,
}

/// The settings, and what to check before scopes are enforced: a key without a scope then sees
/// nothing.
async fn settings(State(app): State<Arc<App>>) -> Json<ServerSettings> {
    Json(app.settings())
}

async fn set_settings(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sent: axum::body::Bytes,
) -> Result<Json<ServerSettings>, Refusal> {
    let change: Settings = parse(&headers, &sent)?;
    let tags = change.tags.map(|tags| match tags {
        Tags::Permissive => TagMode::Permissive,
        Tags::Restrictive => TagMode::Restrictive,
    });
    app.change_settings(change.enforce_scopes, tags)?;
    Ok(settings(State(app)).await)
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Disk(why) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
                    .with_extra(why)
            }
            other => invalid(other.to_string()),
        }
    }
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, sent: &[u8]) -> Result<T, Refusal> {
    body::check_type(headers)?;
    body::from_json(sent).map_err(|error| invalid(error.to_string()))
}

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "Invalid input").with_extra(why)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn this_machine_has_these_names() {
        for host in ["127.0.0.1:80", "127.0.0.1", "[::1]:80", "localhost:1", "api-a.localhost"] {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.1", "[::2]", "xlocalhost"]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}

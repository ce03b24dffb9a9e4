//! The gate: authenticates every request, then lets it through; explains and logs.
//!
//! It refuses to answer one refusal otherwise than another, but for the explaining headers where
//! they are on.

use core::cell::Cell;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cortexkey_core::auth::{self, KeyId, Principal, Verdict};
use cortexkey_core::replay::{GuardRefusal, MemoryGuard, ReplayGuard, VerifiedUse};

use super::refusal::{Refusal, Remedy};
use super::{App, Hidden, body};
use crate::log::{LogLine, known_method, loggable};

const VERDICT: HeaderName = HeaderName::from_static("x-cortexkey-verdict");
const OBSERVED: HeaderName = HeaderName::from_static("x-cortexkey-observed");
const HIDDEN: HeaderName = HeaderName::from_static("x-cortexkey-hidden");
const REMEDY: HeaderName = HeaderName::from_static("x-cortexkey-remedy");

/// Who sent the request that a call answers.
#[derive(Clone, Copy)]
pub(super) struct Caller(pub(super) Principal);

/// What is done about requests that come twice, and with what.
pub(crate) enum Replay {
    /// They are refused.
    Enforce(MemoryGuard),
    /// They are accepted and told of.
    Observe(MemoryGuard),
    /// Nobody looks.
    Off,
}

/// What the gate found.
struct Checked {
    key_id: Option<KeyId>,
    result: Result<Principal, Verdict>,
    observed: Option<Verdict>,
}

/// Authenticates a request, reads its body and lets it through.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let time_ms = app.clock.now_ms();
    let method = known_method(request.method()).to_owned();
    let path = loggable(request.uri().path());
    let checked = app.check(request.headers(), time_ms);
    let (mut parts, body) = request.into_parts();
    let mut response = match checked.result {
        Err(_) => {
            body::drain(&parts.headers, body).await;
            Refusal::unauthorized().into_response()
        }
        Ok(principal) => match body::read(&parts.headers, body).await {
            Err(refusal) => refusal.into_response(),
            Ok(bytes) => {
                parts.extensions.insert(Caller(principal));
                next.run(Request::from_parts(parts, Body::from(bytes))).await
            }
        },
    };
    // Some answers hold a key.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // By the tenant's clock, not by the machine's: clients set theirs by it.
    if let Some(date) = date(time_ms) {
        response.headers_mut().insert(header::DATE, date);
    }
    let verdict = checked.result.err().unwrap_or(Verdict::Accept);
    if app.explain {
        explain(&mut response, verdict, checked.observed);
    }
    if let Some(log) = &app.log {
        log(&LogLine {
            time_ms,
            method,
            path,
            key_id: checked.key_id,
            verdict,
            observed: checked.observed,
            status: response.status().as_u16(),
            took: started.elapsed(),
        });
    }
    response
}

impl App {
    fn check(&self, headers: &HeaderMap, now_ms: u64) -> Checked {
        let lengths = self.verifier.nonce_lengths();
        let request = match auth::Request::parse(headers.iter(), lengths) {
            Ok(request) => request,
            Err(verdict) => return Checked { key_id: None, result: Err(verdict), observed: None },
        };
        let guard = Watched { replay: &self.replay, observed: Cell::new(None) };
        let store = self.store();
        let stored = store.get(request.key_id()).map(|entry| &entry.stored);
        let result = self.verifier.verify(&request, stored, now_ms, &guard);
        Checked {
            key_id: Some(request.key_id()),
            result,
            observed: guard.observed.get().map(GuardRefusal::verdict),
        }
    }
}

/// The guard of one request; it keeps what was only observed.
struct Watched<'a> {
    replay: &'a Replay,
    observed: Cell<Option<GuardRefusal>>,
}

impl ReplayGuard for Watched<'_> {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        match self.replay {
            Replay::Enforce(guard) => guard.check_and_insert(verified),
            Replay::Observe(guard) => {
                self.observed.set(guard.check_and_insert(verified).err());
                Ok(())
            }
            Replay::Off => Ok(()),
        }
    }
}

/// A time as HTTP writes it; none beyond the year 9999.
fn date(time_ms: u64) -> Option<HeaderValue> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(time_ms).ok()?).ok()?;
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    HeaderValue::from_str(&printer.timestamp_to_rfc9110_string(&time).ok()?).ok()
}

fn explain(response: &mut Response, verdict: Verdict, observed: Option<Verdict>) {
    let remedy = if verdict.is_accept() {
        response.extensions_mut().remove::<Remedy>().map(|remedy| remedy.0)
    } else {
        Some(Cow::Borrowed(verdict.remedy()))
    };
    let hidden = response.extensions().get::<Hidden>().map(|hidden| hidden.count);
    let headers = response.headers_mut();
    if let Some(hidden) = hidden {
        headers.insert(HIDDEN, HeaderValue::from(hidden));
    }
    headers.insert(VERDICT, HeaderValue::from_static(verdict.code()));
    if let Some(observed) = observed {
        headers.insert(OBSERVED, HeaderValue::from_static(observed.code()));
    }
    if let Some(remedy) = remedy.and_then(|remedy| HeaderValue::from_str(&remedy).ok()) {
        headers.insert(REMEDY, remedy);
    }
}

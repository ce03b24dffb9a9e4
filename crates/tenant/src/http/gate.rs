//! Authenticates every request before its call runs; also explains and logs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cortexkey_core::auth::{self, KeyId, Principal, Timestamp, Verdict};
use cortexkey_core::replay::{GuardRefusal, VerifiedUse};

use super::child::Target;
use super::fault::{ToReset, instead, truncated};
use super::{App, body};
use crate::faults::{Fault, FaultKind};
use crate::hidden::Hidden;
use crate::log::{LogLine, Logged, known_method, loggable};
use crate::refusal::{Refusal, Remedy};
use crate::replay::DeferredGuard;

const REQUEST: HeaderName = HeaderName::from_static("x-cortexkey-request");
const VERDICT: HeaderName = HeaderName::from_static("x-cortexkey-verdict");
const OBSERVED: HeaderName = HeaderName::from_static("x-cortexkey-observed");
const REPEATS: HeaderName = HeaderName::from_static("x-cortexkey-repeats");
const HIDDEN: HeaderName = HeaderName::from_static("x-cortexkey-hidden");
const REMEDY: HeaderName = HeaderName::from_static("x-cortexkey-remedy");

/// The sender of a request.
#[derive(Clone, Copy)]
pub(super) struct Caller(pub(super) Principal);

/// The gate's result.
struct Checked {
    key_id: Option<KeyId>,
    timestamp: Option<Timestamp>,
    result: Result<Principal, Verdict>,
    observed: Option<Verdict>,
    /// Identifies an Advanced request that is otherwise valid.
    tag: Option<[u8; 16]>,
}

impl Checked {
    fn verdict(&self) -> Verdict {
        self.result.err().unwrap_or(Verdict::Accept)
    }

    fn is_replay(&self) -> bool {
        self.verdict() == Verdict::Replayed || self.observed == Some(Verdict::Replayed)
    }
}

/// Authenticates a request, reads its body and runs the call.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let time_ms = app.clock.now_ms();
    let id = app.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let method = known_method(request.method()).to_owned();
    let path = loggable(request.uri().path());
    let checked = app.check(request.headers(), time_ms).await;
    let mut date_ms = time_ms;
    let mut response = match checked.result {
        Err(_) => {
            let (parts, body) = request.into_parts();
            body::drain(&parts.headers, body).await;
            Refusal::unauthorized().into_response()
        }
        Ok(principal) => match app.faults.next(request.uri().path()) {
            None => carry_out(&app, request, principal, next).await,
            Some(fault) => {
                if let FaultKind::SkewedDate { by_ms } = fault.kind {
                    date_ms = time_ms.saturating_add_signed(by_ms);
                }
                with_fault(&app, &fault, request, principal, next).await
            }
        },
    };
    // Some responses contain a key.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // By the tenant's clock, not the machine's: clients set theirs by it.
    if let Some(date) = date(date_ms) {
        response.headers_mut().insert(header::DATE, date);
    }
    let hidden = response.extensions_mut().remove::<Hidden>().unwrap_or_default();
    let line = LogLine {
        id,
        time_ms,
        method,
        path,
        key_id: checked.key_id,
        skew_ms: checked.timestamp.map(|stamp| skew_ms(stamp, time_ms)),
        verdict: checked.verdict(),
        observed: checked.observed,
        repeats: checked
            .tag
            .filter(|_| checked.is_replay())
            .and_then(|tag| app.inspector.earlier(tag)),
        status: response.status().as_u16(),
        reason: response.extensions_mut().remove().map(|Remedy(reason)| reason.into_owned()),
        hidden: hidden.count,
        hidden_reasons: hidden.reasons,
        took: started.elapsed(),
    };
    if app.explain {
        explain(&mut response, &line);
    }
    let tag = checked.tag.filter(|_| checked.result.is_ok() && !checked.is_replay());
    let line = Arc::new(line);
    if let Some(log) = &app.log {
        log.add(Logged::Request(Arc::clone(&line)));
    }
    app.inspector.add(line, tag);
    response
}

/// Reads the body and runs the call.
async fn carry_out(app: &Arc<App>, request: Request, principal: Principal, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let read = body::read(&parts.headers, body).await;
    match Target::of(app, &parts).and_then(|target| Ok((target, read?))) {
        Err(refusal) => refusal.into_response(),
        Ok((target, bytes)) => {
            parts.extensions.insert(Caller(principal));
            parts.extensions.insert(target);
            next.run(Request::from_parts(parts, Body::from(bytes))).await
        }
    }
}

async fn with_fault(
    app: &Arc<App>,
    fault: &Fault,
    request: Request,
    principal: Principal,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<ToReset>().cloned();
    let wrong = async || instead(&fault.kind, connection.as_ref()).await;
    let before = if fault.after { None } else { wrong().await };
    let mut response = match before {
        Some(response) => {
            let (parts, body) = request.into_parts();
            body::drain(&parts.headers, body).await;
            response
        }
        None => carry_out(app, request, principal, next).await,
    };
    if fault.after
        && let Some(instead) = wrong().await
    {
        response = instead;
    }
    if fault.kind == FaultKind::Truncated {
        response = truncated(response).await;
    }
    response
        .extensions_mut()
        .insert(Remedy("the fault was injected: change faults with PUT /_cortexkey/faults".into()));
    response
}

impl App {
    async fn check(&self, headers: &HeaderMap, now_ms: u64) -> Checked {
        let Verified { key_id, timestamp, result, used: verified } = self.verify(headers, now_ms);
        let mut checked = Checked { key_id, timestamp, result, observed: None, tag: None };
        if let Some(verified) = verified {
            checked.tag = Some(verified.shared_tag());
            let (answer, observed) = self.replay.ask(&verified, now_ms).await;
            checked.observed = observed.map(GuardRefusal::verdict);
            if let Err(refusal) = answer {
                checked.result = Err(refusal.verdict());
            }
        }
        checked
    }

    /// All checks except the replay guard, and the question for the guard.
    fn verify(&self, headers: &HeaderMap, now_ms: u64) -> Verified {
        let lengths = self.verifier.nonce_lengths();
        let request = match auth::Request::parse(headers.iter(), lengths) {
            Ok(request) => request,
            Err(verdict) => {
                return Verified {
                    key_id: None,
                    timestamp: None,
                    result: Err(verdict),
                    used: None,
                };
            }
        };
        let asked = DeferredGuard::default();
        let store = self.store();
        let stored = store.get(request.key_id()).map(|entry| &entry.stored);
        let result = self.verifier.verify(&request, stored, now_ms, &asked);
        let key_id = Some(request.key_id());
        Verified { key_id, timestamp: request.timestamp(), result, used: asked.verified() }
    }
}

/// What the verifier says of a request, and what the replay guard is to be asked.
struct Verified {
    key_id: Option<KeyId>,
    timestamp: Option<Timestamp>,
    result: Result<Principal, Verdict>,
    used: Option<VerifiedUse>,
}

/// How far a timestamp is from the tenant's clock; positive where it is ahead.
fn skew_ms(timestamp: Timestamp, now_ms: u64) -> i64 {
    let [stamp, now] = [timestamp.as_ms(), now_ms].map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    stamp.saturating_sub(now)
}

/// A time in HTTP's format; none beyond the year 9999.
fn date(time_ms: u64) -> Option<HeaderValue> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(time_ms).ok()?).ok()?;
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    HeaderValue::from_str(&printer.timestamp_to_rfc9110_string(&time).ok()?).ok()
}

fn explain(response: &mut Response, line: &LogLine) {
    let remedy = match &line.reason {
        _ if !line.verdict.is_accept() => Some(line.verdict.remedy()),
        reason => reason.as_deref(),
    };
    let headers = response.headers_mut();
    headers.insert(REQUEST, HeaderValue::from(line.id));
    headers.insert(VERDICT, HeaderValue::from_static(line.verdict.code()));
    if let Some(observed) = line.observed {
        headers.insert(OBSERVED, HeaderValue::from_static(observed.code()));
    }
    if let Some(repeats) = line.repeats {
        headers.insert(REPEATS, HeaderValue::from(repeats));
    }
    if line.hidden > 0 {
        headers.insert(HIDDEN, HeaderValue::from(line.hidden));
    }
    if let Some(remedy) = remedy.and_then(|remedy| HeaderValue::from_str(remedy).ok()) {
        headers.insert(REMEDY, remedy);
    }
}

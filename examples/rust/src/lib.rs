//! [`VerifyLayer`]: passes a request to an axum router, or any other tower service, only if it is
//! signed with a known key.
//!
//! The layer checks headers only: the product's scheme signs neither method nor path nor body. It
//! waits for nothing, so it needs no future of its own.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use cortexkey_core::auth::{
    KeyId, NonceLengths, Principal, Request as Signed, Skew, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Start};
use tower::{Layer, Service};

/// The body of every refusal, whatever the reason: a client learns nothing about existing keys.
const REFUSAL: &str =
    r#"{"reply":{"err_code":401,"err_msg":"Public API request unauthorized","err_extra":null}}"#;

/// The sender of a request, for handlers: `Extension<Caller>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The id of the key that signed.
    pub key_id: KeyId,
}

/// Verifies requests with its keys. All clones share one replay guard.
#[derive(Clone)]
pub struct VerifyLayer {
    shared: Arc<Shared>,
}

struct Shared {
    verifier: Verifier,
    keys: Vec<StoredKey>,
    guard: MemoryGuard,
}

impl VerifyLayer {
    /// Creates a layer that accepts requests signed with one of these keys.
    ///
    /// `start` tells the replay guard what may have been accepted before: `Start::First` if nothing
    /// was, or `Start::Fresh` after a restart, which refuses for 60 seconds what the
    /// previous process may have accepted. A service that cannot wait uses a persistent store
    /// instead.
    pub fn new(keys: Vec<StoredKey>, start: Start) -> Result<Self, Box<dyn Error>> {
        let guard = MemoryGuard::new(MemoryGuardConfig {
            entries: 120_000, // 1,000 requests a second, for twice the skew
            skew: Skew::DEFAULT,
            start,
            secret: MemoryGuardConfig::secret_from_system()?,
        });
        let shared = Shared { verifier: Verifier::new(), keys, guard };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Shared {
    fn verify(&self, headers: &HeaderMap) -> Result<Principal, Verdict> {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let request = Signed::parse(headers, NonceLengths::EXACT)?;
        let stored = self.keys.iter().find(|key| key.key_id() == request.key_id());
        let now = Timestamp::from_system_time(SystemTime::now()).map_or(0, Timestamp::as_ms);
        self.verifier.verify(&request, stored, now, &self.guard)
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { inner, shared: Arc::clone(&self.shared) }
    }
}

/// The service that [`VerifyLayer`] wraps around another.
#[derive(Clone)]
pub struct Verify<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for Verify<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Unpin,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.shared.verify(request.headers()) {
            Ok(principal) => {
                request.extensions_mut().insert(Caller { key_id: principal.key_id() });
                Answer::Inner(self.inner.call(request))
            }
            // A service would log the verdict here. It is not for the client.
            Err(_) => Answer::Refused(ready(Ok(refused()))),
        }
    }
}

/// The service's future: an immediate refusal, or the inner service's response.
pub enum Answer<F> {
    /// The inner service handles the request.
    Inner(F),
    /// The request was refused.
    Refused(Ready<Result<Response<Body>, Infallible>>),
}

impl<F> Future for Answer<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>> + Unpin,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Inner(inner) => Pin::new(inner).poll(context),
            Self::Refused(refused) => Pin::new(refused).poll(context),
        }
    }
}

fn refused() -> Response<Body> {
    let mut response = Response::new(Body::from(REFUSAL));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let json = axum::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Extension, Router};
    use cortexkey_core::auth::{Key, Level, Signer};

    use super::*;

    const KEY: &[u8] = b"a-key-of-the-example";

    fn router() -> Router {
        let stored = StoredKey::new(id(7), Level::Advanced, Key::new(KEY).unwrap());
        let hello = |Extension(caller): Extension<Caller>| async move { caller.key_id.to_string() };
        Router::new()
            .route("/", get(hello))
            .layer(VerifyLayer::new(vec![stored], Start::First).unwrap())
    }

    fn id(id: u64) -> KeyId {
        KeyId::new(id).unwrap()
    }

    type Pairs = Vec<(&'static str, String)>;

    fn signed(id: KeyId, key: &[u8]) -> Pairs {
        let signer = Signer::new(id, Level::Advanced, Key::new(key).unwrap());
        let now = Timestamp::from_system_time(SystemTime::now()).unwrap();
        let headers = signer.sign_from_system(now).unwrap();
        headers.iter().map(|(name, value)| (name, value.to_owned())).collect()
    }

    async fn send(router: &mut Router, headers: &Pairs) -> (StatusCode, String) {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = router.call(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_signed_request_is_answered_once_and_every_other_is_refused_alike() {
        let mut router = router();
        let good = signed(id(7), KEY);
        assert_eq!(send(&mut router, &good).await, (StatusCode::OK, "7".to_owned()));
        let refusal = (StatusCode::UNAUTHORIZED, REFUSAL.to_owned());
        let other_key = signed(id(7), b"another-key");
        let other_id = signed(id(8), KEY);
        for headers in [good, other_key, other_id, Vec::new()] {
            assert_eq!(send(&mut router, &headers).await, refusal);
        }
    }
}

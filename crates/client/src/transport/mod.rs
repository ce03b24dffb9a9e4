//! [`Client`]: makes signed calls, one at a time.
//!
//! Redirects are not followed, no proxy is used for this machine, an unusable proxy is an error,
//! headers are never sent twice, and responses have a size limit. A call is retried if that is safe
//! ([`Retry`]). After a 401, it is repeated only once, and only if the response shows that the local
//! clock is wrong: the call is then signed with the tenant's time.

mod answer;
mod child;
mod error;
mod failure;
mod forward;
mod method;
mod proxy;
mod redacted;
mod retry;
mod roles_by;
mod roots;
mod web;

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cortexkey_api::api_keys::UnreadableRecord;
use cortexkey_api::role::RoleRecord;
use cortexkey_api::{ErrorBody, Reply, RequestData};
use cortexkey_core::address::Address;
use cortexkey_core::auth::{Headers, Level, Signer, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{self, HeaderMap, HeaderValue, header};
use ureq::tls::{RootCerts, TlsConfig};
use zeroize::Zeroizing;

pub use answer::Response;
pub use child::ChildTenant;
pub use error::{CallError, RefusedCall};
pub use forward::{Forward, Forwarded};
pub use method::{Method, MethodError};
pub(crate) use proxy::{in_force as proxy_variable, unusable_for as proxy_unusable_for};
pub use redacted::ResponseHeaders;
pub use retry::Retry;
pub use roles_by::RolesBy;
pub(crate) use roots::ROOTS_BYTES_MAX;
pub use roots::{Roots, RootsError};
pub(crate) use web::{Web, WebCall, WebResponse};

const EMPTY_BODY: &[u8] = b"{}";
/// A larger difference is not explained by a time zone or a dead battery, and may come from an
/// attacker who wants signatures for another day.
const CORRECTION_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// How far our clock may be ahead of the tenant's while it decides what has expired. It is shorter
/// than any grace period that could matter, and longer than what proxies and caches add.
const AHEAD_MS_MAX: u64 = 5 * 60 * 1000;

/// The options of calls.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The timeout of an attempt.
    pub timeout: Duration,
    /// The timeout of connecting.
    pub connect_timeout: Duration,
    /// The user agent in the tenant's log.
    pub user_agent: String,
    /// The largest response, in bytes.
    pub max_answer_bytes: u64,
    /// Which calls are retried.
    pub retry: Retry,
    /// Whether a call that was refused while our clock is wrong is signed again with the tenant's
    /// time.
    pub correct_clock: bool,
    /// The child tenant, if calls are for one.
    pub child_tenant: Option<ChildTenant>,
    /// How the edit of a key names roles.
    pub roles_by: RolesBy,
    /// Certificates to trust instead of the system's.
    pub roots: Option<Roots>,
    /// The clock whose time is signed, if it is not this machine's.
    pub clock: Option<SigningClock>,
    /// Receives notices about calls.
    pub observer: Option<Observer>,
}

/// A clock other than this machine's, such as an emulator's that a test moves.
#[derive(Clone)]
pub struct SigningClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl SigningClock {
    /// A clock that `now_ms` reads, in milliseconds since 1970.
    pub fn new(now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }
}

impl fmt::Debug for SigningClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningClock")
    }
}

/// Receives notices about calls.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&CallNotice<'_>) + Send + Sync>);

/// A notice about a call.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallNotice<'a> {
    /// The call failed and is retried.
    Again {
        /// The failure.
        error: &'a CallError,
        /// The wait before the retry.
        wait: Duration,
    },
    /// Our clock is wrong; from now on the tenant's time is signed.
    ClockCorrected {
        /// The tenant's clock minus ours, in milliseconds.
        offset_ms: i64,
    },
    /// A record in a list of keys cannot be read.
    UnreadableRecord(&'a UnreadableRecord),
    /// The tenant has more keys than it returns.
    ShortList {
        /// How many it returns.
        shown: usize,
        /// How many more it has at least.
        missing: u64,
    },
    /// The tenant does not accept role ids but names; from now on names are sent.
    RolesByName,
}

impl Observer {
    /// Sends notices to `tell`.
    pub fn new(tell: impl Fn(&CallNotice<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A call to make.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The path, starting with exactly one `/`.
    pub path: &'a str,
    /// The body; by default, methods with a body send `{}`.
    pub body: Option<&'a [u8]>,
    /// Whether repeating it is harmless, so that it may be retried when its outcome is unknown.
    pub repeatable: bool,
}

impl Default for ClientOptions {
    /// 60 s per attempt, 10 s to connect, two retries, responses of up to 64 MiB.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("cortexkey/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_answer_bytes: 64 * 1024 * 1024,
            retry: Retry::default(),
            correct_clock: true,
            child_tenant: None,
            roles_by: RolesBy::Auto,
            roots: None,
            clock: None,
            observer: None,
        }
    }
}

/// Calls one tenant with one key. It can be shared between threads.
pub struct Client {
    address: Address,
    signer: Arc<Signer>,
    agent: Agent,
    options: ClientOptions,
    /// The variable that sets the proxy.
    proxy: Option<&'static str>,
    /// The variable that sets an unusable proxy.
    unusable_proxy: Option<&'static str>,
    /// The correction of our clock, in milliseconds.
    offset_ms: AtomicI64,
    is_corrected: AtomicBool,
    /// By how much our clock was ahead of the tenant's at the last response, in milliseconds.
    ahead_ms: AtomicU64,
    /// The tenant's roles, once they were read.
    roles: OnceLock<Vec<RoleRecord>>,
    /// Whether the tenant turned out to accept role names.
    takes_role_names: AtomicBool,
}

/// What makes the calls to a server, and the variable that sets a proxy that cannot be used.
///
/// No redirect is followed: a request is for one host. Plain `http` is for this machine alone, where
/// no proxy is used.
fn agent(address: &Address, options: &ClientOptions) -> (Agent, Option<&'static str>) {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(options.timeout))
        .timeout_connect(Some(options.connect_timeout))
        .user_agent(options.user_agent.as_str());
    let mut unusable_proxy = None;
    if address.is_loopback() {
        config = config.proxy(None);
    } else {
        config = config.https_only(true);
        unusable_proxy = proxy::unusable(address, &|name| std::env::var_os(name));
    }
    let roots = options.roots.as_ref().map_or(RootCerts::PlatformVerifier, Roots::as_ureq);
    let tls = TlsConfig::builder().root_certs(roots).build();
    (config.tls_config(tls).build().into(), unusable_proxy)
}

impl Client {
    /// A client. It connects when it makes a call.
    pub fn new(address: Address, signer: Signer, options: ClientOptions) -> Self {
        let (agent, unusable_proxy) = agent(&address, &options);
        // Plain `http` is for this machine alone, and it needs no proxy.
        let proxy = if address.is_loopback() {
            None
        } else {
            proxy::in_force(&address, &|name| std::env::var_os(name))
        };
        Self {
            address,
            signer: Arc::new(signer),
            agent,
            options,
            proxy,
            unusable_proxy,
            offset_ms: AtomicI64::new(0),
            is_corrected: AtomicBool::new(false),
            ahead_ms: AtomicU64::new(0),
            roles: OnceLock::new(),
            takes_role_names: AtomicBool::new(false),
        }
    }

    /// A client that calls the same tenant, with the same key, for a child tenant.
    #[must_use]
    pub fn for_child(&self, child: ChildTenant) -> Self {
        let options = ClientOptions { child_tenant: Some(child), ..self.options.clone() };
        Self {
            address: self.address.clone(),
            signer: Arc::clone(&self.signer),
            agent: self.agent.clone(),
            options,
            proxy: self.proxy,
            unusable_proxy: self.unusable_proxy,
            offset_ms: AtomicI64::new(self.offset_ms.load(Ordering::Relaxed)),
            is_corrected: AtomicBool::new(self.is_corrected.load(Ordering::Relaxed)),
            ahead_ms: AtomicU64::new(0),
            roles: OnceLock::new(),
            takes_role_names: AtomicBool::new(false),
        }
    }

    /// The child tenant, if calls are for one.
    pub fn child(&self) -> Option<&ChildTenant> {
        self.options.child_tenant.as_ref()
    }

    /// The tenant's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The credentials that sign.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The id of the signing key in the tenant; `None` for a child tenant, which is called with the
    /// parent's key.
    pub fn own_key(&self) -> Option<u64> {
        let id = self.signer.key_id().get();
        if self.options.child_tenant.is_none() { Some(id) } else { None }
    }

    /// The options of calls.
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Makes one call. Methods with a body send `{}` by default.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, CallError> {
        let repeatable = matches!(method, Method::Get | Method::Put);
        self.send(&Call { method, path, body, repeatable })
    }

    /// Makes one call, and signs every attempt.
    pub fn send(&self, call: &Call<'_>) -> Result<Response, CallError> {
        let mut attempt = 0;
        loop {
            match self.send_once(call) {
                Ok(response) => return Ok(response),
                Err(error) if !self.waits(attempt, &error, call.repeatable) => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// Makes one call without retries, except to correct the clock: a call refused with 401 had no
    /// effect.
    fn send_once(&self, call: &Call<'_>) -> Result<Response, CallError> {
        match self.attempt(call) {
            Err(error) if self.corrects_clock(&error) => self.attempt(call),
            answer => answer,
        }
    }

    /// Waits before a retry; false if there is none.
    pub(crate) fn waits(&self, attempt: u32, error: &CallError, repeatable: bool) -> bool {
        let Some(wait) = self.options.retry.wait(attempt, error, repeatable) else { return false };
        self.notify(&CallNotice::Again { error, wait });
        std::thread::sleep(wait);
        true
    }

    /// Adopts the tenant's clock, once, if a wrong clock may be the cause of a refusal.
    fn corrects_clock(&self, error: &CallError) -> bool {
        let CallError::Refused(refused) = error else { return false };
        let Some(offset_ms) = refused.clock_offset_ms else { return false };
        let off = offset_ms.unsigned_abs();
        let may_be_why = self.options.correct_clock
            && refused.status == 401
            && refused.level == Level::Advanced
            && (error::CLOCK_OFFSET_MS..=CORRECTION_MS_MAX).contains(&off);
        if !may_be_why || self.is_corrected.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
        self.notify(&CallNotice::ClockCorrected { offset_ms });
        true
    }

    /// Checks that our clock is not far ahead of the tenant's, as its last response shows: by such a
    /// clock, keys have expired and grace periods are over before they are.
    pub(crate) fn check_clock(&self) -> Result<(), CallError> {
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        if ahead_ms > AHEAD_MS_MAX { Err(CallError::ClockAhead { ahead_ms }) } else { Ok(()) }
    }

    /// How the edit of a key names roles, as far as it is known.
    pub(crate) fn roles_by(&self) -> RolesBy {
        if self.takes_role_names.load(Ordering::Relaxed) {
            RolesBy::Name
        } else {
            self.options.roles_by
        }
    }

    pub(crate) fn remember_roles_by_name(&self) {
        self.takes_role_names.store(true, Ordering::Relaxed);
    }

    pub(crate) fn role_cache(&self) -> &OnceLock<Vec<RoleRecord>> {
        &self.roles
    }

    pub(crate) fn notify(&self, notice: &CallNotice<'_>) {
        if let Some(observer) = &self.options.observer {
            (observer.0)(notice);
        }
    }

    /// The time to sign.
    fn now(&self) -> Result<Timestamp, CallError> {
        let now = match &self.options.clock {
            Some(clock) => Timestamp::from_ms((clock.0)()),
            None => Timestamp::from_system_time(SystemTime::now()),
        };
        let now = now.map_err(|_| CallError::Clock)?;
        let ms = now.as_ms().saturating_add_signed(self.offset_ms.load(Ordering::Relaxed));
        Timestamp::from_ms(ms).map_err(|_| CallError::Clock)
    }

    fn attempt(&self, call: &Call<'_>) -> Result<Response, CallError> {
        let &Call { method, path, body, .. } = call;
        if body.is_some() && !method.has_body() {
            return Err(CallError::BodyNotAllowed { method });
        }
        let url = self.address.join(path).map_err(CallError::Path)?;
        if let Some(variable) = self.unusable_proxy {
            return Err(CallError::UnusableProxy { variable });
        }
        let signed = self.signer.sign_from_system(self.now()?).map_err(|_| CallError::NoRandom)?;
        let request = self.request(method, &url, &signed)?;

        let clock_ms = || match &self.options.clock {
            Some(clock) => i64::try_from((clock.0)()).unwrap_or(i64::MAX),
            None => now_ms(),
        };
        let started = (Instant::now(), clock_ms());
        let failed = |error| failure::classify(error, self.called(), &self.options);
        let mut response = if method.has_body() {
            self.agent.run(request.map(|()| body.unwrap_or(EMPTY_BODY)))
        } else {
            self.agent.run(request)
        }
        .map_err(failed)?;
        let clock_offset_ms = clock_offset(response.headers(), started.1, clock_ms());
        let ahead_ms = u64::try_from(clock_offset_ms.unwrap_or(0).saturating_neg()).unwrap_or(0);
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
        let status = response.status();
        let headers = ResponseHeaders::redacted(response.headers(), &signed);
        if status.is_redirection() {
            let to = response.headers().get(header::LOCATION);
            let to = to.and_then(|to| redacted::header_text(to, &signed));
            return Err(CallError::Redirected { status: status.as_u16(), to });
        }
        let reader = response.body_mut().with_config().limit(self.options.max_answer_bytes);
        let body = Zeroizing::new(reader.read_to_vec().map_err(failed)?);
        let status = status.as_u16();
        let round_trip = started.0.elapsed();
        if (200..=299).contains(&status) {
            return Ok(Response { status, headers, body, round_trip, clock_offset_ms });
        }
        let body = ErrorBody::parse(&body).map(|body| redacted::without_secrets(body, &signed));
        let call = format!("{method} {path}");
        let level = self.signer.level();
        let refused = RefusedCall { call, status, body, headers, level, clock_offset_ms };
        Err(CallError::Refused(Box::new(refused)))
    }

    /// The server and the proxy, for messages.
    fn called(&self) -> String {
        match self.proxy {
            None => self.address.to_string(),
            Some(variable) => {
                format!("{} (through the proxy of {variable})", self.address)
            }
        }
    }

    fn request(
        &self,
        method: Method,
        url: &str,
        signed: &Headers<'_>,
    ) -> Result<http::Request<()>, CallError> {
        let mut request = http::Request::builder().method(method.as_str()).uri(url);
        for (name, value) in signed.iter() {
            let mut value = HeaderValue::from_str(value).map_err(|_| CallError::Header)?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some(child) = &self.options.child_tenant {
            request = request.header("x-child-tenant-id", child.as_str());
        }
        if method.has_body() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.header(header::ACCEPT, "application/json").body(()).map_err(|_| CallError::Header)
    }

    /// Posts `{"request_data": …}` and reads `{"reply": …}`. It is retried only if it had no
    /// effect.
    pub fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request_data: &Q,
    ) -> Result<A, CallError> {
        self.ask(path, request_data, false)
    }

    /// Like [`post`](Self::post), without retries, for a call whose effect must be checked before
    /// it is repeated.
    pub(crate) fn post_once<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request_data: &Q,
    ) -> Result<A, CallError> {
        let body = serde_json::to_vec(&RequestData { request_data })
            .map_err(|_| CallError::RequestNotJson)?;
        let body = Some(body.as_slice());
        let call = Call { method: Method::Post, path, body, repeatable: false };
        Ok(self.send_once(&call)?.json::<Reply<A>>()?.reply)
    }

    /// Like [`post`](Self::post), for a query, which changes nothing and may be retried.
    pub fn query<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request_data: &Q,
    ) -> Result<A, CallError> {
        self.ask(path, request_data, true)
    }

    fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request_data: &Q,
        repeatable: bool,
    ) -> Result<A, CallError> {
        let body = serde_json::to_vec(&RequestData { request_data })
            .map_err(|_| CallError::RequestNotJson)?;
        let body = Some(body.as_slice());
        let response = self.send(&Call { method: Method::Post, path, body, repeatable })?;
        Ok(response.json::<Reply<A>>()?.reply)
    }
}

/// Shows the key id and the tenant, but not the key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address)
            .field("key_id", &self.signer.key_id())
            .finish_non_exhaustive()
    }
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// The tenant's clock minus ours: its date has whole seconds and lies between request and response.
fn clock_offset(headers: &HeaderMap, sent_ms: i64, received_ms: i64) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let theirs_ms = parser.parse_timestamp(date).ok()?.as_millisecond() + 500;
    Some(theirs_ms - (sent_ms + (received_ms - sent_ms) / 2))
}

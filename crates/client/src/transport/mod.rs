//! [`Client`]: one signed call at a time.
//!
//! It refuses to follow redirects, to use a proxy for this machine, to go past a proxy that it
//! cannot use, to send the same headers twice, and answers above a limit.

mod error;
mod failure;
mod method;
mod proxy;

use core::fmt;
use core::time::Duration;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cortexkey_api::{ErrorBody, ErrorCode, Reply, RequestData};
use cortexkey_core::address::Address;
use cortexkey_core::auth::{Headers, Signer, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{self, HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

pub use error::{CallError, Refused};
pub use method::{Method, MethodError};

const EMPTY_BODY: &[u8] = b"{}";
/// The most that is kept of a header or message that the tenant sent.
const TEXT_CHARS_MAX: usize = 1000;

/// How calls are made.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How long a call may take in all.
    pub timeout: Duration,
    /// How long it may take until there is a connection.
    pub connect_timeout: Duration,
    /// What the tenant's log will call us.
    pub user_agent: String,
    /// The largest answer that is taken, in bytes.
    pub max_answer_bytes: u64,
}

impl Default for ClientOptions {
    /// 60 s a call, 10 s to connect, answers of up to 64 MiB.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("cortexkey/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_answer_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Calls one tenant with one key. It may be shared by threads.
pub struct Client {
    address: Address,
    signer: Signer,
    agent: Agent,
    options: ClientOptions,
    /// The variable that asks for a proxy that cannot be used.
    unusable_proxy: Option<&'static str>,
}

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

/// The headers of an answer that matter, made fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Date`.
    pub date: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `x-cortexkey-verdict`, which a local tenant sends on demand.
    pub verdict: Option<String>,
    /// `x-cortexkey-remedy`, which a local tenant sends on demand.
    pub remedy: Option<String>,
}

impl Client {
    /// A client. It connects when it calls.
    pub fn new(address: Address, signer: Signer, options: ClientOptions) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(options.timeout))
            .timeout_connect(Some(options.connect_timeout))
            .user_agent(options.user_agent.as_str());
        // An address is plain `http` only where it is this machine; no proxy stands in between.
        let mut unusable_proxy = None;
        if address.is_loopback() {
            config = config.proxy(None);
        } else {
            config = config.https_only(true);
            unusable_proxy = proxy::unusable(&address, &|name| std::env::var_os(name));
        }
        let agent = config.build().into();
        Self { address, signer, agent, options, unusable_proxy }
    }

    /// The tenant that is called.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What signs.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Makes one call, signed anew. Methods that have a body send `{}` where none is given.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, CallError> {
        if body.is_some() && !method.has_body() {
            return Err(CallError::BodyNotAllowed { method });
        }
        let url = self.address.join(path).map_err(CallError::Path)?;
        if let Some(variable) = self.unusable_proxy {
            return Err(CallError::UnusableProxy { variable });
        }
        let now = Timestamp::from_system_time(SystemTime::now()).map_err(|_| CallError::Clock)?;
        let signed = self.signer.sign_from_system(now).map_err(|_| CallError::NoRandom)?;
        let request = request(method, &url, &signed)?;

        let started = (Instant::now(), now_ms());
        let failed = |error| failure::classify(error, &self.address, &self.options);
        let mut response = if method.has_body() {
            self.agent.run(request.map(|()| body.unwrap_or(EMPTY_BODY)))
        } else {
            self.agent.run(request)
        }
        .map_err(failed)?;
        let clock_offset_ms = clock_offset(response.headers(), started.1, now_ms());
        let status = response.status();
        let headers = AnswerHeaders::of(response.headers(), &signed);
        if status.is_redirection() {
            let to = response.headers().get(header::LOCATION).and_then(|to| fit(to, &signed));
            return Err(CallError::Redirected { status: status.as_u16(), to });
        }
        let reader = response.body_mut().with_config().limit(self.options.max_answer_bytes);
        let body = Zeroizing::new(reader.read_to_vec().map_err(failed)?);
        let (status, round_trip) = (status.as_u16(), started.0.elapsed());
        if (200..=299).contains(&status) {
            return Ok(Response { status, headers, body, round_trip, clock_offset_ms });
        }
        let body = ErrorBody::parse(&body).map(|body| without_secrets(body, &signed));
        let call = format!("{method} {path}");
        let level = self.signer.level();
        let refused = Refused { call, status, body, headers, level, clock_offset_ms };
        Err(CallError::Refused(Box::new(refused)))
    }

    /// Posts `{"request_data": …}` and reads `{"reply": …}`.
    pub fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        request_data: &Q,
    ) -> Result<A, CallError> {
        let body = serde_json::to_vec(&RequestData { request_data })
            .map_err(|_| CallError::RequestNotJson)?;
        let response = self.call(Method::Post, path, Some(&body))?;
        Ok(response.json::<Reply<A>>()?.reply)
    }
}

/// Says which key calls whom, and nothing of the key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address)
            .field("key_id", &self.signer.key_id())
            .finish_non_exhaustive()
    }
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

impl AnswerHeaders {
    fn of(headers: &HeaderMap, signed: &Headers<'_>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| fit(value, signed));
        Self {
            content_type: text("content-type"),
            date: text("date"),
            retry_after: text("retry-after"),
            verdict: text("x-cortexkey-verdict"),
            remedy: text("x-cortexkey-remedy"),
        }
    }
}

fn request(
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
    if method.has_body() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.header(header::ACCEPT, "application/json").body(()).map_err(|_| CallError::Header)
}

/// A header of the answer, without what was secret in the request.
fn fit(value: &HeaderValue, signed: &Headers<'_>) -> Option<String> {
    value.to_str().ok().map(|text| clean(text, signed))
}

fn without_secrets(mut body: ErrorBody, signed: &Headers<'_>) -> ErrorBody {
    if let Some(ErrorCode::Text(code)) = &mut body.err_code {
        *code = clean(code, signed);
    }
    if let Some(message) = &mut body.err_msg {
        *message = clean(message, signed);
    }
    if let Some(extra) = &mut body.err_extra {
        // Value by value, since a key with a quote or backslash looks different within JSON.
        *extra = clean_value(extra.take(), signed);
        let text = extra.to_string();
        if text.chars().nth(TEXT_CHARS_MAX).is_some() {
            *extra = text.chars().take(TEXT_CHARS_MAX).collect::<String>().into();
        }
    }
    body
}

/// A value with all text in it, names too, fit to be shown.
fn clean_value(value: Value, signed: &Headers<'_>) -> Value {
    match value {
        Value::String(text) => clean(&text, signed).into(),
        Value::Array(items) => items.into_iter().map(|item| clean_value(item, signed)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (clean(&name, signed), clean_value(value, signed)))
            .collect(),
        // A key may be digits alone.
        Value::Number(number) => {
            let text = number.to_string();
            let cleaned = clean(&text, signed);
            if cleaned == text { number.into() } else { cleaned.into() }
        }
        Value::Null | Value::Bool(_) => value,
    }
}

/// Text of the tenant, fit to be shown: some servers repeat what they were sent, and a terminal
/// obeys control characters.
fn clean(text: &str, signed: &Headers<'_>) -> String {
    let authorization = signed.authorization();
    // As it stands within JSON that was taken for text.
    let escaped = Zeroizing::new(Value::from(authorization).to_string());
    let escaped = escaped.get(1..escaped.len() - 1).unwrap_or_default();
    let mut text = text.to_owned();
    for secret in [authorization, escaped, signed.nonce().unwrap_or_default()] {
        if !secret.is_empty() {
            text = text.replace(secret, "(a secret, taken out)");
        }
    }
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(TEXT_CHARS_MAX).map(shown).collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// The tenant's clock minus ours: its date is from a moment between request and answer, and whole
/// seconds.
fn clock_offset(headers: &HeaderMap, sent_ms: i64, received_ms: i64) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let theirs_ms = parser.parse_timestamp(date).ok()?.as_millisecond() + 500;
    Some(theirs_ms - (sent_ms + (received_ms - sent_ms) / 2))
}

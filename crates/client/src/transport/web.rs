//! [`Web`]: plain calls to a server that is not a tenant, such as a secret store or a registry.
//!
//! The rules of [`Client`](super::Client) also apply here: redirects are not followed, plain `http`
//! is only for this machine, an unusable proxy is an error, and responses have a size limit.

use core::time::Duration;

use cortexkey_core::address::Address;
use ureq::Agent;
use ureq::http::{self, HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use super::{CallError, ClientOptions, failure};

/// The largest number of attempts while the server is busy.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a server may request.
const WAIT_MAX_S: u64 = 10;

/// Calls one server.
pub(crate) struct Web {
    address: Address,
    agent: Agent,
    options: ClientOptions,
    unusable_proxy: Option<&'static str>,
}

/// A server's response.
pub(crate) struct WebResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// A call to a server.
#[derive(Clone, Copy)]
pub(crate) struct WebCall<'a> {
    pub(crate) path: &'a str,
    /// Headers; their values may be secret.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The body of a POST; absent for a GET.
    pub(crate) body: Option<&'a [u8]>,
}

impl Web {
    /// A client for one server. It connects when it calls.
    pub(crate) fn new(address: Address, options: ClientOptions) -> Self {
        let (agent, unusable_proxy) = super::agent(&address, &options);
        Self { address, agent, options, unusable_proxy }
    }

    /// Makes a call, and repeats it while the server answers 429 or 503.
    pub(crate) fn send(&self, call: WebCall<'_>) -> Result<WebResponse, CallError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            let answer = self.attempt(call)?;
            if !matches!(answer.status, 429 | 503) {
                return Ok(answer);
            }
            let asked = answer.headers.get(header::RETRY_AFTER);
            let asked = asked.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            match asked {
                Some(seconds) if seconds > WAIT_MAX_S => return Ok(answer),
                Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
                None => std::thread::sleep(wait),
            }
            wait *= 2;
        }
        self.attempt(call)
    }

    fn attempt(&self, call: WebCall<'_>) -> Result<WebResponse, CallError> {
        if let Some(variable) = self.unusable_proxy {
            return Err(CallError::UnusableProxy { variable });
        }
        let url = self.address.join(call.path).map_err(CallError::Path)?;
        let method = if call.body.is_some() { "POST" } else { "GET" };
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in call.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| CallError::Header)?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let request = request.body(()).map_err(|_| CallError::Header)?;
        let failed = |error| failure::classify(error, self.address.to_string(), &self.options);
        let mut response = match call.body {
            Some(body) => self.agent.run(request.map(|()| body)),
            None => self.agent.run(request),
        }
        .map_err(failed)?;
        let reader = response.body_mut().with_config().limit(self.options.max_answer_bytes);
        let body = Zeroizing::new(reader.read_to_vec().map_err(failed)?);
        Ok(WebResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }
}

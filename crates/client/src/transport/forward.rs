//! [`Client::forward`]: another program's request, signed and sent once.
//!
//! Bodies are streamed in both directions, so the timeout is for connecting, for the head of the
//! response and for each read and write, not for the whole call. A redirect is an error, as for every other call, because
//! the program would follow it without a signature.

use std::io::Read;

use ureq::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use ureq::{AsSendBody, Body, SendBody};

use super::{CallError, Client, Method, failure};

/// Another program's request. Its own credentials are replaced.
pub struct Forward {
    /// The method.
    pub method: Method,
    /// Path and query, starting with exactly one `/`.
    pub path: String,
    /// The headers to pass on.
    pub headers: HeaderMap,
    /// The body, if the method has one; a `Content-Length` header is kept.
    pub body: Option<Box<dyn Read + Send>>,
}

/// The tenant's response, whose body is streamed.
pub struct Forwarded {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Box<dyn Read + Send>,
}

impl Client {
    /// Signs a request and sends it once. The response is returned whatever its status.
    pub fn forward(&self, forward: Forward) -> Result<Forwarded, CallError> {
        let Forward { method, path, headers, body } = forward;
        if body.is_some() && !method.has_body() {
            return Err(CallError::BodyNotAllowed { method });
        }
        let url = self.address.join(&path).map_err(CallError::Path)?;
        if let Some(variable) = self.unusable_proxy {
            return Err(CallError::UnusableProxy { variable });
        }
        let signed = self.signer.sign_from_system(self.now()?).map_err(|_| CallError::NoRandom)?;
        let mut request = self.request(method, &url, &signed)?;
        pass_on(&headers, request.headers_mut());
        let response = self.run(request, body);
        let response =
            response.map_err(|error| failure::classify(error, self.called(), &self.options))?;
        let (head, body) = response.into_parts();
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(CallError::NotHttp { host: self.called() });
        }
        if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
            let to = head.headers.get(header::LOCATION);
            let to = to.and_then(|to| super::redacted::header_text(to, &signed));
            return Err(CallError::Redirected { status: head.status.as_u16(), to });
        }
        let mut headers = head.headers;
        super::redacted::drop_secrets(&mut headers, &signed);
        Ok(Forwarded { status: head.status, headers, body: Box::new(body.into_reader()) })
    }

    fn run(
        &self,
        request: Request<()>,
        body: Option<Box<dyn Read + Send>>,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        match body {
            Some(body) => self.run_streamed(request.map(|()| SendBody::from_owned_reader(body))),
            None => self.run_streamed(request),
        }
    }

    fn run_streamed(
        &self,
        request: Request<impl AsSendBody>,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let timeout = Some(self.options.timeout);
        let config = self.agent.configure_request(request).timeout_global(None);
        let config = config.timeout_recv_response(timeout).timeout_send_request(timeout);
        self.agent.run(config.timeout_per_read(timeout).timeout_per_write(timeout).build())
    }
}

/// Adds headers to a signed request: only those that describe the body, the wanted response or the
/// trace. Every other header is dropped, because a server could take credentials, the tenant, the
/// method or the path from it.
fn pass_on(headers: &HeaderMap, request: &mut HeaderMap) {
    let named: Vec<_> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let passes = |name: &HeaderName| {
        PASSED_ON.contains(&name.as_str())
            && !named.iter().any(|connection| *connection == name.as_str())
    };
    for name in headers.keys().filter(|name| passes(name)) {
        request.remove(name);
        for value in headers.get_all(name) {
            request.append(name, value.clone());
        }
    }
}

const PASSED_ON: [&str; 26] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "baggage",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "pragma",
    "prefer",
    "range",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-correlation-id",
    "x-request-id",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Headers from which some server takes credentials, the tenant, the method, the path or the
    /// host.
    const DROPPED: [&str; 46] = [
        "authorization",
        "base-url",
        "client-ip",
        "connection",
        "cookie",
        "destination",
        "expect",
        "forwarded",
        "front-end-https",
        "host",
        "keep-alive",
        "origin",
        "overwrite",
        "proxy-authorization",
        "proxy-connection",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "via",
        "x-accel-redirect",
        "x-api-key",
        "x-child-tenant-id",
        "x-demisto-api-key",
        "x-envoy-original-path",
        "x-envoy-original-method",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-method",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-forwarded-uri",
        "x-host",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-override-url",
        "x-rewrite-url",
        "x-xdr-anything",
        "x-xdr-auth-id",
        "x-xdr-nonce",
    ];

    #[test]
    fn only_headers_about_body_response_and_trace_are_passed_on() {
        let mut headers = HeaderMap::new();
        for name in DROPPED.into_iter().chain(["if-match", "x-unheard-of"]) {
            headers.insert(HeaderName::from_static(name), "theirs".parse().unwrap());
        }
        headers.insert(header::CONNECTION, "close, If-Match".parse().unwrap());
        headers.insert(header::ACCEPT, "text/csv".parse().unwrap());
        headers.append("x-request-id", "1".parse().unwrap());
        headers.append("x-request-id", "2".parse().unwrap());
        let mut request = HeaderMap::new();
        request.insert(header::AUTHORIZATION, "ours".parse().unwrap());
        request.insert(header::ACCEPT, "application/json".parse().unwrap());
        pass_on(&headers, &mut request);
        let mut all: Vec<_> =
            request.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        all.sort_unstable();
        let expected = [
            ("accept", "text/csv"),
            ("authorization", "ours"),
            ("x-request-id", "1"),
            ("x-request-id", "2"),
        ];
        assert_eq!(all, expected);
    }
}

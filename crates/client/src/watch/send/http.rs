//! Sends a POST to a webhook, and signs its body according to the Standard Webhooks specification.

use core::time::Duration;
use std::io::ErrorKind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ureq::http::{StatusCode, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};
use zeroize::Zeroizing;

use super::SendError;
use crate::settings::Environment;
use crate::transport::{Roots, proxy_unusable_for};

/// The prefix of a secret in base64.
const SECRET_PREFIX: &str = "whsec_";
/// Shorter ones can be guessed.
const SECRET_BYTES_MIN: usize = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("cortexkey/", env!("CARGO_PKG_VERSION"));

/// One request.
pub(super) struct Post<'a> {
    pub(super) url: &'a str,
    pub(super) body: &'a [u8],
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) timeout: Duration,
}

impl Post<'_> {
    /// Sends it once. Any answer of 200 to 299 means that the target has it.
    pub(super) fn send(
        &self,
        roots: Option<&Roots>,
        environment: &Environment<'_>,
    ) -> Result<(), SendError> {
        let uri = checked(self.url)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(self.timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(self.timeout)))
            .user_agent(USER_AGENT);
        if is_loopback(&uri) {
            config = config.proxy(None);
        } else if let Some(variable) = proxy_unusable_for(&uri, environment) {
            return Err(SendError::none(format!(
                "the proxy that {variable} names cannot be used\nhelp: correct or unset it"
            )));
        }
        let roots = roots.map_or(RootCerts::PlatformVerifier, Roots::as_ureq);
        let agent: Agent =
            config.tls_config(TlsConfig::builder().root_certs(roots).build()).build().into();
        let mut request = agent.post(uri).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send(self.body).map_err(|error| failure(&error))?;
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        verdict(answer.status(), retry_after)
    }
}

/// The headers of a body that a receiver can check: the signature covers id, time and body.
pub(super) fn signed(
    id: &str,
    body: &str,
    secret: Option<&String>,
    now_ms: u64,
) -> Result<Vec<(&'static str, String)>, SendError> {
    let seconds = now_ms / 1000;
    let mut headers =
        vec![("webhook-id", id.to_owned()), ("webhook-timestamp", seconds.to_string())];
    if let Some(secret) = secret {
        let key = key(secret)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)
            .map_err(|_| SendError::none("the webhook's secret cannot be used"))?;
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        headers.push(("webhook-signature", format!("v1,{signature}")));
    }
    Ok(headers)
}

fn key(secret: &str) -> Result<Zeroizing<Vec<u8>>, SendError> {
    let key = match secret.strip_prefix(SECRET_PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
            SendError::none(format!(
                "the webhook's secret begins with {SECRET_PREFIX} and is not base64"
            ))
        })?,
        None => secret.as_bytes().to_vec(),
    };
    let key = Zeroizing::new(key);
    if key.len() < SECRET_BYTES_MIN {
        return Err(SendError::none(format!(
            "the webhook's secret has fewer than {SECRET_BYTES_MIN} bytes; generate one with \
             `openssl rand -base64 32` and put {SECRET_PREFIX} before it"
        )));
    }
    Ok(key)
}

/// An address that a secret may be sent to: HTTPS, or this machine.
fn checked(url: &str) -> Result<Uri, SendError> {
    let bad = |why| Err(SendError::none(format!("the webhook's address {why}")));
    let Ok(uri) = url.parse::<Uri>() else { return bad("is not an address") };
    let Some(authority) = uri.authority() else { return bad("has no host") };
    if authority.as_str().contains('@') {
        return bad("holds a user name; such addresses are not used");
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none() {
        return bad("has a port that is not a number");
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(&uri) => Ok(uri),
        _ => bad("does not begin with https://, which is required beyond this machine"),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

fn verdict(status: StatusCode, retry_after_s: Option<u64>) -> Result<(), SendError> {
    let code = status.as_u16();
    match code {
        200..=299 => Ok(()),
        300..=399 => Err(SendError::none(format!(
            "the webhook redirects (status {code}), which is not followed\nhelp: set the final address"
        ))),
        401 | 403 | 404 | 410 => Err(SendError::none(format!(
            "the webhook refuses the address or its token (status {code})\nhelp: renew the \
             webhook's address"
        ))),
        429 => Err(SendError::none(match retry_after_s {
            Some(seconds) => {
                format!("the webhook limits the rate of calls (status 429), for {seconds} s")
            }
            None => "the webhook limits the rate of calls (status 429)".to_owned(),
        })),
        400..=499 => {
            Err(SendError::refused(format!("the webhook refuses the message (status {code})")))
        }
        // The service behind a gateway may have taken it.
        502 | 504 => {
            Err(SendError::unknown(format!("the webhook's gateway failed (status {code})")))
        }
        _ => Err(SendError::none(format!("the webhook failed (status {code})"))),
    }
}

/// Whether the message was certainly not sent, or may have arrived.
fn failure(error: &Error) -> SendError {
    match error {
        Error::HostNotFound => SendError::none("the webhook's host is not known"),
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            SendError::none("the webhook's host does not answer")
        }
        Error::ConnectionFailed => SendError::none("the webhook's host cannot be reached"),
        Error::Tls(_) | Error::Rustls(_) => SendError::none(TLS),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            SendError::none("the proxy does not connect to the webhook's host")
        }
        Error::Io(error) => of_io(error),
        Error::Timeout(_) => SendError::unknown("the webhook did not answer in time"),
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::Http(_) => {
            SendError::unknown("the webhook's answer is not HTTP")
        }
        _ => SendError::unknown("the connection to the webhook broke"),
    }
}

const TLS: &str = "the webhook's certificate is not trusted; `ca_file` names the authority of a \
                   company";

fn of_io(error: &std::io::Error) -> SendError {
    match error.kind() {
        ErrorKind::ConnectionRefused => SendError::none("the webhook's host refuses connections"),
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => SendError::none("the webhook's host cannot be reached"),
        // Errors of the TLS library are wrapped in this kind.
        ErrorKind::InvalidData if error.get_ref().is_some() => SendError::none(TLS),
        _ if error.to_string().starts_with("failed to lookup address") => {
            SendError::none("the webhook's host is not known")
        }
        _ => SendError::unknown("the connection to the webhook broke before it answered"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The example of the Standard Webhooks specification.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let body = r#"{"test": 2432232314}"#;
        let headers = signed(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            body,
            Some(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            1_614_265_330_000,
        );
        let headers = headers.unwrap();
        assert_eq!(headers[1], ("webhook-timestamp", "1614265330".to_owned()));
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers[2], ("webhook-signature", signature.to_owned()));
        assert!(signed("id", body, None, 0).unwrap().len() == 2);
        for bad in ["short", "whsec_", "whsec_%%%", "whsec_c2hvcnQ="] {
            let error = signed("id", body, Some(&bad.to_owned()), 0).unwrap_err();
            assert!(!error.may_have_arrived() && !error.to_string().contains("c2hv"), "{bad}");
        }
    }

    #[test]
    fn addresses_beyond_this_machine_are_https_and_no_error_repeats_one() {
        for good in
            ["https://h.example/x", "http://127.0.0.1:1/x", "http://[::1]:1/", "http://localhost"]
        {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in [
            "http://h.example/SECRET",
            "https://user:SECRET@h.example/",
            "ftp://127.0.0.1/SECRET",
            "SECRET",
            "/SECRET",
            "https://127.0.0.1.h.example:SECRET",
            "http://127.0.0.1.h.example/SECRET",
            "",
        ] {
            let error = checked(bad).unwrap_err();
            assert!(!error.to_string().contains("SECRET"), "{bad}: {error}");
        }
    }

    #[test]
    fn only_possibly_delivered_notices_are_uncertain() {
        for code in 100..600 {
            let status = StatusCode::from_u16(code).unwrap();
            let outcome = verdict(status, None);
            assert_eq!(outcome.is_ok(), status.is_success(), "{code}");
            let doubt = outcome.is_err_and(|error| error.may_have_arrived());
            assert_eq!(doubt, matches!(code, 502 | 504), "{code}");
        }
    }
}

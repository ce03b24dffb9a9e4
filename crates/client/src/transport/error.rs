//! [`CallError`]: why a call failed, with what to do next. It contains no key, nonce or digest.

use core::fmt;
use core::time::Duration;

use cortexkey_api::{ErrorBody, ErrorCode};
use cortexkey_core::address::AddressError;
use cortexkey_core::auth::{KeyId, Level};
use thiserror::Error;

use super::method::Method;
use super::redacted::ResponseHeaders;

/// A larger clock difference is reported; tenants are known to accept one minute.
pub(super) const CLOCK_OFFSET_MS: u64 = 30_000;

/// Why a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The path is invalid.
    #[error(transparent)]
    Path(AddressError),
    /// A body was given to a method without one.
    #[error("{method} takes no body\nhelp: remove it")]
    BodyNotAllowed {
        /// The method.
        method: Method,
    },
    /// The request cannot be written as JSON.
    #[error("the request cannot be written as JSON")]
    RequestNotJson,
    /// This machine's clock shows a time that cannot be signed.
    #[error(
        "this machine's clock is before 2001 or after 2286, so nothing can be signed\nhelp: set the clock"
    )]
    Clock,
    /// The system returned no random bytes.
    #[error(
        "the system gives no random bytes, and without them nothing can be signed\nhelp: \
         allow the system call getrandom"
    )]
    NoRandom,
    /// The key cannot be sent in a header.
    #[error("the request has a header that HTTP does not allow")]
    Header,
    /// The host name could not be resolved.
    #[error(
        "the host of {host} is not known\nhelp: compare it with what the button Copy API URL gives, \
         and check that the network is up"
    )]
    UnknownHost {
        /// The address.
        host: String,
    },
    /// There is no connection.
    #[error("cannot connect to {host}: {detail}\nhelp: check the host, port, firewall and proxy")]
    Unreachable {
        /// The address.
        host: String,
        /// The system's error.
        detail: String,
    },
    /// The connection timed out.
    #[error(
        "no connection to {host} within {} s\nhelp: check the firewall and proxy, or allow more time",
        after.as_secs_f64()
    )]
    ConnectTimeout {
        /// The address.
        host: String,
        /// The timeout.
        after: Duration,
    },
    /// The response timed out.
    #[error(
        "no complete response from {host} within {} s\nhelp: try again, or allow more time",
        after.as_secs_f64()
    )]
    Timeout {
        /// The address.
        host: String,
        /// The timeout.
        after: Duration,
    },
    /// The server's certificate is not trusted.
    #[error(
        "the TLS connection to {host} failed before anything was sent: {detail}\nhelp: check the host, and \
         whether a proxy intercepts TLS"
    )]
    Tls {
        /// The address.
        host: String,
        /// The TLS library's error.
        detail: String,
    },
    /// The proxy refuses the connection.
    #[error(
        "cannot connect to {host}\nhelp: correct the variable, or add the tenant's host to NO_PROXY"
    )]
    Proxy {
        /// The address.
        host: String,
    },
    /// The environment sets a proxy that cannot be used.
    #[error(
        "the environment variable {variable} does not name a usable proxy, and nothing is sent \
         without it\nhelp: set an address such as http://proxy.example:3128 (SOCKS is not supported), \
         unset it, or add the tenant's host to NO_PROXY"
    )]
    UnusableProxy {
        /// The variable; its value may contain a password.
        variable: &'static str,
    },
    /// The connection broke before the response was complete.
    #[error(
        "the connection to {host} broke before the response was complete: {detail}; the call may \
         have taken effect\nhelp: check before you repeat it"
    )]
    Broken {
        /// The address.
        host: String,
        /// The system's error.
        detail: String,
    },
    /// The server does not speak HTTP.
    #[error("the response from {host} is not valid HTTP\nhelp: check the host and port")]
    NotHttp {
        /// The address.
        host: String,
    },
    /// The response is too large.
    #[error("the response is larger than {limit} bytes\nhelp: request less, with filters or pages")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The tenant redirects the call.
    #[error(
        "the tenant redirects to another address (status {status}{}); the headers are not sent \
         there\nhelp: use the address of the API, which the button Copy API URL gives",
        to.as_ref().map(|to| format!(", {to}")).unwrap_or_default()
    )]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// The target.
        to: Option<String>,
    },
    /// The tenant refuses the call.
    #[error(transparent)]
    Refused(Box<RefusedCall>),
    /// The response is not JSON.
    #[error(
        "the response (status {status}, {}, {bytes} bytes) is not JSON\nhelp: check whether this is the \
         API's address, and whether a proxy answers instead",
        content_type.as_deref().unwrap_or("of no type")
    )]
    NotJson {
        /// The HTTP status.
        status: u16,
        /// Its content type.
        content_type: Option<String>,
        /// Its length.
        bytes: usize,
    },
    /// The response is JSON of an unexpected form.
    #[error(
        "the response is JSON, but not of the form that this call returns{}\nhelp: check that \
         this is a Cortex tenant, and its version",
        place(*line, *column)
    )]
    UnexpectedShape {
        /// The line of the difference, counted from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The tenant confirmed a deletion, but the key is not gone.
    #[error(
        "the tenant confirmed that key {id} was deleted, but its list of keys does not show that\nhelp: \
         repeat the command; if key {id} stays, delete it in the console"
    )]
    NotDeleted {
        /// The first key that is not gone.
        id: KeyId,
    },
    /// This machine's clock is ahead, so that nothing is known to be due.
    #[error(
        "this machine's clock is {} s ahead of the tenant's, so keys may seem to have expired\nhelp: set \
         the clock",
        ahead_ms / 1000
    )]
    ClockAhead {
        /// By how much, in milliseconds.
        ahead_ms: u64,
    },
    /// The response differs from the only valid one.
    #[error("the response is not {expected}\nhelp: check that this is a Cortex tenant")]
    UnexpectedAnswer {
        /// The expected response.
        expected: &'static str,
    },
}

/// A tenant's refusal.
#[derive(Debug)]
#[non_exhaustive]
pub struct RefusedCall {
    /// Method and path.
    pub call: String,
    /// The status.
    pub status: u16,
    /// The response's message, as far as it could be read, without the request's secrets.
    pub body: Option<ErrorBody>,
    /// The relevant headers.
    pub headers: ResponseHeaders,
    /// The level that the call was signed with.
    pub level: Level,
    /// The tenant's clock minus ours, in milliseconds, accurate to about a second.
    pub clock_offset_ms: Option<i64>,
}

impl CallError {
    /// The response's status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refused) => Some(refused.status),
            Self::Redirected { status, .. } | Self::NotJson { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the call certainly changed nothing: it was not sent, or the tenant refused it with a
    /// status other than 408 and 5xx.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.status < 500 && refused.status != 408,
            Self::Timeout { .. }
            | Self::Broken { .. }
            | Self::NotHttp { .. }
            | Self::TooLarge { .. }
            | Self::NotJson { .. }
            | Self::UnexpectedShape { .. }
            | Self::NotDeleted { .. }
            | Self::UnexpectedAnswer { .. } => false,
            _ => true,
        }
    }
}

impl RefusedCall {
    /// What to do; several lines for a 401.
    pub fn advice(&self) -> String {
        if let Some(remedy) = &self.headers.remedy {
            return remedy.clone();
        }
        match self.status {
            400 | 422 => "compare the body with the API reference",
            401 => return self.unauthorized(),
            402 => "the tenant's licence does not cover this call",
            403 => {
                "the key is valid, but its roles lack the permission: give it a role with this \
                 call's component"
            }
            404 => {
                "check the path, whether the host is the API's (api-…) and not the console's, and \
                 whether the tenant is active"
            }
            405 => "check the method: most calls take POST",
            408 | 502..=504 => "try again later: the tenant or a server in front of it is busy",
            413 => "send a smaller body",
            415 => "send the header Content-Type: application/json",
            429 => return self.too_many(),
            500..=599 => {
                "check the names, types and values in the body, because the product also answers \
                 500 to a body that it cannot take. If they are right, try again later"
            }
            _ => "compare the call with the API reference",
        }
        .to_owned()
    }

    fn unauthorized(&self) -> String {
        let mut causes = Vec::new();
        match self.clock_offset_ms {
            Some(ms) if ms.unsigned_abs() > CLOCK_OFFSET_MS => {
                let way = if ms > 0 { "behind" } else { "ahead of" };
                let seconds = ms.unsigned_abs() / 1000;
                causes.push(format!("this machine's clock is {seconds} s {way} the tenant's"));
            }
            _ => {}
        }
        let other = match self.level {
            Level::Standard => Level::Advanced,
            Level::Advanced => Level::Standard,
        };
        causes.push(format!("the key is {other}, but was used as {}", self.level));
        causes.push("the key has expired, or was deleted".to_owned());
        causes
            .push("the key does not belong to the key id, or the id not to this tenant".to_owned());
        causes.push("the key is incomplete, or has quotes or spaces around it".to_owned());
        let mut text = "the tenant gives no reason. Common causes, the likeliest first:".to_owned();
        for cause in causes {
            text.push_str("\n  - ");
            text.push_str(&cause);
        }
        text
    }

    fn too_many(&self) -> String {
        match self.headers.retry_wait() {
            Some(wait) => {
                format!("try again after {} s (Retry-After)", wait.as_secs())
            }
            None => "wait, and make fewer calls at a time".to_owned(),
        }
    }
}

impl fmt::Display for RefusedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was refused with status {}", self.call, self.status)?;
        if let Some(verdict) = &self.headers.verdict
            && verdict != "accept"
        {
            write!(f, " ({verdict})")?;
        }
        if let Some(body) = &self.body {
            if let Some(message) = &body.err_msg {
                write!(f, ": {message}")?;
            }
            match &body.err_code {
                Some(ErrorCode::Number(code)) if *code == i64::from(self.status) => {}
                Some(code) => write!(f, " (code {code})")?,
                None => {}
            }
            match body.err_extra.as_ref().map(|extra| (extra, extra.as_str())) {
                Some((_, Some(text))) => write!(f, ": {text}")?,
                Some((extra, None)) => write!(f, ": {extra}")?,
                None => {}
            }
        }
        write!(f, "\nhelp: {}", self.advice())
    }
}

impl core::error::Error for RefusedCall {}

/// Where a response differs. Some mistakes have no single position.
fn place(line: usize, column: usize) -> String {
    if line > 0 { format!(" (line {line}, column {column})") } else { String::new() }
}

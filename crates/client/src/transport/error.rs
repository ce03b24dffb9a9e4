//! [`CallError`]: why a call failed, with what to do next. It contains no key, nonce or digest.

use core::fmt;
use core::time::Duration;

use cortexkey_api::{ErrorBody, ErrorCode};
use cortexkey_core::address::AddressError;
use cortexkey_core::auth::Level;
use thiserror::Error;

use super::method::Method;
use super::redacted::AnswerHeaders;

/// Beyond this a clock is worth a word; tenants are known to take a minute.
pub(super) const CLOCK_OFFSET_MS: u64 = 30_000;

/// Why a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The path is none.
    #[error(transparent)]
    Path(AddressError),
    /// A body was given to a method that has none.
    #[error("{method} takes no body; leave it out")]
    BodyNotAllowed {
        /// The method.
        method: Method,
    },
    /// The request cannot be written as JSON.
    #[error("the request cannot be written as JSON")]
    RequestNotJson,
    /// The clock of this machine is far from any time that can be signed.
    #[error(
        "the clock of this machine is before 2001 or after 2286, so nothing can be signed; set it"
    )]
    Clock,
    /// The system gives no random bytes.
    #[error(
        "the system gives no random bytes, and without them nothing can be signed; see that the \
         system call getrandom is allowed"
    )]
    NoRandom,
    /// The key cannot be sent in a header.
    #[error("the request has a header that HTTP does not allow")]
    Header,
    /// The host's name is not known.
    #[error(
        "the host of {host} is not known; compare it with what the button Copy API URL gives, and \
         see that the network is up"
    )]
    UnknownHost {
        /// The address.
        host: String,
    },
    /// There is no connection.
    #[error("{host} cannot be reached: {detail}; check host and port, firewall and proxy")]
    Unreachable {
        /// The address.
        host: String,
        /// What the system said.
        detail: String,
    },
    /// There was no connection in time.
    #[error(
        "{host} did not let us connect within {} s; check firewall and proxy, or allow more time",
        after.as_secs_f64()
    )]
    ConnectTimeout {
        /// The address.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// There was no whole answer in time.
    #[error(
        "{host} gave no whole answer within {} s; try again, or allow more time",
        after.as_secs_f64()
    )]
    Timeout {
        /// The address.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// There is no trust in who answers.
    #[error(
        "the TLS connection to {host} failed: {detail}; nothing was sent; check the host, and \
         whether a proxy breaks TLS open"
    )]
    Tls {
        /// The address.
        host: String,
        /// What the TLS library said.
        detail: String,
    },
    /// The proxy does not let us through.
    #[error(
        "there is no way to {host}; correct the variable, or name the tenant's host in NO_PROXY"
    )]
    Proxy {
        /// The address.
        host: String,
    },
    /// The environment asks for a proxy that cannot be used.
    #[error(
        "the environment variable {variable} names no proxy that can be used, and nothing is sent \
         past it; give it an address such as http://proxy.example:3128 (SOCKS is not supported), \
         unset it, or name the tenant's host in NO_PROXY"
    )]
    UnusableProxy {
        /// The variable; its value may hold a password.
        variable: &'static str,
    },
    /// The connection broke before the answer was whole.
    #[error(
        "the connection to {host} broke before the answer was whole: {detail}; the call may have had \
         its effect; look before you repeat it"
    )]
    Broken {
        /// The address.
        host: String,
        /// What the system said.
        detail: String,
    },
    /// Who answers does not speak HTTP.
    #[error("what {host} answered is not the HTTP that is expected; check host and port")]
    NotHttp {
        /// The address.
        host: String,
    },
    /// The answer is too large.
    #[error("the answer has more than {limit} bytes; ask for less, with filters or pages")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The tenant sends us elsewhere.
    #[error(
        "the tenant redirects to another address (status {status}{}); the headers are not sent \
         there; use the address of the API, which the button Copy API URL gives",
        to.as_ref().map(|to| format!(", {to}")).unwrap_or_default()
    )]
    Redirected {
        /// The status.
        status: u16,
        /// Where to.
        to: Option<String>,
    },
    /// The tenant refuses.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The answer is no JSON.
    #[error(
        "the answer (status {status}, {}, {bytes} bytes) is no JSON; is this the address of the API, \
         and does a proxy answer in its place?",
        content_type.as_deref().unwrap_or("of no type")
    )]
    NotJson {
        /// The status.
        status: u16,
        /// What it says it is.
        content_type: Option<String>,
        /// How long it is.
        bytes: usize,
    },
    /// The answer is JSON of another shape.
    #[error(
        "the answer is JSON, but not of the shape that this call has{}; is this a Cortex tenant, and \
         of which version?",
        place(*line, *column)
    )]
    UnexpectedShape {
        /// The line where it differs, counted from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The answer is another one than the only one that is good.
    #[error("the answer is not {expected}; is this a Cortex tenant?")]
    UnexpectedAnswer {
        /// What would have been good.
        expected: &'static str,
    },
}

/// What a tenant says when it refuses.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Method and path.
    pub call: String,
    /// The status.
    pub status: u16,
    /// What the answer says, as far as it could be read, without what was secret in the request.
    pub body: Option<ErrorBody>,
    /// The headers that matter.
    pub headers: AnswerHeaders,
    /// The level that the call was signed for.
    pub level: Level,
    /// The tenant's clock minus ours, in milliseconds, to a second or so.
    pub clock_offset_ms: Option<i64>,
}

impl CallError {
    /// The status that the tenant answered with, where it answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refused) => Some(refused.status),
            Self::Redirected { status, .. } | Self::NotJson { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the call certainly changed nothing: it was not sent, or the tenant refused it with
    /// a status other than 408 and 5xx.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.status < 500 && refused.status != 408,
            Self::Timeout { .. }
            | Self::Broken { .. }
            | Self::NotHttp { .. }
            | Self::TooLarge { .. }
            | Self::NotJson { .. }
            | Self::UnexpectedShape { .. }
            | Self::UnexpectedAnswer { .. } => false,
            _ => true,
        }
    }
}

impl Refused {
    /// What to do about it; more than one line for a 401.
    pub fn advice(&self) -> String {
        if let Some(remedy) = &self.headers.remedy {
            return remedy.clone();
        }
        match self.status {
            400 | 422 => "the body is not what this call takes; compare it with the API reference",
            401 => return self.unauthorized(),
            402 => "the tenant's licence does not cover this call",
            403 => {
                "the key is good, but its roles lack the permission; give it a role with the \
                 component that this call belongs to"
            }
            404 => {
                "check the path, and that the host is the API's (api-…), not the console's; the \
                 tenant may also be inactive"
            }
            405 => "check the method; most calls take POST",
            408 | 502..=504 => "the tenant or something before it is busy; try again later",
            413 => "send less at once",
            415 => "send the header Content-Type: application/json",
            429 => return self.too_many(),
            500..=599 => {
                "the product also answers 500 to a body that it cannot take: check names, types \
                 and values; otherwise try again later"
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
        causes.push(format!("the key is {other}, and was used as {}", self.level));
        causes.push("the key has expired, or was deleted".to_owned());
        causes.push("key and key id do not belong together, or to this tenant".to_owned());
        causes.push("the key is not whole, or has quotes or spaces round it".to_owned());
        let mut text = "the tenant does not say why; usual causes, the likeliest first:".to_owned();
        for cause in causes {
            text.push_str("\n  - ");
            text.push_str(&cause);
        }
        text
    }

    fn too_many(&self) -> String {
        match &self.headers.retry_after {
            Some(after) => format!("too many calls; try again after {after} s (Retry-After)"),
            None => "too many calls; wait, and make fewer at once".to_owned(),
        }
    }
}

impl fmt::Display for Refused {
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
        write!(f, "; {}", self.advice())
    }
}

impl core::error::Error for Refused {}

/// Where an answer differs. Some mistakes are not in one place.
fn place(line: usize, column: usize) -> String {
    if line > 0 { format!(" (line {line}, column {column})") } else { String::new() }
}

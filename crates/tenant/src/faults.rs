//! [`Fault`]: fault injection.

use std::sync::{Mutex, PoisonError};

use cortexkey_api::Envelope;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest number of waiting faults.
const FAULTS_MAX: usize = 100;
/// The longest delay.
const DELAY_MS_MAX: u64 = 60_000;

/// A fault to inject into requests.
///
/// ```
/// use cortexkey_tenant::{Fault, FaultKind};
///
/// let json = r#"{"kind":{"status":{"status":429,"retryAfterS":2}},"times":3}"#;
/// let fault: Fault = serde_json::from_str(json)?;
/// assert_eq!(fault, Fault::new(FaultKind::too_many_requests(2)).times(3));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// For how many requests, 1 by default; `null` for every request.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// Only requests whose path starts like this.
    #[serde(default)]
    pub path: String,
    /// Whether the request is carried out first, and only its response is lost.
    #[serde(default)]
    pub after: bool,
}

/// The kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error response.
    Status {
        /// The status, 400 to 599.
        status: u16,
        /// The header `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// The form of the body.
        #[serde(default)]
        envelope: Envelope,
    },
    /// A delayed response.
    Slow {
        /// The delay in milliseconds, at most one minute.
        delay_ms: u64,
    },
    /// The response breaks off in the middle.
    Truncated,
    /// The connection is reset instead of a response.
    Reset,
    /// A redirect with status 307.
    Redirect {
        /// The target.
        location: String,
    },
    /// A wrong `Date` header in the response.
    SkewedDate {
        /// The offset in milliseconds.
        by_ms: i64,
    },
}

impl FaultKind {
    /// Too many requests, with the wait in seconds.
    pub fn too_many_requests(retry_after_s: u32) -> Self {
        let envelope = Envelope::PublicApi;
        Self::Status { status: 429, retry_after_s: Some(retry_after_s), envelope }
    }

    /// A server error such as 500 or 503.
    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after_s: None, envelope: Envelope::PublicApi }
    }
}

impl Fault {
    /// Applies to the next request.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, times: Some(1), path: String::new(), after: false }
    }

    /// Applies to this many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Applies only to requests whose path starts like this.
    #[must_use]
    pub fn on_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    fn check(&self) -> Result<(), FaultError> {
        // Either would wait forever and never occur.
        if !self.path.is_empty() && !self.path.starts_with('/') {
            return Err(FaultError::Path);
        }
        if self.times == Some(0) {
            return Err(FaultError::Times);
        }
        match &self.kind {
            FaultKind::Status { status: 400..=599, .. } => Ok(()),
            FaultKind::Status { .. } => Err(FaultError::Status),
            FaultKind::Slow { delay_ms } if *delay_ms > DELAY_MS_MAX => Err(FaultError::Delay),
            FaultKind::Redirect { location } if !fit_for_a_header(location) => {
                Err(FaultError::Location)
            }
            _ => Ok(()),
        }
    }
}

/// Why a fault is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultError {
    /// The status is not an error.
    #[error("the status of a fault is 400 to 599")]
    Status,
    /// The delay is too long.
    #[error("a delay is {DELAY_MS_MAX} ms at most")]
    Delay,
    /// The address is invalid in a header.
    #[error("a location is visible ASCII, 1 to 1000 characters")]
    Location,
    /// No request's path starts like this.
    #[error("a path starts with `/`")]
    Path,
    /// The fault would never occur.
    #[error("a fault occurs at least once")]
    Times,
    /// There are too many faults.
    #[error("at most {FAULTS_MAX} faults may wait")]
    TooMany,
}

/// The waiting faults.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Replaces the waiting faults.
    pub(crate) fn set(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        if faults.len() > FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        faults.iter().try_for_each(Fault::check)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
        Ok(())
    }

    /// The waiting faults.
    pub(crate) fn waiting(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fault for a request with this path; it is used up.
    pub(crate) fn next(&self, path: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = faults.iter().position(|fault| path.starts_with(&fault.path))?;
        let fault = faults[at].clone();
        match &mut faults[at].times {
            Some(..=1) => drop(faults.remove(at)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a default")]
fn once() -> Option<u32> {
    Some(1)
}

fn fit_for_a_header(text: &str) -> bool {
    (1..=1000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_their_order_where_they_fit() {
        let faults = Faults::default();
        let reset = Fault::new(FaultKind::Reset).on_path("/a").times(2);
        let slow = Fault { times: None, ..Fault::new(FaultKind::Slow { delay_ms: 5 }) };
        faults.set(vec![reset.clone(), slow.clone()]).unwrap();
        let next = |path| faults.next(path).map(|fault| fault.kind);
        assert_eq!(next("/b"), Some(slow.kind.clone()));
        assert_eq!(next("/a/x"), Some(FaultKind::Reset));
        assert_eq!(next("/a/x"), Some(FaultKind::Reset));
        assert_eq!(next("/a/x"), Some(slow.kind.clone()));
        assert_eq!(faults.waiting(), [slow]);
    }

    #[test]
    fn invalid_faults_are_refused() {
        let faults = Faults::default();
        for (kind, error) in [
            (FaultKind::status(200), FaultError::Status),
            (FaultKind::Slow { delay_ms: 60_001 }, FaultError::Delay),
            (FaultKind::Redirect { location: "http://a\r\nb".into() }, FaultError::Location),
            (FaultKind::Redirect { location: String::new() }, FaultError::Location),
        ] {
            assert_eq!(faults.set(vec![Fault::new(kind)]), Err(error));
        }
        let reset = || Fault::new(FaultKind::Reset);
        assert_eq!(faults.set(vec![reset().on_path("public_api")]), Err(FaultError::Path));
        assert_eq!(faults.set(vec![reset().times(0)]), Err(FaultError::Times));
        assert_eq!(faults.set(vec![Fault::new(FaultKind::Reset); 101]), Err(FaultError::TooMany));
    }
}

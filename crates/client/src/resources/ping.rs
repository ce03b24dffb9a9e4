//! The first API call, which shows whether a key works. No description of the product's interface
//! contains `api_keys/validate`, although its console and clients use it. If a tenant does not know
//! this call, a documented one is used instead.

use core::time::Duration;

use cortexkey_api::api_keys::ListRequest;
use cortexkey_api::health::Health;
use cortexkey_api::validate::Validated;
use cortexkey_core::address::VALIDATE_PATH;

use crate::{Call, CallError, Client, Method};

const HEALTH_PATH: &str = "/public_api/v1/healthcheck";

/// The result of a successful first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// The round-trip time.
    pub round_trip: Duration,
    /// The tenant's clock minus ours, in milliseconds, accurate to about a second; `None` if the
    /// response has no readable date.
    pub clock_offset_ms: Option<i64>,
    /// The path of the call that succeeded.
    pub path: &'static str,
}

impl Client {
    /// Makes the first API call.
    pub fn ping(&self) -> Result<Ping, CallError> {
        let path = VALIDATE_PATH;
        let call = Call { method: Method::Post, path, body: None, repeatable: true };
        let response = match self.send(&call) {
            Ok(response) => response,
            Err(error) if is_missing(&error) => return self.health(error),
            Err(error) => return Err(error),
        };
        if response.json::<Validated>()?.is_yes() {
            let round_trip = response.round_trip;
            let clock_offset_ms = response.clock_offset_ms;
            Ok(Ping { round_trip, clock_offset_ms, path })
        } else {
            Err(CallError::UnexpectedAnswer { expected: "\"true\"" })
        }
    }

    /// The documented call, signed like any other.
    fn health(&self, missing: CallError) -> Result<Ping, CallError> {
        let response = match self.call(Method::Get, HEALTH_PATH, None) {
            Ok(response) => response,
            Err(error) if error.status().is_some() && !is_missing(&error) => return Err(error),
            Err(_) => return Err(missing),
        };
        response.json::<Health>()?;
        let round_trip = response.round_trip;
        let clock_offset_ms = response.clock_offset_ms;
        Ok(Ping { round_trip, clock_offset_ms, path: HEALTH_PATH })
    }

    /// Whether the tenant accepts the key, whatever its permissions: a call that needs a permission
    /// or a licence is refused only after the key was accepted. An error if this cannot be
    /// determined.
    pub(crate) fn accepts_key(&self) -> Result<(), CallError> {
        let error = match self.ping() {
            Ok(_) => return Ok(()),
            Err(error) if is_missing(&error) => match self.list_keys(&ListRequest::default()) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if matches!(error.status(), Some(402 | 403)) { Ok(()) } else { Err(error) }
    }
}

/// Whether a tenant does not know a call.
fn is_missing(error: &CallError) -> bool {
    matches!(error, CallError::Refused(_)) && matches!(error.status(), Some(404 | 405))
}

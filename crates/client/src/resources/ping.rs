//! The first API call: is this key good?
//!
//! It refuses an answer that does not say yes.

use core::time::Duration;

use cortexkey_api::validate::Validated;
use cortexkey_core::address::VALIDATE_PATH;

use crate::{Call, CallError, Client, Method};

/// What a good first call tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// How long request and answer took.
    pub round_trip: Duration,
    /// The tenant's clock minus ours, in milliseconds, to a second or so; none where the answer
    /// has no readable date.
    pub clock_offset_ms: Option<i64>,
}

impl Client {
    /// Makes the first API call.
    pub fn ping(&self) -> Result<Ping, CallError> {
        let path = VALIDATE_PATH;
        let call = Call { method: Method::Post, path, body: None, repeatable: true };
        let response = self.send(&call)?;
        if response.json::<Validated>()?.is_yes() {
            let (round_trip, clock_offset_ms) = (response.round_trip, response.clock_offset_ms);
            Ok(Ping { round_trip, clock_offset_ms })
        } else {
            Err(CallError::UnexpectedAnswer { expected: "\"true\"" })
        }
    }
}

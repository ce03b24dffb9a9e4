//! `public_api/v1/healthcheck` and `public_api/v1/health_check`: is the tenant available?
//!
//! The first returns [`Health`]; the second, which the vendor's Go client calls, returns a
//! [`Reply`](crate::Reply) with a [`HealthCheck`].

use serde::{Deserialize, Serialize};

/// What the tenant says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `available` when all is well.
    pub status: String,
}

impl Health {
    /// The answer when all is well.
    pub fn available() -> Self {
        Self { status: "available".to_owned() }
    }
}

/// What the tenant says of itself to the vendor's client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What was looked at.
    #[serde(default)]
    pub service: String,
    /// `available` when all is well.
    pub status: String,
    /// Why not, where all is not well.
    #[serde(default)]
    pub reason: String,
    /// When, in milliseconds since 1970.
    #[serde(default)]
    pub timestamp: u64,
}

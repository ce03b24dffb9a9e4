//! `public_api/v1/healthcheck` and `public_api/v1/health_check`: the availability of the tenant.
//!
//! The first returns [`Health`]; the second, which the vendor's Go client calls, returns a
//! [`Reply`](crate::Reply) with a [`HealthCheck`].

use serde::{Deserialize, Serialize};

/// The tenant's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `available` if it is healthy.
    pub status: String,
}

impl Health {
    /// The reply of a healthy tenant.
    pub fn available() -> Self {
        Self { status: "available".to_owned() }
    }
}

/// The tenant's status for the vendor's client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What was checked.
    #[serde(default)]
    pub service: String,
    /// `available` if it is healthy.
    pub status: String,
    /// The reason, if it is not healthy.
    #[serde(default)]
    pub reason: String,
    /// The time, in milliseconds since 1970.
    #[serde(default)]
    pub timestamp: u64,
}

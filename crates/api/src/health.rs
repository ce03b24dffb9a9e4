//! `public_api/v1/healthcheck`: is the tenant there?
//!
//! It refuses nothing.

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

//! The settings that can be changed while a tenant runs, and the errors of invalid ones.

use core::fmt;

use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_core::access::TagMode;
use serde::{Deserialize, Serialize};

/// The server settings of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServerSettings {
    /// Whether the product has scopes of this form at all.
    pub has_scopes: bool,
    /// Whether scopes are enforced (SBAC).
    pub enforce_scopes: bool,
    /// How the tags of an endpoint are matched with those of a scope.
    pub tags: TagMode,
    /// Whether scopes contain rows of datasets.
    pub scoped_datasets: bool,
    /// Keys that see nothing once scopes are enforced.
    pub keys_without_scope: Vec<u64>,
}

/// A key as the product's dialog generates it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsoleKey {
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub security_level: SecurityLevel,
    /// Its comment.
    pub comment: Option<String>,
    /// When it expires, in milliseconds since 1970; `None` for never.
    pub expiration: Option<u64>,
}

/// Why a tenant cannot be controlled as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// The tenant uses the machine's clock.
    NoSettableClock,
    /// The product has no scopes.
    NoScopes,
    /// The clock could not be stored on disk; the disk's error.
    Disk(String),
    /// The key was refused, for this reason.
    Refused(String),
}

/// A change of the clock: to a time, or forward.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum ClockChange {
    NowMs(u64),
    AdvanceMs(u64),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSettableClock => f.write_str("this tenant uses the machine's clock"),
            Self::NoScopes => f.write_str("this product has no scopes"),
            Self::Disk(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for ControlError {}

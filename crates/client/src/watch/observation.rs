//! [`Observation`]: the keys of one tenant at one time, with the facts from their definitions.

use cortexkey_core::lifecycle::KeyRecord;
use thiserror::Error;

/// Why a tenant or its definitions could not be read, in words for a notice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ObservationError(pub String);

/// One observation of a tenant.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The tenant's display name: a profile, or its host.
    pub tenant: String,
    /// What identifies it: its API's address, and the child's id if it is one.
    pub place: String,
    /// What the tenant returned, or why it could not be queried.
    pub seen: Result<ObservedTenant, ObservationError>,
}

/// What a tenant returned.
#[derive(Clone, Debug, Default)]
pub struct ObservedTenant {
    /// Its keys, without those that the product reserves for itself.
    pub keys: Vec<WatchedKey>,
    /// The number of records that could not be read, or that the tenant counts but does not list.
    pub missing: u64,
    /// Whether definitions were read; an error is why they could not be.
    pub definitions: Option<Result<(), ObservationError>>,
}

/// A key and what is known about it.
#[derive(Clone, Debug)]
pub struct WatchedKey {
    /// The key as the tenant lists it.
    pub record: KeyRecord,
    /// Its definition; absent if no definitions were read, or if none names the key.
    pub managed: Option<WatchedDefinition>,
}

/// What a definition says about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedDefinition {
    /// The definition's name.
    pub name: String,
    /// The owner.
    pub owner: Option<String>,
    /// Whether the key was changed since its definition was applied.
    pub drift: bool,
}

impl Observation {
    /// The prefix of the ids of notices about the tenant's outages. It does not use `place`,
    /// because settings can also cause an outage.
    pub(super) fn outages(&self) -> String {
        format!("{}/unreachable/", self.tenant)
    }
}

impl ObservedTenant {
    /// Whether all keys of the tenant were seen.
    pub fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Whether definitions were read, so that a key without one is unmanaged.
    pub fn has_definitions(&self) -> bool {
        matches!(self.definitions, Some(Ok(())))
    }
}

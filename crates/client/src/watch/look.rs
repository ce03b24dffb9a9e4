//! [`Look`]: what one tenant showed at one moment, with what definitions say about its keys.

use cortexkey_core::lifecycle::KeyRecord;
use thiserror::Error;

/// Why a tenant or its definitions could not be read, in words for a notice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LookError(pub String);

/// One look at a tenant.
#[derive(Clone, Debug)]
pub struct Look {
    /// The tenant's display name: a profile, or its host.
    pub tenant: String,
    /// What identifies it: its API's address, and the child's id if it is one.
    pub place: String,
    /// What was seen, or why the tenant could not be asked.
    pub seen: Result<Sighting, LookError>,
}

/// What a tenant returned.
#[derive(Clone, Debug, Default)]
pub struct Sighting {
    /// Its keys, without those that the product reserves for itself.
    pub keys: Vec<WatchedKey>,
    /// How many records could not be read, or are counted and not shown.
    pub missing: u64,
    /// Whether definitions were read; an error is why they could not be.
    pub definitions: Option<Result<(), LookError>>,
}

/// A key and what is known about it.
#[derive(Clone, Debug)]
pub struct WatchedKey {
    /// The key as the tenant lists it.
    pub record: KeyRecord,
    /// Its definition; none where no definitions were read or none names it.
    pub managed: Option<Managed>,
}

/// What a definition says about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// The definition's name.
    pub name: String,
    /// The owner.
    pub owner: Option<String>,
    /// Whether somebody changed the key since its definition was applied.
    pub drift: bool,
}

impl Look {
    /// How the ids of notices about outages of the tenant begin. It has to do with the settings,
    /// too, so it is not the place.
    pub(super) fn outages(&self) -> String {
        format!("{}/unreachable/", self.tenant)
    }
}

impl Sighting {
    /// Whether all keys of the tenant were seen.
    pub fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Whether definitions were read, so that a key without one is unmanaged.
    pub fn has_definitions(&self) -> bool {
        matches!(self.definitions, Some(Ok(())))
    }
}

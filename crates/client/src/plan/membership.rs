//! [`Membership`]: which definitions belong to a tenant, and which host its entry in the lock file
//! belongs to.

use std::path::{Path, PathBuf};

use cortexkey_core::address::Address;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::lock::{Lock, LockedTenant};
use cortexkey_manifest::quote;
use thiserror::Error;

use super::Desired;

/// The tenant that definitions are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    tenant: String,
}

/// Why definitions and tenant do not match.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MembershipError {
    /// The policy does not have the tenant.
    #[error("the policy has no tenant {}", quote(name))]
    UnknownTenant {
        /// The name.
        name: String,
        /// The tenants that the policy has.
        known: Vec<String>,
    },
    /// The policy has several tenants, and none was selected.
    #[error("the policy has several tenants")]
    SeveralTenants {
        /// The tenants that the policy has.
        known: Vec<String>,
    },
    /// Two definitions have the same name, so that their keys could not be distinguished.
    #[error(
        "two definitions have the name {}: {} and {}",
        quote(name),
        places[0],
        places[1]
    )]
    SameName {
        /// The name.
        name: String,
        /// The file and line of each.
        places: [String; 2],
    },
    /// The lock file has the tenant at another host, or the host under another tenant.
    #[error(
        "{} has tenant {} at {locked_host}, but this is {} at {host}",
        path.display(),
        quote(locked),
        quote(tenant)
    )]
    OtherHost {
        /// The lock file.
        path: PathBuf,
        /// The tenant in the lock file.
        locked: String,
        /// Its host there.
        locked_host: String,
        /// The selected tenant.
        tenant: String,
        /// The host that is called.
        host: String,
    },
}

impl Membership {
    /// Selects a tenant: the named one, or the policy's only one. Without tenants in the policy,
    /// any name is accepted, `main` by default; the lock file ties it to its host.
    pub fn choose<'p>(
        of_policy: impl IntoIterator<Item = &'p str>,
        named: Option<&str>,
    ) -> Result<Self, MembershipError> {
        let known: Vec<&str> = of_policy.into_iter().collect();
        let owned = || known.iter().map(|name| (*name).to_owned()).collect();
        let tenant = match (named, known.as_slice()) {
            (None, []) => "main",
            (Some(name), []) => name,
            (Some(name), known) if known.contains(&name) => name,
            (None, [only]) => only,
            (Some(name), _) => {
                let name = name.to_owned();
                return Err(MembershipError::UnknownTenant { name, known: owned() });
            }
            (None, _) => return Err(MembershipError::SeveralTenants { known: owned() }),
        };
        Ok(Self { tenant: tenant.to_owned() })
    }

    /// The policy's name for the tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Whether a definition is for this tenant. One that names no tenant is for the policy's only
    /// tenant.
    pub fn includes(&self, definition: &Definition, tenants_of_policy: usize) -> bool {
        match definition.tenant() {
            Some(tenant) => tenant == self.tenant,
            None => tenants_of_policy <= 1,
        }
    }
}

/// Checks that each name occurs in one definition only.
pub fn check_names(desired: &[Desired]) -> Result<(), MembershipError> {
    for (at, key) in desired.iter().enumerate() {
        if let Some(first) = desired[..at].iter().find(|first| first.name == key.name) {
            let place = |key: &Desired| format!("{}:{}", key.file, key.line);
            let places = [place(first), place(key)];
            return Err(MembershipError::SameName { name: key.name.clone(), places });
        }
    }
    Ok(())
}

/// The host of a tenant in a lock file, with its port if it has an unusual one: several on-premises
/// tenants may share a host. Emulators on this machine get another port at each start.
pub fn locked_host(address: &Address) -> String {
    if address.is_loopback() {
        return address.host().to_owned();
    }
    let text = address.to_string();
    let host = text.split_once("://").map_or(text.as_str(), |(_, host)| host);
    host.strip_suffix(":443").unwrap_or(host).to_owned()
}

/// Checks that a lock file entry belongs to the tenant that is called: in another tenant the same
/// ids mean other keys, and a tenant has one name.
pub fn check_host(
    lock: &Lock,
    path: &Path,
    tenant: &str,
    address: &Address,
) -> Result<(), MembershipError> {
    let host = locked_host(address);
    let host = host.as_str();
    // Several emulators on this machine differ in their ports only.
    let is_other = |(name, locked): &(&String, &LockedTenant)| {
        *name != tenant
            && locked.host == host
            && child_of(name) == child_of(tenant)
            && !address.is_loopback()
    };
    let (locked, locked_host) = match lock.tenants.get(tenant) {
        Some(locked) if locked.host != host => (tenant, locked.host.as_str()),
        _ => match lock.tenants.iter().find(is_other) {
            Some((name, _)) => (name.as_str(), host),
            None => return Ok(()),
        },
    };
    Err(MembershipError::OtherHost {
        path: path.to_owned(),
        locked: locked.to_owned(),
        locked_host: locked_host.to_owned(),
        tenant: tenant.to_owned(),
        host: host.to_owned(),
    })
}

/// A tenant's name in a lock file; a child's name is followed by the child's id.
pub(crate) fn place(tenant: &str, child: Option<&str>) -> String {
    child.map_or_else(|| tenant.to_owned(), |child| format!("{tenant}@{child}"))
}

/// The child's id in a tenant's name; `None` for a tenant that is not a child.
pub(crate) fn child_of(place: &str) -> Option<&str> {
    place.rsplit_once('@').map(|(_, child)| child)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn tenants_at_two_ports_of_a_host_are_two_tenants() {
        let lock = |host: &str| {
            let locked = LockedTenant { host: host.to_owned(), keys: [].into() };
            Lock { tenants: [("eu".to_owned(), locked)].into() }
        };
        let check = |locked: &str, address: &str| {
            let address = Address::parse_on_premises(address).unwrap();
            check_host(&lock(locked), Path::new("cortexkey.lock"), "eu", &address).is_ok()
        };
        assert!(check("xsoar.corp", "xsoar.corp"));
        assert!(check("xsoar.corp", "xsoar.corp:443"));
        assert!(check("xsoar.corp:8443", "xsoar.corp:8443"));
        assert!(!check("xsoar.corp", "xsoar.corp:8443"));
        assert!(!check("xsoar.corp:8443", "xsoar.corp"));
        assert!(!check("xsoar.corp:8443", "xsoar.corp:9443"));
        // Emulators get another port at each start.
        assert!(check("127.0.0.1", "127.0.0.1:9999"));
    }
}

//! What a scope of this tenant can name: asset groups, domains, endpoint groups, endpoint tags.
//!
//! It refuses to be a real inventory: it is small, and the same in every tenant.

use cortexkey_core::access::BUILT_IN_DOMAINS;

/// Asset groups, by id.
const ASSET_GROUPS: [(u64, &str); 3] = [(16, "prod-eu"), (17, "prod-us"), (18, "dev")];
const ENDPOINT_GROUPS: [&str; 3] = ["servers-eu", "servers-us", "laptops"];
const ENDPOINT_TAGS: [&str; 2] = ["vip", "kiosk"];

/// The name of an asset group.
pub(crate) fn asset_group(id: u64) -> Option<&'static str> {
    ASSET_GROUPS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

/// The place of a domain among the tenant's.
pub(crate) fn domain(name: &str) -> Option<usize> {
    BUILT_IN_DOMAINS.iter().position(|known| *known == name)
}

/// The place of an endpoint group among the tenant's.
pub(crate) fn endpoint_group(name: &str) -> Option<usize> {
    ENDPOINT_GROUPS.iter().position(|known| *known == name)
}

/// The place of an endpoint tag among the tenant's.
pub(crate) fn endpoint_tag(name: &str) -> Option<usize> {
    ENDPOINT_TAGS.iter().position(|known| *known == name)
}

//! What a scope of this tenant can name: asset groups, domains, endpoint groups, endpoint tags.
//!
//! It refuses to be a real inventory: it is small, and the same in every tenant.

use cortexkey_core::access::BUILT_IN_DOMAINS;

/// A group of assets.
pub(crate) struct AssetGroup {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// What its assets have in common.
    pub(crate) attribute: &'static str,
    pub(crate) value: &'static str,
    pub(crate) created_ms: u64,
    /// Whether a scope may name it: only groups of twelve attributes are offered for that.
    pub(crate) scopable: bool,
}

const fn group(id: u64, name: &'static str) -> AssetGroup {
    AssetGroup {
        id,
        name,
        description: "assets with one tag",
        attribute: "xdm.asset.tags",
        value: name,
        created_ms: 1_750_000_000_000,
        scopable: true,
    }
}

/// All of them, by id.
pub(crate) const ASSET_GROUPS: [AssetGroup; 4] = [
    group(16, "prod-eu"),
    group(17, "prod-us"),
    group(18, "dev"),
    AssetGroup {
        description: "assets by name, which no scope takes",
        attribute: "xdm.asset.name",
        value: "web-eu-1",
        scopable: false,
        ..group(19, "by-name")
    },
];

/// Endpoint groups.
pub(crate) const ENDPOINT_GROUPS: [&str; 3] = ["servers-eu", "servers-us", "laptops"];
/// Endpoint tags.
pub(crate) const ENDPOINT_TAGS: [&str; 2] = ["vip", "kiosk"];

/// The asset group with this id.
pub(crate) fn asset_group(id: u64) -> Option<&'static AssetGroup> {
    ASSET_GROUPS.iter().find(|group| group.id == id)
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

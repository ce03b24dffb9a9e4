//! Family N: names, owners, tenants.

pub(super) mod n004_owner_missing;
pub(super) mod n005_owner_not_allowed;
pub(super) mod n009_tenant_unknown;

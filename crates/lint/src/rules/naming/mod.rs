//! Family N: names, owners, tenants.

pub(super) mod n001_pattern;
pub(super) mod n002_length;
pub(super) mod n003_file_mismatch;
pub(super) mod n004_owner_missing;
pub(super) mod n005_owner_not_allowed;
pub(super) mod n006_comment_missing;
pub(super) mod n007_ticket_missing;
pub(super) mod n008_environment_mismatch;
pub(super) mod n009_tenant_unknown;

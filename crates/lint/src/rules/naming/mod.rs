//! Family N: names, owners, tenants.

pub(crate) mod n001_pattern;
pub(crate) mod n002_length;
pub(crate) mod n003_file_mismatch;
pub(crate) mod n004_owner_missing;
pub(crate) mod n005_owner_not_allowed;
pub(crate) mod n006_comment_missing;
pub(crate) mod n007_ticket_missing;
pub(crate) mod n008_environment_mismatch;
pub(crate) mod n009_tenant_unknown;

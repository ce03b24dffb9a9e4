//! Family C: findings across several files.

pub(crate) mod c001_duplicate_name;
pub(crate) mod c002_duplicate_grant;
pub(crate) mod c003_role_unused;
pub(crate) mod c004_owner_quota;
pub(crate) mod c006_widened;
pub(crate) mod c007_dropped;
pub(crate) mod c008_id_reuse;
pub(crate) mod keys;

pub(crate) use keys::{Group, groups};

//! Family R: the roles of a key.

pub(crate) mod held;
pub(crate) mod r001_unknown;
pub(crate) mod r002_forbidden;
pub(crate) mod r003_duplicate;
pub(crate) mod r004_too_many;
pub(crate) mod r005_toxic_combination;
pub(crate) mod r006_redundant;
pub(crate) mod r007_empty;
pub(crate) mod r008_deprecated;
pub(crate) mod r009_privileged_without_approval;
pub(crate) mod r010_generates_keys;
pub(crate) mod r011_by_id;

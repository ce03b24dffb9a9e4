//! Family R: roles.

pub(super) mod r001_unknown;
pub(super) mod r003_duplicate;
pub(super) mod r004_too_many;
pub(super) mod r007_empty;

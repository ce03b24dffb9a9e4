//! Family C: what only shows when several files are seen together.

pub(super) mod c001_duplicate_name;

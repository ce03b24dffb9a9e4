//! Family A: what a key may see.

pub(super) mod a001_missing;
pub(super) mod a003_empty_selection;
pub(super) mod a005_mode_conflict;

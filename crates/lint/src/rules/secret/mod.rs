//! Family X: secrets that have no place in a definition. No rule here prints what it found.

pub(super) mod x001_cortex_key;
pub(super) mod x002_high_entropy;
pub(super) mod x003_known_format;
pub(super) mod x004_field_present;
pub(super) mod x005_placeholder_reference;

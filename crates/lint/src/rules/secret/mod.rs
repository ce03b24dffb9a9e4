//! Family X: secrets that have no place in a definition. No rule here prints what it found.

pub(super) mod x004_field_present;

//! Family X: secrets in definitions. No rule here prints a secret.

pub(crate) mod x001_cortex_key;
pub(crate) mod x002_high_entropy;
pub(crate) mod x003_known_format;
pub(crate) mod x004_field_present;
pub(crate) mod x005_placeholder_reference;

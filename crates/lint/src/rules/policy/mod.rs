//! Family P: the policy itself and its waivers.

pub(crate) mod p001_waiver_expired;
pub(crate) mod p002_waiver_unused;
pub(crate) mod p003_waiver_too_long;
pub(crate) mod p004_suppression_not_allowed;
pub(crate) mod p005_suppression_unused;
pub(crate) mod p006_unknown_rule;
pub(crate) mod p007_weakened;
pub(crate) mod p008_rule_never_matches;
pub(crate) mod p009_waiver_incomplete;
mod samples;

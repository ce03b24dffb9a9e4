//! Family P: the policy itself and its waivers.

pub(super) mod p001_waiver_expired;
pub(super) mod p004_suppression_not_allowed;
pub(super) mod p006_unknown_rule;
pub(super) mod p007_weakened;
pub(crate) mod p009_waiver_incomplete;

const SOUND: &str = "waivers:\n  - { rule: expiry-too-long, key: svc-siem-export-prod, \
    reason: \"vendor rotates yearly, SEC-77\", approvedBy: ciso@example.com, expires: 2026-03-31 }\n";

//! Family P: the policy itself and its waivers.

pub(super) mod p001_waiver_expired;
pub(super) mod p002_waiver_unused;
pub(super) mod p003_waiver_too_long;
pub(super) mod p004_suppression_not_allowed;
pub(super) mod p005_suppression_unused;
pub(super) mod p006_unknown_rule;
pub(super) mod p007_weakened;
pub(super) mod p008_rule_never_matches;
pub(super) mod p009_waiver_incomplete;

/// A waiver in order, for a finding that is there.
const SOUND: &str = "rules: { expiry-beyond-product: { enabled: false } }\nwaivers:\n  \
    - { rule: expiry-too-long, key: svc-siem-export-prod, reason: \"vendor rotates yearly, SEC-77\", \
    approvedBy: ciso@example.com, expires: 2026-03-31 }\n";

/// What it is for.
const LONG: &str = "spec:\n  lifetime: 730d\n";

//! Parts of examples that several rules share.

/// A valid waiver for an existing finding.
pub(super) const SOUND: &str = "rules: { expiry-beyond-product: { enabled: false } }\nwaivers:\n  \
    - { rule: expiry-too-long, key: svc-siem-export-prod, reason: \"vendor rotates yearly, SEC-77\", \
    approvedBy: ciso@example.com, expires: 2026-03-31 }\n";

/// The definition that it covers.
pub(super) const LONG: &str = "spec:\n  lifetime: 730d\n";

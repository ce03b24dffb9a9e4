//! The files of the small organisation that `cortexkey quickstart` shows.
//!
//! Whatever the date, they have exactly two errors, which quickstart finds and fixes.

/// Path and text of each file; the policy is the first.
pub const FILES: &[(&str, &str)] = &[
    ("cortexkey.yaml", include_str!("../../../policies/quickstart/cortexkey.yaml")),
    (
        "keys/svc-siem-export-prod.yaml",
        include_str!("../../../policies/quickstart/keys/svc-siem-export-prod.yaml"),
    ),
    (
        "keys/svc-ticket-bridge-prod.yaml",
        include_str!("../../../policies/quickstart/keys/svc-ticket-bridge-prod.yaml"),
    ),
    (
        "keys/bot-triage-prod.yaml",
        include_str!("../../../policies/quickstart/keys/bot-triage-prod.yaml"),
    ),
];

//! A small organisation to try things on, as files.
//!
//! Whatever the date, it gives exactly two errors; `cortexkey quickstart` shows them being found
//! and mended.

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

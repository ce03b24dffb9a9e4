//! A small organisation to try things on, as files.
//!
//! Whatever the date, it gives exactly two errors; `cortexkey quickstart` shows them being found
//! and mended.

/// Path and text of each file; the policy is the first.
pub const FILES: &[(&str, &str)] = &[
    ("cortexkey.yaml", include_str!("../../../policies/example/cortexkey.yaml")),
    ("keys/siem-export.yaml", include_str!("../../../policies/example/keys/siem-export.yaml")),
    ("keys/ticket-bridge.yaml", include_str!("../../../policies/example/keys/ticket-bridge.yaml")),
    ("keys/triage-bot.yaml", include_str!("../../../policies/example/keys/triage-bot.yaml")),
];

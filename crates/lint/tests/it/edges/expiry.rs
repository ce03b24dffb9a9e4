//! Family E: when a key ends.

use super::{key, mended, said};

/// A key whose end is written so.
fn ends(line: &str) -> String {
    key("lifetime: 90d", line)
}

/// What a limit makes of an end, as the mending writes it.
fn clamped(max: &str, line: &str) -> String {
    let policy = format!("rules: {{ E003: {{ max: {max} }}, E004: {{ enabled: false }} }}\n");
    let text = mended("E003", &policy, &ends(line)).unwrap_or_default();
    let line = text.lines().find(|line| line.contains("lifetime:") || line.contains("expires:"));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_limit_is_written_in_days_else_hours_else_minutes() {
    for (max, written) in
        [("30d", "30d"), ("24h", "1d"), ("23h", "23h"), ("60m", "1h"), ("59m", "59m")]
    {
        assert_eq!(clamped(max, "lifetime: 60d"), format!("lifetime: {written}"));
    }
}

#[test]
fn a_limit_on_a_time_is_the_last_whole_day_within_it() {
    for (max, written) in [
        ("30d", "\"2026-01-30T00:00:00Z\""),
        ("3d", "\"2026-01-03T00:00:00Z\""),
        ("2d", "\"2026-01-02T00:00:00Z\""),
        ("47h", "\"2026-01-02T23:00:00Z\""),
    ] {
        let line = clamped(max, "expires: 2026-05-28T00:00:00Z");
        assert_eq!(line, format!("expires: {written}"));
    }
}

#[test]
fn durations_are_told_in_days_else_hours_else_minutes() {
    for (line, told) in [
        ("lifetime: 60d", "60 days"),
        ("lifetime: 24h", "1 day"),
        ("lifetime: 23h", "23 hours"),
        ("lifetime: 60m", "1 hour"),
        ("lifetime: 59m", "59 minutes"),
    ] {
        let told = format!("this key lives for {told}; the policy allows 30 minutes");
        assert_eq!(said("E003", "rules: { E003: { max: 30m } }\n", &ends(line)), [told]);
    }
}

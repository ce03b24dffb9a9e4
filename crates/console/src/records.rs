//! Keys in the form of the table and the exports.

pub(crate) use cortexkey_client::time::time_text as time;
use cortexkey_core::lifecycle::Expiry;

const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The day of a time, in UTC.
pub(crate) fn day(ms: u64) -> String {
    time(ms).chars().take(10).collect()
}

/// A span of time in its largest unit, such as `89 days`.
pub(crate) fn span(ms: u64) -> String {
    let (count, unit) = match ms {
        0..HOUR_MS => (ms / MINUTE_MS, "minute"),
        HOUR_MS..DAY_MS => (ms / HOUR_MS, "hour"),
        _ => (ms / DAY_MS, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// The remaining lifetime of a key, in words.
pub(crate) fn left(expiry: Expiry, now_ms: u64) -> String {
    match expiry {
        Expiry::Never => "never".to_owned(),
        Expiry::At { ms } if ms <= now_ms => format!("expired {} ago", span(now_ms - ms)),
        Expiry::At { ms } => span(ms - now_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_in_words() {
        let now = 100 * DAY_MS;
        for (expiry, words) in [
            (Expiry::Never, "never"),
            (Expiry::At { ms: now + DAY_MS }, "1 day"),
            (Expiry::At { ms: now + 89 * DAY_MS + 5 }, "89 days"),
            (Expiry::At { ms: now + DAY_MS - 1 }, "23 hours"),
            (Expiry::At { ms: now + MINUTE_MS }, "1 minute"),
            (Expiry::At { ms: now }, "expired 0 minutes ago"),
            (Expiry::At { ms: now - 2 * DAY_MS }, "expired 2 days ago"),
        ] {
            assert_eq!(left(expiry, now), words);
        }
        assert_eq!(day(1_790_000_000_000), "2026-09-21");
    }
}

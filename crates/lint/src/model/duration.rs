//! Durations in messages.

use jiff::SignedDuration;

/// A duration in words: in days, hours or minutes.
pub(crate) fn duration_in_words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A duration in words; more precise if the limit that it exceeds would read the same.
pub(crate) fn duration_beyond(duration: SignedDuration, limit: SignedDuration) -> String {
    let whole = duration_in_words(duration);
    if whole != duration_in_words(limit) {
        return whole;
    }
    let rest = match duration.as_secs() {
        seconds @ 86_400.. => seconds % 86_400,
        seconds @ 3_600.. => seconds % 3_600,
        seconds => seconds % 60,
    };
    if rest < 60 {
        return format!("{whole} and {rest} second{}", if rest == 1 { "" } else { "s" });
    }
    format!("{whole} and {}", duration_in_words(SignedDuration::from_secs(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_never_reads_like_the_limit_that_it_exceeds() {
        let days = |days: i64, seconds: i64| SignedDuration::from_secs(days * 86_400 + seconds);
        for (duration, words) in [
            (days(365, 0), "365 days"),
            (days(180, 2 * 3_600), "180 days and 2 hours"),
            (days(180, 61), "180 days and 1 minute"),
            (days(180, 1), "180 days and 1 second"),
        ] {
            assert_eq!(duration_beyond(duration, days(180, 0)), words);
        }
    }
}

//! Keys in the form of the table and the exports.

pub(crate) use cortexkey_client::table::created_text;
pub(crate) use cortexkey_client::time::time_text as time;
use cortexkey_core::lifecycle::Expiry;

const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The day of a time, in UTC.
pub(crate) fn day(ms: u64) -> String {
    time(ms).chars().take(10).collect()
}

/// The month of a time, in UTC, such as `Mar`.
pub(crate) fn month(ms: u64) -> String {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = time(ms).get(5..7).and_then(|number| number.parse::<usize>().ok());
    let name = number.and_then(|number| NAMES.get(number.checked_sub(1)?));
    name.copied().unwrap_or_default().to_owned()
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

/// A message as a sentence.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// A number with commas between its thousands.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("choose at least one role"), "Choose at least one role.");
        assert_eq!(sentence(""), ".");
    }

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
        assert_eq!(month(1_790_000_000_000), "Sep");
        assert_eq!(month(u64::MAX), "");
    }
}

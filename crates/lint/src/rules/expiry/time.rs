//! How long a key lives, and how lifetimes are written.

use cortexkey_manifest::definition::ExpirySpec;
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};

/// How long a key lives from now on; `None` if it never expires.
pub(super) fn remaining(expiry: ExpirySpec, now: Timestamp) -> Option<SignedDuration> {
    match expiry {
        ExpirySpec::At(end) => Some(end.duration_since(now)),
        ExpirySpec::After(lifetime) => Some(lifetime),
        ExpirySpec::Never => None,
    }
}

/// The latest expiry within a limit, in the form of definitions: a lifetime in days, hours or
/// minutes, or the last full day.
pub(super) fn clamped(expiry: ExpirySpec, limit: SignedDuration, now: Timestamp) -> Option<String> {
    if let ExpirySpec::After(_) = expiry {
        return Some(match limit.as_secs() {
            seconds @ 86_400.. => format!("{}d", seconds / 86_400),
            seconds @ 3_600.. => format!("{}h", seconds / 3_600),
            seconds => format!("{}m", seconds / 60),
        });
    }
    let end = now.checked_add(limit).ok()?;
    // A date means the end of that day, so the day before the limit's own is within it.
    let day = Offset::UTC.to_datetime(end).date().yesterday().ok()?;
    let whole = SignedDuration::from_secs(2 * 86_400);
    Some(if limit >= whole { format!("\"{day}T00:00:00Z\"") } else { format!("\"{end}\"") })
}

/// A lifetime in the largest unit that has no remainder.
pub(super) fn format_lifetime(lifetime: SignedDuration) -> String {
    match lifetime.as_secs() {
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds => format!("{}m", seconds / 60),
    }
}

/// The longest lifetime that the product's API allows: six calendar months from now.
pub(super) fn product_limit(now: Timestamp) -> Option<SignedDuration> {
    let today = Offset::UTC.to_datetime(now);
    let then = today.checked_add(Span::new().months(6)).ok()?;
    Some(Offset::UTC.to_timestamp(then).ok()?.duration_since(now))
}

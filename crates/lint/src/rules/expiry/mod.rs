//! Family E: when a key ends.

use cortexkey_manifest::definition::Expiry;
use jiff::{SignedDuration, Timestamp};

pub(super) mod e001_missing;
pub(super) mod e002_past;
pub(super) mod e003_too_long;
pub(super) mod e004_soon;
pub(super) mod e005_invalid;
pub(super) mod e007_beyond_product;

/// How long a key lives from now on; nothing for one that never ends.
fn remaining(expiry: Expiry, now: Timestamp) -> Option<SignedDuration> {
    match expiry {
        Expiry::At(end) => Some(end.duration_since(now)),
        Expiry::After(lifetime) => Some(lifetime),
        Expiry::Never => None,
    }
}

/// A duration in words: days, else hours, else minutes.
fn words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

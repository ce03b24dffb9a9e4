//! [`Expiry`]: never, or an instant. The manifest crate parses dates.
//!
//! `auth` and `lifecycle` both use it, so it is a module of its own; `lifecycle` exports it.

use core::fmt;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const WEEK_MS: u64 = 7 * DAY_MS;

/// When a key expires.
///
/// ```
/// use cortexkey_core::lifecycle::{Expiry, ExpiryState};
///
/// let expiry = Expiry::At { ms: 1_800_000_000_000 };
/// assert_eq!(expiry.state(1_800_000_000_000), ExpiryState::Expired);
/// assert_eq!(expiry.state(1_799_999_999_999), ExpiryState::ExpiresWithinDay);
/// assert_eq!(Expiry::Never.state(u64::MAX), ExpiryState::Valid);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// It does not expire.
    Never,
    /// It expires at this time.
    At {
        /// Milliseconds since 1970.
        ms: u64,
    },
}

impl Expiry {
    /// The expiry of a key with a lifetime, in milliseconds: a definition's `lifetime` counts from
    /// the key's generation.
    pub const fn after(created_ms: u64, lifetime_ms: u64) -> Self {
        Self::At { ms: created_ms.saturating_add(lifetime_ms) }
    }

    /// The lifetime of a key that was generated at this time, in milliseconds; `None` if it never
    /// expires.
    pub const fn lifetime_ms(self, created_ms: u64) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::At { ms } => Some(ms.saturating_sub(created_ms)),
        }
    }

    /// Whether the key is expired at this time.
    pub const fn is_expired(self, now_ms: u64) -> bool {
        match self {
            Self::Never => false,
            Self::At { ms } => now_ms >= ms,
        }
    }

    /// The state of the key at this time.
    pub const fn state(self, now_ms: u64) -> ExpiryState {
        let Self::At { ms } = self else { return ExpiryState::Valid };
        match ms.saturating_sub(now_ms) {
            0 => ExpiryState::Expired,
            1..=DAY_MS => ExpiryState::ExpiresWithinDay,
            left if left <= WEEK_MS => ExpiryState::ExpiresWithinWeek,
            _ => ExpiryState::Valid,
        }
    }

    /// When a notice is due, in milliseconds since 1970; `None` if the key never expires.
    pub const fn notice_due_ms(self, notice: ExpiryNotice) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::At { ms } => Some(ms.saturating_sub(match notice {
                ExpiryNotice::OneWeekBefore => WEEK_MS,
                ExpiryNotice::OneDayBefore => DAY_MS,
            })),
        }
    }
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpiryState {
    /// More than a week is left, or it never expires.
    Valid,
    /// A week or less is left.
    ExpiresWithinWeek,
    /// A day or less is left.
    ExpiresWithinDay,
    /// It is expired.
    Expired,
}

impl ExpiryState {
    /// The name in JSON and tables, such as `expires-within-week`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::ExpiresWithinWeek => "expires-within-week",
            Self::ExpiresWithinDay => "expires-within-day",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for ExpiryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The notices that the product sends before a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpiryNotice {
    /// One week before.
    OneWeekBefore,
    /// One day before.
    OneDayBefore,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_change_at_their_edges() {
        let at = 10 * WEEK_MS;
        let expiry = Expiry::At { ms: at };
        for (now, state) in [
            (0, ExpiryState::Valid),
            (at - WEEK_MS - 1, ExpiryState::Valid),
            (at - WEEK_MS, ExpiryState::ExpiresWithinWeek),
            (at - DAY_MS - 1, ExpiryState::ExpiresWithinWeek),
            (at - DAY_MS, ExpiryState::ExpiresWithinDay),
            (at - 1, ExpiryState::ExpiresWithinDay),
            (at, ExpiryState::Expired),
            (u64::MAX, ExpiryState::Expired),
        ] {
            assert_eq!(expiry.state(now), state, "{now}");
            assert_eq!(expiry.is_expired(now), state == ExpiryState::Expired);
        }
        assert_eq!(Expiry::after(5, at - 5), expiry);
        assert_eq!(expiry.lifetime_ms(at - DAY_MS), Some(DAY_MS));
        assert_eq!(Expiry::Never.lifetime_ms(0), None);
        assert_eq!(expiry.notice_due_ms(ExpiryNotice::OneDayBefore), Some(at - DAY_MS));
        assert_eq!(Expiry::Never.notice_due_ms(ExpiryNotice::OneWeekBefore), None);
    }
}

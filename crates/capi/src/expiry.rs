//! The expiry state of a key.

use cortexkey_core::lifecycle::{Expiry, ExpiryNotice, ExpiryState};

use crate::output::{self, ZeroIsValid};
use crate::status::cxk_status;

/// The `expires_ms` of a key that never expires.
pub const CXK_NEVER: u64 = u64::MAX;

/// The expiry state of a key: one of `CXK_EXPIRY_...`. 0 is not a state.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_expiry_state = u32;

/// More than a week is left, or the key never expires.
pub const CXK_EXPIRY_VALID: cxk_expiry_state = 1;
/// A week or less is left.
pub const CXK_EXPIRY_WITHIN_WEEK: cxk_expiry_state = 2;
/// A day or less is left.
pub const CXK_EXPIRY_WITHIN_DAY: cxk_expiry_state = 3;
/// The key has expired.
pub const CXK_EXPIRY_EXPIRED: cxk_expiry_state = 4;

/// The expiry of a key at a given time. Times are in milliseconds since 1970.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_expiry {
    /// When the key expires; `CXK_NEVER` if it does not.
    pub expires_ms: u64,
    /// When the product's notice of one week is due; `CXK_NEVER` if the key never expires.
    pub week_notice_due_ms: u64,
    /// When the product's notice of one day is due; `CXK_NEVER` if the key never expires.
    pub day_notice_due_ms: u64,
    /// The state at the given time.
    pub state: cxk_expiry_state,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: numbers; zeros are numbers.
unsafe impl ZeroIsValid for cxk_expiry {}

/// Computes the expiry state of a key at a given time, and when the product's notices are due.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`.
///
/// ```c
/// cxk_expiry expiry;
/// if (cxk_expiry_at(1800000000000u, 1799999999999u, &expiry) == CXK_OK &&
///     expiry.state == CXK_EXPIRY_WITHIN_DAY)
///   puts("rotate it today");
/// ```
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_expiry_at(
    expires_ms: u64,
    now_ms: u64,
    out: *mut cxk_expiry,
) -> cxk_status {
    let fill = |out: &mut cxk_expiry| {
        let expiry = expiry_of(expires_ms);
        let due = |notice| expiry.notice_due_ms(notice).unwrap_or(CXK_NEVER);
        *out = cxk_expiry {
            expires_ms,
            week_notice_due_ms: due(ExpiryNotice::OneWeekBefore),
            day_notice_due_ms: due(ExpiryNotice::OneDayBefore),
            state: match expiry.state(now_ms) {
                ExpiryState::Valid => CXK_EXPIRY_VALID,
                ExpiryState::ExpiresWithinWeek => CXK_EXPIRY_WITHIN_WEEK,
                ExpiryState::ExpiresWithinDay => CXK_EXPIRY_WITHIN_DAY,
                ExpiryState::Expired => CXK_EXPIRY_EXPIRED,
            },
            reserved: 0,
        };
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, fill) }
}

/// The core's form of `expires_ms`.
pub(crate) const fn expiry_of(expires_ms: u64) -> Expiry {
    match expires_ms {
        CXK_NEVER => Expiry::Never,
        ms => Expiry::At { ms },
    }
}

/// C's form of an expiry.
pub(crate) const fn expires_ms_of(expiry: Expiry) -> u64 {
    match expiry {
        Expiry::Never => CXK_NEVER,
        Expiry::At { ms } => ms,
    }
}

//! Turns a panic into `CXK_INTERNAL`.
//!
//! Nothing unwinds into C. Rust's own panic message still goes to standard error; our messages
//! contain no key.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::{CXK_INTERNAL, CXK_OK, cxk_status};

/// Runs the work of a call and returns its status.
///
/// After a panic, no partial result is visible: outputs are cleared by
/// [`output::fill`](crate::output::fill).
pub(crate) fn caught(work: impl FnOnce() -> Result<(), cxk_status>) -> cxk_status {
    let work = || {
        let done = work();
        #[cfg(test)]
        fault::panic_if_due();
        done
    };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => CXK_OK,
        Ok(Err(status)) => status,
        Err(payload) => {
            // Dropping the panic's payload could panic again.
            core::mem::forget(payload);
            CXK_INTERNAL
        }
    }
}

/// Injects a panic after a call's work.
#[cfg(test)]
pub(crate) mod fault {
    use std::cell::Cell;

    thread_local!(static CALLS_LEFT: Cell<u32> = const { Cell::new(0) });

    /// The call on this thread that panics: the next one for 1, the one after it for 2.
    pub(crate) fn panic_at(call: u32) {
        CALLS_LEFT.set(call);
    }

    pub(super) fn panic_if_due() {
        let left = CALLS_LEFT.get();
        CALLS_LEFT.set(left.saturating_sub(1));
        assert_ne!(left, 1, "injected by a test");
    }
}

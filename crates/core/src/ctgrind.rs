//! Tells valgrind where a secret becomes public: at the result of a comparison. Only the
//! constant-time proof builds it, with `--cfg ctgrind`; see `docs/assurance.md`.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// Marks bytes from an address on as public.
pub type MarkPublic = extern "C" fn(*const u8, usize);

/// The call to valgrind, which the test sets.
pub static MARK_PUBLIC: OnceLock<MarkPublic> = OnceLock::new();

/// Returns the same value, which may be branched on. It is atomic so that it is read again from the
/// marked memory.
pub(crate) fn public(value: bool) -> bool {
    let value = AtomicBool::new(value);
    if let Some(mark) = MARK_PUBLIC.get() {
        mark(value.as_ptr().cast_const().cast(), size_of::<bool>());
    }
    value.load(Ordering::SeqCst)
}

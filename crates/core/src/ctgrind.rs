//! Tells valgrind where a secret becomes public. Only the proof of constant time builds it, with
//! `--cfg ctgrind`; see `docs/assurance.md`.
//!
//! It refuses to call anything public but the answer of a comparison.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// Marks so many bytes from an address on as known to everybody.
pub type MarkPublic = extern "C" fn(*const u8, usize);

/// How valgrind is told; the proof sets it.
pub static MARK_PUBLIC: OnceLock<MarkPublic> = OnceLock::new();

/// The same value, which may be branched on. It is atomic so that it is read again from the memory
/// that was marked.
pub(crate) fn public(value: bool) -> bool {
    let value = AtomicBool::new(value);
    if let Some(mark) = MARK_PUBLIC.get() {
        mark(value.as_ptr().cast_const().cast(), size_of::<bool>());
    }
    value.load(Ordering::SeqCst)
}

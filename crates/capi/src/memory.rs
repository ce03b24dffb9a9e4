//! Functions that need no handle: they draw a nonce, compare secrets, and wipe memory.

use core::ffi::{c_char, c_void};

use subtle::ConstantTimeEq as _;

use crate::headers::CXK_NONCE_SIZE;
use crate::input;
use crate::output::{self, ZeroIsValid};
use crate::source;
use crate::status::{CXK_BUFFER_TOO_SMALL, CXK_OK, CXK_TOO_LARGE, cxk_status};

// SAFETY: zero is a character.
unsafe impl ZeroIsValid for c_char {}

/// Draws a nonce: 64 uniformly distributed letters and digits, and NUL.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BUFFER_TOO_SMALL` (`out_size` below `CXK_NONCE_SIZE`),
///   `CXK_TOO_LARGE` (`out_size` above 4,096), `CXK_RNG_FAILED`.
///
/// ```c
/// char nonce[CXK_NONCE_SIZE];
/// if (cxk_nonce(nonce, sizeof nonce) == CXK_OK) puts(nonce);
/// ```
///
/// # Safety
///
/// `out` points to `out_size` writable bytes.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_nonce(out: *mut c_char, out_size: usize) -> cxk_status {
    let draw = |out: &mut [c_char]| {
        if out.len() < CXK_NONCE_SIZE {
            return Err(CXK_BUFFER_TOO_SMALL);
        }
        let nonce = source::nonce()?;
        output::bytes(out)
            .iter_mut()
            .zip(nonce.as_bytes())
            .for_each(|(place, byte)| *place = *byte);
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill_all(out, out_size, 4_096, draw) }
}

/// The largest slice where pointers have 32 bits.
const EQUAL_BYTES_MAX: usize = (1 << 31) - 1;

/// Compares `len` bytes in constant time: returns 1 if they are equal and 0 if not. The time
/// depends only on `len`.
///
/// - Ownership: both buffers stay the caller's.
/// - Threads: any.
/// - Errors: returns 0 if a pointer is NULL, or `len` is 0 or above 2^31 - 1.
///
/// ```c
/// const char received[] = "0123456789abcdef", stored[] = "0123456789abcdef";
/// if (!cxk_equal(received, stored, sizeof stored)) abort();
/// ```
///
/// # Safety
///
/// `a` and `b` point to `len` readable bytes each.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_equal(a: *const c_void, b: *const c_void, len: usize) -> i32 {
    let mut equal = false;
    let compare = || {
        // SAFETY: this function's contract.
        let bytes = |start: *const c_void| unsafe {
            input::bytes(start.cast(), len, EQUAL_BYTES_MAX, CXK_TOO_LARGE)
        };
        equal = bytes(a)?.ct_eq(bytes(b)?).into();
        Ok(())
    };
    let done = crate::panic::caught(compare) == CXK_OK;
    i32::from(done && equal && len > 0)
}

/// Overwrites memory with zeros. The compiler never removes this call, as it may do with
/// `memset()`.
///
/// - Ownership: the memory stays the caller's. NULL is allowed and ignored.
/// - Threads: any, as long as no other thread uses the same memory.
/// - Errors: none.
///
/// ```c
/// cxk_headers headers;
/// if (cxk_signer_headers(signer, &headers) == CXK_OK) send(&headers);
/// cxk_wipe(&headers, sizeof headers);
/// ```
///
/// # Safety
///
/// `memory` is NULL, or points to `len` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_wipe(memory: *mut c_void, len: usize) {
    // SAFETY: this function's contract.
    unsafe { output::wipe(memory, len) };
}

//! The release, and the version of the binary interface.

use core::ffi::{CStr, c_char};

/// The ABI version. It increases when a program built with an older header would misbehave, and is
/// part of the shared library's file name.
pub const CXK_ABI_VERSION: u32 = 0;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// Returns the ABI version of the loaded library. `cxk_abi_check()` compares it with the header's
/// `CXK_ABI_VERSION`.
///
/// - Threads: any.
/// - Errors: none.
///
/// ```c
/// if (cxk_abi_version() != CXK_ABI_VERSION) abort();
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_abi_version() -> u32 {
    CXK_ABI_VERSION
}

/// Returns the release of the loaded library, such as "0.1.0".
///
/// - Ownership: the string belongs to the library and stays valid for the whole run.
/// - Threads: any.
/// - Errors: none; never NULL.
///
/// ```c
/// printf("built with %s, runs with %s\n", CXK_VERSION, cxk_version());
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_version() -> *const c_char {
    VERSION.as_ptr()
}

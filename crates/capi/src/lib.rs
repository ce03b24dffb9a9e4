//! The C library: signs requests to Palo Alto Networks Cortex APIs.
//!
//! It refuses logic of its own (the core judges), callbacks, global state, a last error per
//! thread, memory that C would have to give back other than by a handle's own `_free`, and any
//! panic on its way to C. `include/cortexkey.h` is made from these files by `cargo xtask header`,
//! in the order of the modules below; what is said at each function here is said there.

mod version;

mod status;

mod headers;

mod signer;

mod handle;
mod output;
mod panic;

pub use headers::{
    CXK_AUTHORIZATION_SIZE, CXK_HEADER_LINE_SIZE, CXK_HEADER_LINES_MAX, CXK_KEY_ID_SIZE,
    CXK_NONCE_SIZE, CXK_TIMESTAMP_SIZE, cxk_header_lines, cxk_header_lines_size,
    cxk_header_lines_wipe, cxk_headers, cxk_headers_size, cxk_headers_wipe,
};
pub use signer::{
    CXK_LEVEL_ADVANCED, CXK_LEVEL_STANDARD, cxk_level, cxk_signer, cxk_signer_free,
    cxk_signer_header_lines, cxk_signer_header_lines_at, cxk_signer_headers, cxk_signer_headers_at,
    cxk_signer_new,
};
pub use status::{
    CXK_ABI_MISMATCH, CXK_BAD_ARG, CXK_CLOCK_FAILED, CXK_INTERNAL, CXK_INVALID_KEY,
    CXK_INVALID_KEY_ID, CXK_INVALID_LEVEL, CXK_INVALID_NONCE, CXK_INVALID_TIMESTAMP, CXK_NO_MEMORY,
    CXK_NULL_ARG, CXK_OK, CXK_RNG_FAILED, CXK_WRONG_HANDLE, cxk_status, cxk_status_message,
    cxk_status_name,
};
pub use version::{CXK_ABI_VERSION, cxk_abi_version, cxk_version};

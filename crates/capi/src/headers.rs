//! The answers of a signer, in memory of the caller's.
//!
//! It refuses pointers in them: a fixed size needs no freeing and can be copied.

use core::ffi::c_char;

use cortexkey_core::auth::Headers;

use crate::output::{self, ZeroIsValid, put};
use crate::status::cxk_status;

/// Bytes for a key id: 20 digits and NUL.
pub const CXK_KEY_ID_SIZE: usize = 21;
/// Bytes for `Authorization`: a key of 256 bytes and NUL.
pub const CXK_AUTHORIZATION_SIZE: usize = 257;
/// Bytes for a nonce: 64 characters and NUL.
pub const CXK_NONCE_SIZE: usize = 65;
/// Bytes for a time: 13 digits and NUL.
pub const CXK_TIMESTAMP_SIZE: usize = 14;
/// The most headers that a request needs.
pub const CXK_HEADER_LINES_MAX: usize = 4;
/// Bytes for a line: "Authorization: ", a key of 256 bytes and NUL.
pub const CXK_HEADER_LINE_SIZE: usize = 272;

/// The header values of one request, each ended by NUL; all zeros when a call fails.
///
/// With a Standard key `authorization` is the key itself, and `nonce` and `timestamp` are empty:
/// such headers are not sent. Clear it with `cxk_headers_wipe()` when it has been used.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_headers {
    /// `x-xdr-auth-id`
    pub key_id: [c_char; CXK_KEY_ID_SIZE],
    /// `Authorization`
    pub authorization: [c_char; CXK_AUTHORIZATION_SIZE],
    /// `x-xdr-nonce`
    pub nonce: [c_char; CXK_NONCE_SIZE],
    /// `x-xdr-timestamp`
    pub timestamp: [c_char; CXK_TIMESTAMP_SIZE],
}

/// The headers of one request as lines `Name: value` without a line end, as libcurl's
/// `curl_slist_append()` takes them; all zeros when a call fails.
///
/// Clear it with `cxk_header_lines_wipe()` when it has been used.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_header_lines {
    /// How many lines there are: 2 with a Standard key, 4 with an Advanced one.
    pub count: u32,
    /// The lines; those from `count` on are empty.
    pub line: [[c_char; CXK_HEADER_LINE_SIZE]; CXK_HEADER_LINES_MAX],
}

// SAFETY: arrays of characters; zeros are characters.
unsafe impl ZeroIsValid for cxk_headers {}
// SAFETY: a number and arrays of characters; zeros are both.
unsafe impl ZeroIsValid for cxk_header_lines {}

impl cxk_headers {
    pub(crate) fn put(&mut self, headers: &Headers<'_>) -> Result<(), cxk_status> {
        put(&mut self.key_id, &[headers.key_id()])?;
        put(&mut self.authorization, &[headers.authorization()])?;
        put(&mut self.nonce, &[headers.nonce().unwrap_or_default()])?;
        put(&mut self.timestamp, &[headers.timestamp().unwrap_or_default()])
    }
}

impl cxk_header_lines {
    pub(crate) fn put(&mut self, headers: &Headers<'_>) -> Result<(), cxk_status> {
        for ((name, value), line) in headers.iter().zip(&mut self.line) {
            put(line, &[name, ": ", value])?;
            self.count += 1;
        }
        Ok(())
    }
}

/// `sizeof(cxk_headers)` in the library, for languages that do not read this header.
///
/// - Threads: any.
/// - Errors: none.
///
/// ```c
/// if (cxk_headers_size() != sizeof(cxk_headers)) abort();
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_headers_size() -> usize {
    size_of::<cxk_headers>()
}

/// `sizeof(cxk_header_lines)` in the library, for languages that do not read this header.
///
/// - Threads: any.
/// - Errors: none.
///
/// ```c
/// if (cxk_header_lines_size() != sizeof(cxk_header_lines)) abort();
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_header_lines_size() -> usize {
    size_of::<cxk_header_lines>()
}

/// Overwrites headers with zeros. A compiler does not leave it out, as it may a `memset()`.
///
/// - Ownership: the memory stays the caller's. NULL is left alone.
/// - Threads: any, while no other uses the same memory.
/// - Errors: none.
///
/// ```c
/// cxk_headers headers;
/// if (cxk_signer_headers(signer, &headers) == CXK_OK) send(&headers);
/// cxk_headers_wipe(&headers);
/// ```
///
/// # Safety
///
/// `headers` is NULL or points to memory of its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_headers_wipe(headers: *mut cxk_headers) {
    // SAFETY: this function's contract.
    unsafe { output::wipe(headers) }
}

/// Overwrites header lines with zeros. A compiler does not leave it out, as it may a `memset()`.
///
/// - Ownership: the memory stays the caller's. NULL is left alone.
/// - Threads: any, while no other uses the same memory.
/// - Errors: none.
///
/// ```c
/// cxk_header_lines lines;
/// if (cxk_signer_header_lines(signer, &lines) == CXK_OK) puts(lines.line[0]);
/// cxk_header_lines_wipe(&lines);
/// ```
///
/// # Safety
///
/// `lines` is NULL or points to memory of its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_header_lines_wipe(lines: *mut cxk_header_lines) {
    // SAFETY: this function's contract.
    unsafe { output::wipe(lines) }
}

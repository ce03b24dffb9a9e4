//! The structures that a signer fills, in the caller's memory.

use core::ffi::c_char;
use core::ptr;

use cortexkey_core::auth::{Headers, SignatureSlot};

use crate::output::{ZeroIsValid, bytes, put};
use crate::status::cxk_status;

/// Size of a key id in bytes: 20 digits and NUL.
pub const CXK_KEY_ID_SIZE: usize = 21;
/// Size of `Authorization` in bytes: a key of 256 bytes and NUL.
pub const CXK_AUTHORIZATION_SIZE: usize = 257;
/// Size of an Advanced digest in bytes: 64 hexadecimal digits and NUL.
pub const CXK_DIGEST_SIZE: usize = 65;
/// Size of a nonce in bytes: 64 characters and NUL.
pub const CXK_NONCE_SIZE: usize = 65;
/// Size of a timestamp in bytes: 13 digits and NUL.
pub const CXK_TIMESTAMP_SIZE: usize = 14;
/// The largest number of headers that a request needs.
pub const CXK_HEADER_LINES_MAX: usize = 4;
/// Size of a header line in bytes: "Authorization: ", a key of 256 bytes and NUL.
pub const CXK_HEADER_LINE_SIZE: usize = 272;

/// The header values of one request, each terminated by NUL; all zeros if a call fails.
///
/// With a Standard key, `authorization` is the key itself, and `nonce` and `timestamp` are empty:
/// do not send them. Wipe the structure with `cxk_wipe()` after use.
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

/// The headers of one request as lines `Name: value` without a line ending, as libcurl's
/// `curl_slist_append()` expects them; all zeros if a call fails.
///
/// Wipe the structure with `cxk_wipe()` after use.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_header_lines {
    /// The number of lines: 2 with a Standard key, 4 with an Advanced key.
    pub count: u32,
    /// The lines, each terminated by NUL; those from `count` on are empty.
    pub line: [[c_char; CXK_HEADER_LINE_SIZE]; CXK_HEADER_LINES_MAX],
}

/// The signature of one request with an Advanced key, each value terminated by NUL; all zeros if a
/// call fails. It does not contain the key id, which is the same for all.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_signature {
    /// `Authorization`
    pub authorization: [c_char; CXK_DIGEST_SIZE],
    /// `x-xdr-nonce`
    pub nonce: [c_char; CXK_NONCE_SIZE],
    /// `x-xdr-timestamp`
    pub timestamp: [c_char; CXK_TIMESTAMP_SIZE],
}

// SAFETY: arrays of characters; zeros are characters.
unsafe impl ZeroIsValid for cxk_headers {}
// SAFETY: as above.
unsafe impl ZeroIsValid for cxk_signature {}
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

impl cxk_signature {
    /// Writes the time, which is the same for the whole batch, and the NUL after each value.
    pub(crate) fn finish(&mut self, timestamp: &[u8; 13]) {
        let [.., end] = &mut self.authorization;
        *end = 0;
        let [.., end] = &mut self.nonce;
        *end = 0;
        let [digits @ .., end] = &mut self.timestamp;
        bytes(digits).copy_from_slice(timestamp);
        *end = 0;
    }
}

/// The core writes signatures directly to C's memory.
impl SignatureSlot for cxk_signature {
    fn nonce(&self) -> &[u8; CXK_NONCE_SIZE - 1] {
        let [characters @ .., _] = &self.nonce;
        // SAFETY: a `c_char` is a byte.
        unsafe { &*ptr::from_ref(characters).cast() }
    }

    fn nonce_mut(&mut self) -> &mut [u8; CXK_NONCE_SIZE - 1] {
        let [characters @ .., _] = &mut self.nonce;
        // SAFETY: as above.
        unsafe { &mut *ptr::from_mut(characters).cast() }
    }

    fn authorization_mut(&mut self) -> &mut [u8; CXK_DIGEST_SIZE - 1] {
        let [digits @ .., _] = &mut self.authorization;
        // SAFETY: as above.
        unsafe { &mut *ptr::from_mut(digits).cast() }
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

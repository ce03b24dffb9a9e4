//! The signer handle and the functions that sign.

use core::ffi::c_char;

use cortexkey_core::auth::{
    Headers, KEY_BYTES_MAX, Key, KeyId, Level, NONCE_BYTES, Nonce, Signer, Timestamp,
};

use crate::handle::{self, FEW_BYTES, Handle};
use crate::headers::{cxk_header_lines, cxk_headers, cxk_signature};
use crate::input;
use crate::output::{self, ZeroIsValid};
use crate::source;
use crate::status::{
    CXK_INTERNAL, CXK_INVALID_KEY, CXK_INVALID_KEY_ID, CXK_INVALID_LEVEL, CXK_INVALID_NONCE,
    CXK_INVALID_TIMESTAMP, cxk_status,
};

/// The Security Level of a key: `CXK_LEVEL_STANDARD` or `CXK_LEVEL_ADVANCED`. The key itself does
/// not reveal it.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_level = u32;

/// Requests carry the key itself.
pub const CXK_LEVEL_STANDARD: cxk_level = 1;
/// Requests carry a digest of the key, a nonce and the time.
pub const CXK_LEVEL_ADVANCED: cxk_level = 2;

/// Signs requests with one key. It stores the key or its midstate, which `cxk_signer_free()` wipes.
///
/// It never changes, so any number of threads may sign with it at once. To change the key, create a
/// new signer and free the old one once no thread uses it.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_signer {
    _private: [u8; 0],
}

impl Handle for Signer {
    type Opaque = cxk_signer;
    const TAG: u64 = u64::from_be_bytes(*b"cxksignr");
}

// SAFETY: NULL is a pointer.
unsafe impl ZeroIsValid for *mut cxk_signer {}

/// Creates a signer for a key.
///
/// - Ownership: the caller owns `*out` and frees it with `cxk_signer_free()`; it is NULL if the
///   call fails. The key is hashed or copied, so the caller may wipe it immediately.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_INVALID_KEY_ID`, `CXK_INVALID_LEVEL`,
///   `CXK_INVALID_KEY` (empty, longer than 256 bytes, or not visible ASCII; a common cause is a
///   line ending), `CXK_NO_MEMORY`.
///
/// ```c
/// const char *key = getenv("CORTEXKEY_API_KEY");
/// cxk_signer *mine = NULL;
/// if (key == NULL) exit(2);
/// cxk_status status = cxk_signer_new(7, CXK_LEVEL_ADVANCED, key, strlen(key), &mine);
/// if (status != CXK_OK) fprintf(stderr, "%s\n", cxk_status_message(status));
/// cxk_signer_free(mine);
/// ```
///
/// # Safety
///
/// `key` points to `key_len` readable bytes; it needs no terminating NUL. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_new(
    key_id: u64,
    level: cxk_level,
    key: *const c_char,
    key_len: usize,
    out: *mut *mut cxk_signer,
) -> cxk_status {
    let make = |out: &mut *mut cxk_signer| {
        let key_id = KeyId::new(key_id).ok_or(CXK_INVALID_KEY_ID)?;
        let level = level_of(level)?;
        // SAFETY: this function's contract.
        let key = unsafe { input::bytes(key, key_len, KEY_BYTES_MAX, CXK_INVALID_KEY) }?;
        let key = Key::new(key).map_err(|_| CXK_INVALID_KEY)?;
        handle::has_memory(FEW_BYTES)?;
        *out = handle::new(Signer::new(key_id, level, key))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, make) }
}

/// Signs one attempt with a new nonce and the system time. Sign every attempt, including retries.
/// Never send the headers to another host after a redirect.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any number may use one signer at once, each with its own `out`.
/// - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_RNG_FAILED`, `CXK_CLOCK_FAILED`.
///
/// ```c
/// cxk_headers headers;
/// if (cxk_signer_headers(signer, &headers) != CXK_OK) exit(2);
/// printf("x-xdr-auth-id: %s\n", headers.key_id);
/// ```
///
/// # Safety
///
/// `signer` comes from `cxk_signer_new()` and was not freed. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_headers(
    signer: *const cxk_signer,
    out: *mut cxk_headers,
) -> cxk_status {
    let sign = |out: &mut cxk_headers| {
        // SAFETY: this function's contract.
        let signer = unsafe { handle::get(signer) }?;
        out.put(&source::headers(signer)?)
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, sign) }
}

/// Signs with the given nonce and time, for tests and reproducible output. Never send two requests
/// with the same nonce. With a Standard key, both are ignored, and `nonce` may be NULL.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any number may use one signer at once, each with its own `out`.
/// - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_NONCE` (not 64 ASCII letters and
///   digits), `CXK_INVALID_TIMESTAMP` (not 13 digits of milliseconds).
///
/// ```c
/// cxk_headers headers;
/// const char nonce[] = "0000000000000000000000000000000000000000000000000000000000000000";
/// if (cxk_signer_headers_at(signer, nonce, 64, 1700000000000u, &headers) == CXK_OK)
///   puts(headers.authorization);
/// ```
///
/// # Safety
///
/// `signer` comes from `cxk_signer_new()` and was not freed. `nonce` points to `nonce_len` readable
/// bytes, or is NULL. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_headers_at(
    signer: *const cxk_signer,
    nonce: *const c_char,
    nonce_len: usize,
    timestamp_ms: u64,
    out: *mut cxk_headers,
) -> cxk_status {
    let sign = |out: &mut cxk_headers| {
        // SAFETY: this function's contract.
        out.put(&unsafe { headers_at(signer, nonce, nonce_len, timestamp_ms) }?)
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, sign) }
}

/// Signs like `cxk_signer_headers()`, and writes lines `Name: value`.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any number may use one signer at once, each with its own `out`.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_RNG_FAILED`,
///   `CXK_CLOCK_FAILED`.
///
/// ```c
/// cxk_header_lines lines;
/// if (cxk_signer_header_lines(signer, &lines) != CXK_OK) exit(2);
/// for (uint32_t i = 0; i < lines.count; i++) puts(lines.line[i]);
/// cxk_wipe(&lines, sizeof lines);
/// ```
///
/// # Safety
///
/// `signer` comes from `cxk_signer_new()` and was not freed. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_header_lines(
    signer: *const cxk_signer,
    out: *mut cxk_header_lines,
) -> cxk_status {
    let sign = |out: &mut cxk_header_lines| {
        // SAFETY: this function's contract.
        let signer = unsafe { handle::get(signer) }?;
        out.put(&source::headers(signer)?)
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, sign) }
}

/// The largest number of signatures or requests in a batch.
pub const CXK_BATCH_MAX: usize = 65_536;

/// Signs many requests with an Advanced key at once, each with its own nonce, all with the same
/// system time. Send them within a minute; the product does not document its limit.
///
/// - Ownership: `out` is the caller's array of `count` structures; all zeros if the call fails. A
///   `count` of 0 does nothing.
/// - Threads: any number may use one signer at once, each with its own `out`.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_TOO_LARGE` (above
///   `CXK_BATCH_MAX`), `CXK_NOT_ADVANCED`, `CXK_RNG_FAILED`, `CXK_CLOCK_FAILED`.
///
/// ```c
/// cxk_signature batch[64];
/// if (cxk_signer_sign_batch(signer, batch, 64) != CXK_OK) exit(2);
/// printf("%s %s %s\n", batch[63].authorization, batch[63].nonce, batch[63].timestamp);
/// ```
///
/// # Safety
///
/// `signer` comes from `cxk_signer_new()` and was not freed. `out` points to
/// `count` writable structures.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_sign_batch(
    signer: *const cxk_signer,
    out: *mut cxk_signature,
    count: usize,
) -> cxk_status {
    let sign = |out: &mut [cxk_signature]| {
        // SAFETY: this function's contract.
        let signer: &Signer = unsafe { handle::get(signer) }?;
        source::batch(signer, out)
    };
    // SAFETY: this function's contract.
    unsafe { output::overwrite_all(out, count, CXK_BATCH_MAX, sign) }
}

/// Wipes and frees a signer.
///
/// - Ownership: the signer must not be used afterwards. NULL is ignored.
/// - Threads: only when no other thread uses the signer.
/// - Errors: none.
///
/// # Safety
///
/// `signer` is NULL, or comes from `cxk_signer_new()` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_signer_free(signer: *mut cxk_signer) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<Signer>(signer) };
}

/// The level of a number.
pub(crate) fn level_of(level: cxk_level) -> Result<Level, cxk_status> {
    match level {
        CXK_LEVEL_STANDARD => Ok(Level::Standard),
        CXK_LEVEL_ADVANCED => Ok(Level::Advanced),
        _ => Err(CXK_INVALID_LEVEL),
    }
}

/// The number of a level.
pub(crate) fn number_of(level: Level) -> cxk_level {
    match level {
        Level::Standard => CXK_LEVEL_STANDARD,
        Level::Advanced => CXK_LEVEL_ADVANCED,
    }
}

/// Headers with the caller's time and nonce.
///
/// # Safety
///
/// As `cxk_signer_headers_at`.
unsafe fn headers_at<'s>(
    signer: *const cxk_signer,
    nonce: *const c_char,
    nonce_len: usize,
    timestamp_ms: u64,
) -> Result<Headers<'s>, cxk_status> {
    // SAFETY: this function's contract.
    let signer: &Signer = unsafe { handle::get(signer) }?;
    if signer.level() == Level::Standard {
        // A Standard key has no nonce, so none is drawn.
        return signer.sign_from_system(source::any_time()?).map_err(|_| CXK_INTERNAL);
    }
    // SAFETY: this function's contract.
    let nonce = unsafe { input::bytes(nonce, nonce_len, NONCE_BYTES, CXK_INVALID_NONCE) }?;
    let nonce = Nonce::new(nonce).map_err(|_| CXK_INVALID_NONCE)?;
    let time = Timestamp::from_ms(timestamp_ms).map_err(|_| CXK_INVALID_TIMESTAMP)?;
    Ok(signer.sign_with(nonce, time))
}

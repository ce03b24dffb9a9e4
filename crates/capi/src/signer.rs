//! The handle that signs.
//!
//! It refuses what the core's signer refuses, and says so by a status.

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

/// The Security Level that a key was generated with. The length of a key does not tell it.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_level = u32;

/// The key itself is sent.
pub const CXK_LEVEL_STANDARD: cxk_level = 1;
/// A digest of the key, a nonce and the time is sent.
pub const CXK_LEVEL_ADVANCED: cxk_level = 2;

/// Signs requests with one key. It keeps what can sign, and wipes it in `cxk_signer_free()`.
///
/// It never changes, so any number of threads may sign with it at once. To change a key, make a
/// new signer and free the old one when nobody uses it any more.
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

/// Makes a signer for a key.
///
/// - Ownership: `*out` is the caller's, who gives it to `cxk_signer_free()`. The key is hashed or
///   copied; the caller may wipe it at once. `*out` is NULL when the call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_INVALID_KEY_ID`, `CXK_INVALID_LEVEL`, `CXK_INVALID_KEY` (empty,
///   longer than 256 bytes, or something besides visible ASCII: often a line end),
///   `CXK_NO_MEMORY`.
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
/// `key` points to `key_len` readable bytes; NUL need not follow. `out` may be written.
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

/// The header values of one attempt, with a fresh nonce and the machine's time. Sign every
/// attempt anew, retries too; never send headers on to another host after a redirect.
///
/// - Ownership: `out` is the caller's memory; all zeros when the call fails.
/// - Threads: any number at once with one signer, each with its own `out`.
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
/// `signer` comes from `cxk_signer_new()` and lives. `out` may be written.
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

/// The header values for a nonce and a time of the caller's, for tests and repeatable answers.
/// Never send two requests with one nonce. A Standard key uses neither, and neither is looked at.
///
/// - Ownership: `out` is the caller's memory; all zeros when the call fails.
/// - Threads: any number at once with one signer, each with its own `out`.
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
/// `signer` comes from `cxk_signer_new()` and lives. `nonce` points to `nonce_len` readable
/// bytes. `out` may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_signer_headers_at(
    signer: *const cxk_signer,
    nonce: *const c_char,
    nonce_len: usize,
    timestamp_ms: u64,
    out: *mut cxk_headers,
) -> cxk_status {
    // SAFETY: this function's contract.
    let sign =
        |out: &mut cxk_headers| out.put(&unsafe { at(signer, nonce, nonce_len, timestamp_ms) }?);
    // SAFETY: this function's contract.
    unsafe { output::fill(out, sign) }
}

/// As `cxk_signer_headers()`, in lines `Name: value`.
///
/// - Ownership: `out` is the caller's memory; all zeros when the call fails.
/// - Threads: any number at once with one signer, each with its own `out`.
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
/// `signer` comes from `cxk_signer_new()` and lives. `out` may be written.
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

/// The most signatures of one batch.
pub const CXK_BATCH_MAX: usize = 65_536;

/// Signs many requests of an Advanced key at once, each with a nonce of its own, all with the same
/// time of the machine. Send them within the minute: what a verifier allows is not documented.
///
/// - Ownership: `out` is an array of the caller's; all zeros when the call fails. A `count` of 0
///   does nothing.
/// - Threads: any number at once with one signer, each with its own `out`.
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
/// `signer` comes from `cxk_signer_new()` and lives. `count` structures at `out` may be written.
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
/// - Ownership: the signer is gone. NULL, and what is no live signer, is left alone; freeing a
///   signer twice is nevertheless a mistake that cannot always be seen.
/// - Threads: when no other uses the signer.
/// - Errors: none.
///
/// ```c
/// cxk_signer_free(NULL);
/// ```
///
/// # Safety
///
/// `signer` is NULL, or comes from `cxk_signer_new()` and lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_signer_free(signer: *mut cxk_signer) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<Signer>(signer) };
}

/// The level that a number stands for.
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
unsafe fn at<'s>(
    signer: *const cxk_signer,
    nonce: *const c_char,
    nonce_len: usize,
    timestamp_ms: u64,
) -> Result<Headers<'s>, cxk_status> {
    // SAFETY: this function's contract.
    let signer: &Signer = unsafe { handle::get(signer) }?;
    if signer.level() == Level::Standard {
        // Draws nothing: a Standard key has no nonce.
        return signer.sign_from_system(source::any_time()?).map_err(|_| CXK_INTERNAL);
    }
    // SAFETY: this function's contract.
    let nonce = unsafe { input::bytes(nonce, nonce_len, NONCE_BYTES, CXK_INVALID_NONCE) }?;
    let nonce = Nonce::new(nonce).map_err(|_| CXK_INVALID_NONCE)?;
    let time = Timestamp::from_ms(timestamp_ms).map_err(|_| CXK_INVALID_TIMESTAMP)?;
    Ok(signer.sign_with(nonce, time))
}

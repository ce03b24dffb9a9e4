//! The caller's arguments: bytes, strings, arrays, and structures that contain their size.

use core::ffi::c_char;

use crate::output::ZeroIsValid;
use crate::status::{CXK_BAD_ARG, CXK_INVALID_STRUCT, CXK_NULL_ARG, CXK_TOO_LARGE, cxk_status};

/// A structure whose first field is its size, so that later releases can add fields at its end.
///
/// # Safety
///
/// The type must be `repr(C)` and begin with a `u32`.
pub(crate) unsafe trait Extensible: ZeroIsValid + Copy {}

/// The size that no release will exceed.
const STRUCT_BYTES_MAX: usize = 4096;

/// Copies a structure of this release, or of a newer one whose new fields are all zeros.
///
/// # Safety
/// `start` is NULL, or points to as many readable bytes as its first `u32` says.
pub(crate) unsafe fn structure<T: Extensible>(start: *const T) -> Result<T, cxk_status> {
    if start.is_null() {
        return Err(CXK_NULL_ARG);
    }
    if !start.is_aligned() {
        return Err(CXK_BAD_ARG);
    }
    // SAFETY: the type begins with its size, which is readable by this function's contract.
    let size = unsafe { start.cast::<u32>().read() };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if !(size_of::<T>()..=STRUCT_BYTES_MAX).contains(&size) {
        return Err(CXK_INVALID_STRUCT);
    }
    // SAFETY: so many bytes are readable by this function's contract.
    let bytes = unsafe { core::slice::from_raw_parts(start.cast::<u8>(), size) };
    let tail = bytes.get(size_of::<T>()..).unwrap_or_default();
    if tail.iter().any(|byte| *byte != 0) {
        return Err(CXK_INVALID_STRUCT);
    }
    // SAFETY: not NULL, aligned, and as large as a `T`, and every bit pattern is a valid `T`:
    // numbers, and pointers that are checked before use.
    Ok(unsafe { start.read() })
}

/// The caller's bytes. If there are more than `most`, returns `otherwise` without reading them.
///
/// # Safety
///
/// `start` is NULL or points to `len` bytes that stay readable and unchanged while they are used.
pub(crate) unsafe fn bytes<'a>(
    start: *const c_char,
    len: usize,
    most: usize,
    otherwise: cxk_status,
) -> Result<&'a [u8], cxk_status> {
    if start.is_null() {
        return Err(CXK_NULL_ARG);
    }
    if len > most {
        return Err(otherwise);
    }
    // SAFETY: not NULL, and readable by this function's contract; the length is small.
    Ok(unsafe { core::slice::from_raw_parts(start.cast(), len) })
}

/// The caller's array. An empty one may be NULL.
///
/// # Safety
///
/// `start` is NULL or points to `count` values that stay readable and unchanged while they are
/// used.
pub(crate) unsafe fn array<'a, T>(
    start: *const T,
    count: usize,
    most: usize,
) -> Result<&'a [T], cxk_status> {
    if count == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(CXK_NULL_ARG);
    }
    if !start.is_aligned() {
        return Err(CXK_BAD_ARG);
    }
    if count > most {
        return Err(CXK_TOO_LARGE);
    }
    // SAFETY: not NULL, aligned, and readable by this function's contract; the count is small.
    Ok(unsafe { core::slice::from_raw_parts(start, count) })
}

/// The length of a string before its NUL; `None` if it exceeds `most`.
///
/// # Safety
///
/// `start` points to bytes that are readable up to a NUL, or to `most + 1` of them.
pub(crate) unsafe fn text_len(start: *const c_char, most: usize) -> Option<usize> {
    for len in 0..=most {
        // SAFETY: no NUL came before, so this byte is readable by this function's contract.
        let at = unsafe { start.add(len) };
        // SAFETY: as above.
        if unsafe { at.read() } == 0 {
            return Some(len);
        }
    }
    None
}

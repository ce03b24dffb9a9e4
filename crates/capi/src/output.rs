//! Memory that the caller lends for an answer.
//!
//! It refuses partial answers: whatever goes wrong, the caller's memory is all zeros.

use core::ffi::c_char;

use zeroize::Zeroize;

use crate::panic::caught;
use crate::status::{CXK_BAD_ARG, CXK_INTERNAL, CXK_NULL_ARG, CXK_OK, cxk_status};

/// A type for which zero bytes are a value.
///
/// # Safety
///
/// Every bit pattern of zeros must be valid for the type, and it must have no destructor.
pub(crate) unsafe trait ZeroIsValid {}

/// Clears `out`, lets `write` fill it, and clears it again unless that went well.
///
/// # Safety
///
/// `out` is NULL, or nothing else uses the memory behind it during the call and a `T` fits there.
pub(crate) unsafe fn fill<T: ZeroIsValid>(
    out: *mut T,
    write: impl FnOnce(&mut T) -> Result<(), cxk_status>,
) -> cxk_status {
    if out.is_null() {
        return CXK_NULL_ARG;
    }
    if !out.is_aligned() {
        return CXK_BAD_ARG;
    }
    // SAFETY: not NULL and aligned, so by this function's contract a `T` may be written here.
    unsafe { out.write_bytes(0, 1) };
    // SAFETY: as above, and zeros are a `T` by its trait.
    let filled = unsafe { &mut *out };
    let status = caught(|| write(filled));
    if status != CXK_OK {
        // SAFETY: as above; the reference is not used any more.
        unsafe { out.write_bytes(0, 1) };
    }
    status
}

/// Overwrites the memory behind `secret` with zeros, in a way that no compiler leaves out.
///
/// # Safety
///
/// As [`fill`].
pub(crate) unsafe fn wipe<T: ZeroIsValid>(secret: *mut T) {
    if secret.is_null() {
        return;
    }
    // SAFETY: by this function's contract these bytes may be written; a byte is always aligned.
    // They may never have been written before, which `MaybeUninit` allows.
    let bytes = unsafe {
        core::slice::from_raw_parts_mut(secret.cast::<core::mem::MaybeUninit<u8>>(), size_of::<T>())
    };
    bytes.zeroize();
}

/// Writes text and a NUL into an array that is all zeros.
pub(crate) fn put(place: &mut [c_char], parts: &[&str]) -> Result<(), cxk_status> {
    // The last place stays NUL.
    let (_, room) = place.split_last_mut().ok_or(CXK_INTERNAL)?;
    let mut room = room.iter_mut();
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        *room.next().ok_or(CXK_INTERNAL)? = c_char::from_ne_bytes([byte]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn text_that_does_not_fit_is_refused_and_always_ends() {
        let mut place = [0; 4];
        assert_eq!(put(&mut place, &["ab", "c"]), Ok(()));
        // SAFETY: the array ends with NUL.
        assert_eq!(unsafe { CStr::from_ptr(place.as_ptr()) }, c"abc");
        let mut place = [0; 4];
        assert_eq!(put(&mut place, &["abcd"]), Err(CXK_INTERNAL));
        assert_eq!(place.last(), Some(&0));
        assert_eq!(put(&mut [], &[""]), Err(CXK_INTERNAL));
    }
}

//! The caller's memory for results.
//!
//! After any error, the caller's memory is all zeros; where zeros could be mistaken for a result,
//! it contains the status or an invalid number.

use core::ffi::{c_char, c_void};
use core::fmt;
use core::mem::MaybeUninit;
use core::slice;

use zeroize::Zeroize;

use crate::panic::caught;
use crate::status::{
    CXK_BAD_ARG, CXK_BUFFER_TOO_SMALL, CXK_INTERNAL, CXK_NULL_ARG, CXK_OK, CXK_TOO_LARGE,
    cxk_status,
};

/// A type for which zero bytes are a value.
///
/// # Safety
/// All-zero bytes must be a valid value of the type, and the type must have no destructor.
pub(crate) unsafe trait ZeroIsValid {}

/// Clears `out`, lets `write` fill it, and clears it again if that failed.
///
/// # Safety
/// `out` is NULL, or points to memory for a `T` that nothing else uses during the call.
pub(crate) unsafe fn fill<T: ZeroIsValid>(
    out: *mut T,
    write: impl FnOnce(&mut T) -> Result<(), cxk_status>,
) -> cxk_status {
    let fill = |filled: &mut [T]| filled.first_mut().map_or(Err(CXK_INTERNAL), write);
    // SAFETY: this function's contract.
    unsafe { fill_all(out, 1, 1, fill) }
}

/// Like [`fill`], for an array of `count`, which may be empty and is at most `most` long.
///
/// # Safety
/// `out` is NULL, or points to memory for `count` values of `T` that nothing else uses during the
/// call.
pub(crate) unsafe fn fill_all<T: ZeroIsValid>(
    out: *mut T,
    count: usize,
    most: usize,
    write: impl FnOnce(&mut [T]) -> Result<(), cxk_status>,
) -> cxk_status {
    let fill = |places: &mut [T]| {
        // SAFETY: the slice has this length, and zeros are a valid `T` ([`ZeroIsValid`]).
        unsafe { places.as_mut_ptr().write_bytes(0, places.len()) };
        write(places)
    };
    // SAFETY: this function's contract.
    unsafe { overwrite_all(out, count, most, fill) }
}

/// Like [`fill_all`], for a `write` that either writes every byte or fails, and reads no byte that
/// it has not written. Nothing is cleared first, because that would take a tenth of the time of a
/// signature.
///
/// # Safety
///
/// As [`fill_all`].
pub(crate) unsafe fn overwrite_all<T: ZeroIsValid>(
    out: *mut T,
    count: usize,
    most: usize,
    write: impl FnOnce(&mut [T]) -> Result<(), cxk_status>,
) -> cxk_status {
    if out.is_null() {
        return CXK_NULL_ARG;
    }
    if !out.is_aligned() {
        return CXK_BAD_ARG;
    }
    if count > most {
        return CXK_TOO_LARGE;
    }
    // SAFETY: not NULL and aligned, so by this function's contract `count` of them fit here; the
    // count is small. The memory may be uninitialised, and `write` does not read it.
    let places = unsafe { slice::from_raw_parts_mut(out, count) };
    let status = caught(|| write(places));
    if status != CXK_OK {
        // SAFETY: as above; the reference is not used any more.
        unsafe { out.write_bytes(0, count) };
    }
    status
}

/// Clears one of several outputs before the call's work starts.
///
/// # Safety
///
/// As [`fill_all`].
pub(crate) unsafe fn clear<T: ZeroIsValid>(out: *mut T, count: usize, most: usize) {
    if !out.is_null() && out.is_aligned() && count <= most {
        // SAFETY: as in `fill_all`.
        unsafe { out.write_bytes(0, count) };
    }
}

/// Sets an output whose zeros could be mistaken for a result, after a call that failed.
///
/// # Safety
///
/// As [`fill`].
pub(crate) unsafe fn overwrite<T: ZeroIsValid>(out: *mut T, value: T) {
    if !out.is_null() && out.is_aligned() {
        // SAFETY: as in `fill_all`.
        unsafe { out.write(value) };
    }
}

/// Overwrites memory with zeros, in a way that no compiler removes.
///
/// # Safety
///
/// `memory` is NULL, or nothing else uses the `len` bytes behind it and they may be written.
pub(crate) unsafe fn wipe(memory: *mut c_void, len: usize) {
    if memory.is_null() || isize::try_from(len).is_err() {
        return;
    }
    // SAFETY: by this function's contract these bytes may be written; a byte is always aligned.
    // They may never have been written before, which `MaybeUninit` allows.
    let bytes = unsafe { slice::from_raw_parts_mut(memory.cast::<MaybeUninit<u8>>(), len) };
    bytes.zeroize();
}

/// Writes text and a NUL into an array that is all zeros.
pub(crate) fn put(place: &mut [c_char], parts: &[&str]) -> Result<(), cxk_status> {
    // The last byte stays NUL.
    let (_, mut room) = bytes(place).split_last_mut().ok_or(CXK_INTERNAL)?;
    for part in parts {
        let (now, later) = room.split_at_mut_checked(part.len()).ok_or(CXK_INTERNAL)?;
        now.copy_from_slice(part.as_bytes());
        room = later;
    }
    Ok(())
}

/// C's characters as bytes.
pub(crate) fn bytes(characters: &mut [c_char]) -> &mut [u8] {
    let start = characters.as_mut_ptr().cast();
    let len = characters.len();
    // SAFETY: a `c_char` is a byte; the slice has this length and stays borrowed.
    unsafe { slice::from_raw_parts_mut(start, len) }
}

/// A string that is written into a caller's array of zeros, and truncated if that is full. The last
/// byte stays NUL, and no character is split.
pub(crate) struct Text<'a> {
    room: &'a mut [u8],
}

impl<'a> Text<'a> {
    pub(crate) fn in_place(place: &'a mut [c_char]) -> Result<Self, cxk_status> {
        let (_, room) = bytes(place).split_last_mut().ok_or(CXK_BUFFER_TOO_SMALL)?;
        Ok(Self { room })
    }

    /// A string that the caller does not want.
    pub(crate) fn discarded() -> Self {
        Self { room: &mut [] }
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let most = text.len().min(self.room.len());
        let fits = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (now, later) = core::mem::take(&mut self.room).split_at_mut(fits);
        now.copy_from_slice(text.as_bytes().get(..fits).unwrap_or_default());
        if fits < text.len() {
            return Err(fmt::Error);
        }
        self.room = later;
        Ok(())
    }
}

/// Keeps text on one line: control characters become spaces.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Clean<'f, 'g>(&'f mut fmt::Formatter<'g>);
        impl fmt::Write for Clean<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.split(char::is_control).enumerate().try_for_each(|(at, part)| {
                    if at > 0 {
                        self.0.write_str(" ")?;
                    }
                    self.0.write_str(part)
                })
            }
        }
        fmt::write(&mut Clean(f), format_args!("{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn text_that_is_too_long_is_refused_and_terminated() {
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

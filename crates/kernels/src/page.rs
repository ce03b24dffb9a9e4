//! [`WipedOnFork`]: memory that the system gives to a forked child as zeros.
//!
//! It refuses to be had where the system cannot promise that. Then there is nothing to keep, and
//! whoever wanted it asks the system each time.

use core::ffi::c_void;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use zeroize::Zeroize;

/// What may stand in such memory: every byte may turn to zero at any time between two uses.
///
/// # Safety
/// Zeros are a value of the type, it has no references and no drop of its own, and it is no larger
/// than a page, 4,096 bytes, nor aligned to more.
pub(crate) unsafe trait Wipeable: Zeroize {}

/// A value in memory of its own, which is zeros in a forked child, in no core dump, and wiped when
/// it is dropped.
pub(crate) struct WipedOnFork<T: Wipeable>(NonNull<T>);

impl<T: Wipeable> WipedOnFork<T> {
    /// Zeros; none where the system has no memory or no such promise.
    pub(crate) fn new() -> Option<Self> {
        const { assert!(size_of::<T>() <= 4096 && align_of::<T>() <= 4096, "it fits into a page") };
        map(size_of::<T>()).map(|place| Self(place.cast()))
    }
}

impl<T: Wipeable> Deref for WipedOnFork<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `new` made a mapping that is large enough, aligned to a page and readable, and it
        // lives until drop. It began as zeros, which are a value of the type.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Wipeable> DerefMut for WipedOnFork<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above; it is writable, and nobody else has it.
        unsafe { self.0.as_mut() }
    }
}

impl<T: Wipeable> Drop for WipedOnFork<T> {
    fn drop(&mut self) {
        self.zeroize();
        // SAFETY: `new` made this mapping of this size, and nothing refers to it any more.
        unsafe { unmap(self.0.cast(), size_of::<T>()) };
    }
}

/// # Safety
///
/// The mapping is of [`map`] with this length, and nothing refers to it any more.
#[cfg(target_os = "linux")]
unsafe fn unmap(place: NonNull<c_void>, len: usize) {
    // SAFETY: this function's contract.
    unsafe { libc::munmap(place.as_ptr(), len) };
}

/// Never called: there is no mapping.
///
/// # Safety
///
/// As above.
#[cfg(not(target_os = "linux"))]
unsafe fn unmap(_: NonNull<c_void>, _: usize) {}

#[cfg(target_os = "linux")]
fn map(len: usize) -> Option<NonNull<c_void>> {
    const PROTECTION: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
    const FLAGS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which touches no memory that is in use.
    let place = unsafe { libc::mmap(core::ptr::null_mut(), len, PROTECTION, FLAGS, -1, 0) };
    if place == libc::MAP_FAILED {
        return None;
    }
    // Linux takes the advice from 4.14 on, and refuses it before. Emulators, qemu's up to 7.2 among
    // them, take any advice and heed none: who takes one that does not exist is not believed.
    let takes_all = advise(place, len, NO_ADVICE);
    if takes_all || !advise(place, len, libc::MADV_WIPEONFORK) {
        // SAFETY: the mapping is ours, and nothing refers to it.
        unsafe { libc::munmap(place, len) };
        return None;
    }
    // Whether core dumps leave it out changes nothing else.
    advise(place, len, libc::MADV_DONTDUMP);
    NonNull::new(place)
}

/// An advice that no system has.
#[cfg(target_os = "linux")]
const NO_ADVICE: libc::c_int = -1;

/// Whether the system takes an advice for the mapping, which must be private, anonymous and ours.
#[cfg(target_os = "linux")]
fn advise(place: *mut c_void, len: usize, advice: libc::c_int) -> bool {
    // SAFETY: none of the advices given here takes contents away from this process.
    unsafe { libc::madvise(place, len, advice) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn map(_: usize) -> Option<NonNull<c_void>> {
    None
}

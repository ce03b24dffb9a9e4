//! [`WipedOnFork`]: memory that a forked child sees as zeros.
//!
//! On systems that cannot guarantee this, such as macOS and Windows, no such memory exists, and
//! callers must not buffer anything. `--cfg cortexkey_portable` builds that on Linux too, where its
//! tests run.

use core::ffi::c_void;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use zeroize::Zeroize;

/// A type for such memory, whose bytes may all become zero between two uses.
///
/// # Safety
/// All zeros are a valid value of the type. It has no references and no `Drop`, and size and alignment
/// are at most a page, 4,096 bytes.
pub(crate) unsafe trait Wipeable: Zeroize {}

/// A value in a page of its own, which is zeros in a forked child, missing from core dumps, and wiped on
/// drop.
pub(crate) struct WipedOnFork<T: Wipeable>(NonNull<T>);

impl<T: Wipeable> WipedOnFork<T> {
    /// Allocates zeros; `None` without memory, or without the system's guarantee.
    pub(crate) fn new() -> Option<Self> {
        const { assert!(size_of::<T>() <= 4096 && align_of::<T>() <= 4096, "it fits a page") };
        map(size_of::<T>()).map(|place| Self(place.cast()))
    }
}

impl<T: Wipeable> Deref for WipedOnFork<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `new` created a readable mapping that is large enough, aligned to a page and valid until
        // drop. It started as zeros, which are a valid value.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Wipeable> DerefMut for WipedOnFork<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above; it is writable, and `&mut self` is the only reference.
        unsafe { self.0.as_mut() }
    }
}

impl<T: Wipeable> Drop for WipedOnFork<T> {
    fn drop(&mut self) {
        self.zeroize();
        // SAFETY: `new` created this mapping with this size, and nothing refers to it any more.
        unsafe { unmap(self.0.cast(), size_of::<T>()) };
    }
}

/// # Safety
///
/// The mapping comes from [`map`] with this length, and nothing refers to it any more.
#[cfg(all(target_os = "linux", not(cortexkey_portable)))]
unsafe fn unmap(place: NonNull<c_void>, len: usize) {
    // SAFETY: this function's contract.
    unsafe { libc::munmap(place.as_ptr(), len) };
}

/// Never called: there is no mapping.
///
/// # Safety
///
/// As above.
#[cfg(any(not(target_os = "linux"), cortexkey_portable))]
unsafe fn unmap(_: NonNull<c_void>, _: usize) {}

#[cfg(all(target_os = "linux", not(cortexkey_portable)))]
fn map(len: usize) -> Option<NonNull<c_void>> {
    const PROTECTION: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
    const FLAGS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which touches no memory that is in use.
    let place = unsafe { libc::mmap(core::ptr::null_mut(), len, PROTECTION, FLAGS, -1, 0) };
    if place == libc::MAP_FAILED {
        return None;
    }
    // Linux has supported the advice since 4.14; earlier versions reject it. Emulators such as qemu
    // up to 7.2 accept any advice and ignore it, so a system that accepts an invalid one is not
    // trusted.
    let accepts_all = advise(place, len, NO_ADVICE);
    if accepts_all || !advise(place, len, libc::MADV_WIPEONFORK) {
        // SAFETY: the mapping is ours, and nothing refers to it.
        unsafe { libc::munmap(place, len) };
        return None;
    }
    // Best effort: no guarantee depends on it.
    advise(place, len, libc::MADV_DONTDUMP);
    NonNull::new(place)
}

/// An advice that does not exist.
#[cfg(all(target_os = "linux", not(cortexkey_portable)))]
const NO_ADVICE: libc::c_int = -1;

/// Whether the system accepts an advice for the mapping, which must be private, anonymous and ours.
#[cfg(all(target_os = "linux", not(cortexkey_portable)))]
fn advise(place: *mut c_void, len: usize, advice: libc::c_int) -> bool {
    // SAFETY: none of this advice changes the contents in this process.
    unsafe { libc::madvise(place, len, advice) == 0 }
}

#[cfg(any(not(target_os = "linux"), cortexkey_portable))]
fn map(_: usize) -> Option<NonNull<c_void>> {
    None
}

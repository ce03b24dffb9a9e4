//! Handles: boxes owned by C, each with a tag as its first word.

use std::alloc::{Layout, alloc};

use crate::panic::caught;
use crate::status::{CXK_NO_MEMORY, CXK_NULL_ARG, CXK_WRONG_HANDLE, cxk_status};

/// The type behind a handle.
pub(crate) trait Handle: Sized {
    /// The opaque type that C sees.
    type Opaque;
    /// The first word of a live handle.
    const TAG: u64;
}

/// The first word of a freed handle.
const FREED: u64 = u64::from_be_bytes(*b"cxkfreed");

#[repr(C)]
struct Tagged<T> {
    tag: u64,
    value: T,
}

/// An upper bound of the memory of a handle or key, where it is not computed exactly.
pub(crate) const FEW_BYTES: usize = 4_096;

/// Whether this much memory is available. Checked before creating a value whose own boxes and
/// tables would abort the process without it.
pub(crate) fn has_memory(bytes: usize) -> Result<(), cxk_status> {
    let mut memory = Vec::<u8>::new();
    let reserved = memory.try_reserve_exact(bytes);
    // A compiler may remove an unused allocation and assume that it succeeded.
    std::hint::black_box(&mut memory);
    reserved.map_err(|_| CXK_NO_MEMORY)
}

/// Moves a value into memory that C owns.
pub(crate) fn new<T: Handle>(value: T) -> Result<*mut T::Opaque, cxk_status> {
    // SAFETY: the layout has a size above zero, that of the tag at least.
    let place = unsafe { alloc(Layout::new::<Tagged<T>>()) }.cast::<Tagged<T>>();
    if place.is_null() {
        return Err(CXK_NO_MEMORY);
    }
    // SAFETY: freshly allocated for just this type.
    unsafe { place.write(Tagged { tag: T::TAG, value }) };
    Ok(place.cast())
}

/// The value behind a handle.
///
/// # Safety
///
/// `handle` is NULL, or points to at least eight readable bytes; and if they are the tag of `T`,
/// to a handle from [`new`] that nobody frees while the reference lives.
pub(crate) unsafe fn get<'a, T: Handle>(handle: *const T::Opaque) -> Result<&'a T, cxk_status> {
    // SAFETY: this function's contract.
    let tagged = unsafe { tagged::<T>(handle.cast_mut()) }?;
    // SAFETY: the tag is right, so `new` made it, and nobody writes to it.
    Ok(unsafe { &(*tagged).value })
}

/// Frees a handle; NULL and pointers to other memory are ignored. A panic is caught.
///
/// # Safety
/// As [`get`], and the handle is not used afterwards.
pub(crate) unsafe fn free<T: Handle>(handle: *mut T::Opaque) {
    // SAFETY: this function's contract.
    let Ok(tagged) = (unsafe { tagged::<T>(handle) }) else { return };
    // SAFETY: the handle is live, and no other thread uses it. The write is volatile because the
    // compiler could remove a write to memory that is freed next.
    unsafe { tagged.cast::<u64>().write_volatile(FREED) };
    caught(|| {
        // SAFETY: allocated with this layout by `new`, by the allocator that boxes use.
        drop(unsafe { Box::from_raw(tagged) });
        Ok(())
    });
}

/// # Safety
///
/// As [`get`].
unsafe fn tagged<T: Handle>(handle: *mut T::Opaque) -> Result<*mut Tagged<T>, cxk_status> {
    if handle.is_null() {
        return Err(CXK_NULL_ARG);
    }
    let tagged = handle.cast::<Tagged<T>>();
    if !tagged.is_aligned() {
        return Err(CXK_WRONG_HANDLE);
    }
    // SAFETY: eight bytes are readable here by the contract, and they are aligned.
    let tag = unsafe { tagged.cast::<u64>().read() };
    if tag == T::TAG { Ok(tagged) } else { Err(CXK_WRONG_HANDLE) }
}

//! Where secrets are kept: on the heap where there is one.
//!
//! It refuses to leave copies behind. A value on the stack is copied when its owner moves, and the
//! old place is not wiped; what is on the heap stays where it is. Without the feature `alloc`
//! secrets are kept in place, and whoever moves a signer leaves a copy.

/// Makers of secrets return it, so clippy's `unnecessary_box_returns` is allowed there.
#[cfg(feature = "alloc")]
pub(crate) type Kept<T> = alloc::boxed::Box<T>;

#[cfg(not(feature = "alloc"))]
pub(crate) use inline::Kept;

#[cfg(not(feature = "alloc"))]
mod inline {
    use core::ops::{Deref, DerefMut};

    pub(crate) struct Kept<T>(T);

    impl<T> Kept<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(value)
        }
    }

    impl<T> Deref for Kept<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for Kept<T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}

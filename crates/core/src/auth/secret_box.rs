//! [`SecretBox`]: keeps a secret on the heap, so that moving its owner leaves no copy behind.
//!
//! A value on the stack is copied when its owner moves, and the old copy is not wiped. Without the
//! feature `alloc` secrets are stored inline, and moving a signer leaves a copy.

/// Constructors of secrets return it, so clippy's `unnecessary_box_returns` is allowed there.
#[cfg(feature = "alloc")]
pub(crate) type SecretBox<T> = alloc::boxed::Box<T>;

#[cfg(not(feature = "alloc"))]
pub(crate) use inline::SecretBox;

#[cfg(not(feature = "alloc"))]
mod inline {
    use core::ops::{Deref, DerefMut};

    pub(crate) struct SecretBox<T>(T);

    impl<T> SecretBox<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(value)
        }
    }

    impl<T> Deref for SecretBox<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for SecretBox<T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}

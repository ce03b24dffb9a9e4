//! Sizes that all kernels share.

/// The number of messages that are hashed at a time.
pub const LANES: usize = 32;
/// The number of random bytes for a nonce.
pub const RANDOM_BYTES: usize = 64;

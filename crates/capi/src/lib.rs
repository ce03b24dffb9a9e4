//! The C library: signs and verifies requests to Palo Alto Networks Cortex APIs.

mod version;

mod status;

mod memory;

mod headers;

mod signer;

mod expiry;

mod keyring;

mod replay_guard;

mod verifier;

mod definitions;

mod decide;

#[cfg(test)]
#[allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    reason = "a test; the first call explains why its calls are sound"
)]
mod allocation_tests;
#[cfg(test)]
#[allow(
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    reason = "a test; what makes its calls sound is said once, at the first"
)]
mod fault_tests;
mod handle;
mod input;
mod keys;
mod output;
mod panic;
mod source;

pub use decide::*;
pub use definitions::*;
pub use expiry::*;
pub use headers::*;
pub use keyring::*;
pub use memory::*;
pub use replay_guard::*;
pub use signer::*;
pub use status::*;
pub use verifier::*;
pub use version::*;

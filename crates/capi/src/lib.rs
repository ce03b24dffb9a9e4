//! The C library: signs and verifies requests to Palo Alto Networks Cortex APIs.
//!
//! It refuses logic of its own (the core judges), callbacks, global state, a last error per
//! thread, memory that C would have to give back other than by a handle's own `_free`, and any
//! panic on its way to C. `include/cortexkey.h` is made from these files by `cargo xtask header`,
//! in the order of the modules below; what is said at each function here is said there.

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

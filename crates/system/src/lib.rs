//! Safe file replacement, child processes and error chains for all crates.
//!
//! It depends on no other crate of ours.

mod chain;
mod child;
mod write;

pub use chain::chain;
pub use child::{command, is_secret, secret_variables};
pub use write::{Links, Pending, Write, WriteError, replace};

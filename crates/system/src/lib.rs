//! Safe file replacement, child processes and error chains for all crates.
//!
//! It depends on no other crate of ours.

mod chain;
mod child;
#[cfg(windows)]
mod hold;
mod names;
#[cfg(any(windows, test))]
mod rights;
mod write;

pub use chain::chain;
pub use child::{command, is_secret, is_steering, secret_variables, steering_variables};
#[cfg(windows)]
pub use hold::hold;
pub use names::is_reserved;
#[cfg(windows)]
pub use rights::{Access, keep_rights, make_private, others_with};
pub use write::{Links, Pending, Write, WriteError, replace};

//! Reads and replaces files safely, starts child processes, and formats messages, for all crates.
//!
//! It depends on no other crate of the workspace.

mod chain;
mod child;
mod counted;
mod exclusive;
#[cfg(windows)]
mod hold;
mod names;
mod read;
mod reason;
#[cfg(any(windows, test))]
mod rights;
mod write;

pub use chain::{chain, message_and_help, text_with_help, with_help};
pub use child::{command, is_secret, is_steering, secret_variables, steering_variables};
pub use counted::counted;
pub use exclusive::lock_exclusively;
#[cfg(windows)]
pub use hold::hold;
pub use names::is_reserved;
pub use read::{ReadError, link_boundary, open, read, read_within, stays};
pub use reason::io_reason;
#[cfg(windows)]
pub use rights::{FileAccess, keep_rights, make_private, others_with};
pub use write::{Links, PendingFile, WriteError, WriteOptions, replace};

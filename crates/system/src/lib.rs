//! Files and child processes, done safely: the one place for what every crate that touches the
//! system would otherwise do in its own way.
//!
//! It knows nothing of keys, policies or tenants, and depends on none of the other crates.

mod child;
mod write;

pub use child::{command, is_secret, secret_variables};
pub use write::{Links, Pending, Write, WriteError, replace};

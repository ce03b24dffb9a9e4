//! How long a key lives: [`Expiry`], its states and its notices.
//!
//! It refuses to look at a clock: the time is an argument.

mod expiry;

pub use expiry::{Expiry, ExpiryState, Notice};

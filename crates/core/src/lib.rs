//! Signs and checks the authentication headers of Palo Alto Networks Cortex API keys, and models
//! what a key may do, when it expires and where its API is.
//!
//! The time is always an argument, and so is the random source unless the feature `system` uses the
//! operating system's. There is no I/O and no YAML, no allocation where a service signs or
//! verifies, and no key in any output.
//!
//! # Signing a request
//!
//! ```
//! # #[cfg(feature = "system")] {
//! use cortexkey_core::auth::{Key, KeyId, Level, Signer, Timestamp};
//!
//! let key = Key::new(b"DCdIeow0xm73EwnxjPza1tdHTfZQv2eH7bTKlTPk")?;
//! let signer = Signer::new(KeyId::new(7).ok_or("a key id is never 0")?, Level::Advanced, key);
//!
//! // A new nonce and the time, for every attempt.
//! let now = Timestamp::from_ms(1_790_611_727_783)?;
//! let headers = signer.sign(&mut getrandom::rand_core::UnwrapErr(getrandom::SysRng), now);
//! for (name, value) in headers.iter() {
//!     assert!(!value.is_empty(), "{name}");
//! }
//! # }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `alloc` | [`address`], which builds strings, and roles and scopes with owned strings |
//! | `std` (default) | `alloc`, and the replay guard in memory, which threads share |
//! | `serde` | serializes decisions, records and states (no secrets; no deserialization) |
//! | `kernels` | batches, checks and nonces with vector instructions, if the processor has them |
//! | `system` (default) | nonces from the operating system |
//!
//! Without features the crate needs neither the standard library nor an allocator.

#![no_std]
#![warn(clippy::std_instead_of_core)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod access;
#[cfg(feature = "alloc")]
pub mod address;
pub mod auth;
#[cfg(ctgrind)]
pub mod ctgrind;
mod expiry;
pub mod lifecycle;
pub mod replay;

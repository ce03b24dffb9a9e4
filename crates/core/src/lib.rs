//! Signs and checks the authentication headers of Palo Alto Networks Cortex API keys, and
//! models how long a key lives and where its API is.
//!
//! It refuses I/O, clocks, YAML, allocation where a service signs or verifies, and a key in any
//! output. The time is always an argument; the random source is the caller's, unless the feature
//! `system` brings the operating system's.
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
//! // A fresh nonce and the time, for every attempt.
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
//! | feature | brings |
//! |---|---|
//! | `alloc` | [`address`], which builds text |
//! | `std` (default) | `alloc`, and the replay guard in memory, which threads share |
//! | `serde` | decisions, records and states as JSON; never a secret, and nothing is read |
//! | `kernels` | batches, checks and nonces by vector instructions, where the processor has them |
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
pub mod lifecycle;
pub mod replay;

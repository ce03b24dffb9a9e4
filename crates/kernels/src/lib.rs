//! Vector kernels for signing many requests at a time, and a generator of nonces that is safe to
//! fork: the optional fast path of `cortexkey-core`, which reaches them by its feature `kernels`.
//!
//! It refuses anything but hashing, nonces and their tests. Each kernel gives the same answers as
//! the code that it stands in for, and is held against that by its tests. All unsafe code is here,
//! each block with its reason.
//!
//! | file | holds |
//! |---|---|
//! | `sha256` | SHA-256 of 32 messages at a time |
//! | `text` | checks of 64 characters, and digits of a hash |
//! | `alphanumeric` | random bytes to letters and digits |
//! | `chacha20` | sixteen blocks of keystream at a time |
//! | `generator` | a buffer of keystream for each thread, seeded from the operating system |
//! | `page` | memory that a forked child gets as zeros |
//! | `process` | a mark that tells a process from one that was forked from it |
//! | `wide`, `processor` | what the processor has, found at run time |
//!
//! The vector kernels need AVX-512 with VBMI2. Elsewhere, and where this crate is built with
//! `RUSTFLAGS="--cfg cortexkey_portable"`, none of them runs, and the generator goes on with the
//! `chacha20` crate.

#[cfg(target_arch = "x86_64")]
mod alphanumeric;
#[cfg(target_arch = "x86_64")]
mod chacha20;
mod generator;
mod page;
mod process;
mod processor;
#[cfg(target_arch = "x86_64")]
mod sha256;
#[cfg(target_arch = "x86_64")]
mod text;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(target_arch = "x86_64")]
pub use alphanumeric::{RANDOM_BYTES, alphanumeric};
pub use generator::ThreadGenerator;
pub use process::ProcessMark;
pub use processor::Processor;
#[cfg(target_arch = "x86_64")]
pub use sha256::{LANES, Lanes, SharedBlock};
#[cfg(target_arch = "x86_64")]
pub use text::{are_alphanumeric, are_hex_digits, is_hex_of, write_hex};
#[cfg(target_arch = "x86_64")]
pub use wide::Wide;

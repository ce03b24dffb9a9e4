//! Vector kernels for signing and verifying many requests at a time, and a fork-safe generator of
//! nonces: the optional fast path of `cortexkey-core`, which uses them with its feature `kernels`.
//!
//! Each kernel has the same results as plain code, which its tests compare it with. All unsafe code
//! of the fast path is here, each block with its reason.
//!
//! | file | holds |
//! |---|---|
//! | `sha256` | SHA-256 of 32 messages at a time |
//! | `text` | checks of 64 characters, and digits of a digest |
//! | `alphanumeric` | random bytes to letters and digits |
//! | `chacha20` | sixteen blocks of keystream at a time |
//! | `generator` | a buffer of keystream for each thread, seeded from the operating system |
//! | `page` | memory that a forked child sees as zeros |
//! | `process` | a mark that distinguishes a process from its forked children |
//! | `avx512`, `processor` | detection of the processor's features at run time |
//!
//! The vector kernels need AVX-512 with VBMI2. Elsewhere, and where this crate is built with
//! `RUSTFLAGS="--cfg cortexkey_portable"`, none of them runs, and the generator uses the `chacha20`
//! crate.

#[cfg(target_arch = "x86_64")]
mod alphanumeric;
#[cfg(target_arch = "x86_64")]
mod avx512;
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
pub use alphanumeric::{RANDOM_BYTES, alphanumeric};
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use generator::ThreadGenerator;
pub use process::ProcessMark;
pub use processor::Processor;
#[cfg(target_arch = "x86_64")]
pub use sha256::{LANES, Lanes, SharedBlock};
#[cfg(target_arch = "x86_64")]
pub use text::{are_alphanumeric, are_hex_digits, is_hex_of, write_hex};

//! Vector kernels for signing and verifying many requests at a time, and a fork-safe generator of
//! nonces: the optional fast path of `cortexkey-core`, which uses them with its feature `kernels`.
//!
//! Each kernel has the same results as plain code, which its tests compare it with. All unsafe code
//! of the fast path is here, each block with its reason.
//!
//! | module | content |
//! |---|---|
//! | `avx512`, `avx2` | kernels for lanes of SHA-256, text, nonces and ChaCha20 |
//! | `sha_ni`, `arm_sha2` | SHA-256 of four messages at a time |
//! | `neon` | kernels for text |
//! | `hasher`, `text`, `nonce_kernel` | the choice of a kernel at run time |
//! | `generator` | a buffer of keystream for each thread, seeded from the operating system |
//! | `page` | memory that a forked child sees as zeros |
//! | `process` | a mark that distinguishes a process from its forked children |
//! | `found`, `processor`, `path` | the processor's features |
//!
//! | kernel | used for | compared with |
//! |---|---|---|
//! | AVX-512 with VBMI2 | batches from 16 on, nonces, text | SHA-NI: half the time |
//! | SHA-NI with AVX2 | batches from 3 on | one message at a time: half the time |
//! | AVX2 | nonces, text; batches where there is no SHA-NI | SHA-256 in software: a sixth of the time |
//! | SHA-256 of 64-bit ARM | batches from 3 on | not measured: tested by an emulator only |
//!
//! Elsewhere, and with `RUSTFLAGS="--cfg cortexkey_portable"`, no kernel runs, and the generator uses the
//! `chacha20` crate.

#[cfg(target_arch = "aarch64")]
mod arm_sha2;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod found;
mod generator;
mod hasher;
mod keystream;
#[cfg(target_arch = "aarch64")]
mod neon;
mod nonce_kernel;
mod page;
mod path;
mod process;
mod processor;
mod sha256;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
mod sizes;
mod text;

#[cfg(target_arch = "aarch64")]
pub use arm_sha2::ArmSha2;
#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use generator::ThreadGenerator;
pub use hasher::{Hasher, Lanes};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use nonce_kernel::NonceKernel;
pub use path::Path;
pub use process::ProcessMark;
pub use processor::Processor;
#[cfg(target_arch = "x86_64")]
pub use sha_ni::ShaNi;
pub use sha256::SharedBlock;
pub use sizes::{LANES, RANDOM_BYTES};
pub use text::{are_alphanumeric, are_hex_digits, are_nonce_and_digest, is_hex_of, write_hex};

//! The authentication headers: created by [`Signer`], checked by [`Verifier`].
//!
//! A **Standard** key is sent unchanged. An **Advanced** key is never sent: the request carries
//! `SHA-256(key ‖ nonce ‖ timestamp)` as 64 lower-case hexadecimal digits. The scheme has no
//! delimiter and is not an HMAC, so a verifier's safety depends on the strict grammar of
//! [`Request`]. A signer signs only what the verifier would accept, and neither reads a clock.

mod alphanumeric;
mod batch;
mod digits;
pub(crate) mod guard;
mod header_names;
mod key;
mod key_material;
mod midstate;
#[cfg(feature = "kernels")]
mod multi;
mod nonce;
mod request;
pub(crate) mod secret_box;
mod sign;
mod signature;
mod stored;
mod timestamp;
mod verdict;
mod verify;

pub(crate) use alphanumeric::fill_key_part;
pub use batch::AdvancedSigner;
pub use header_names::{HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP};
pub use key::{KEY_BYTES_MAX, Key, KeyByte, KeyError, KeyId, KeyIdError, Level, LevelError};
pub use key_material::{BadKeyMaterial, KeyMaterial};
pub use nonce::{NONCE_BYTES, Nonce, NonceError, NonceLengths};
pub use request::{HeaderValues, Request};
pub use sign::{Headers, Signer};
pub use signature::{Signature, SignatureSlot};
pub use stored::{LevelEditRefused, StoredKey};
pub use timestamp::{Timestamp, TimestampError};
pub use verdict::Verdict;
pub use verify::{Principal, Skew, SkewError, Verifier};

//! The authentication headers: made by [`Signer`], checked by [`Verifier`].
//!
//! It refuses to sign what it would not accept, to look at a clock, and to say more of a key than
//! where it is wrong.
//!
//! A **Standard** key is sent as it is. An **Advanced** key is never sent: the request carries
//! `SHA-256(key ‖ nonce ‖ timestamp)` as 64 lower-case hexadecimal digits. The scheme has no
//! delimiter and is no HMAC, so a verifier's safety hangs on the strict grammar of [`Request`].

mod absorbed;
mod alphanumeric;
mod batch;
mod digits;
pub(crate) mod kept;
mod key;
mod nonce;
mod request;
mod sign;
mod stored;
mod timestamp;
mod verdict;
mod verify;
#[cfg(all(feature = "kernels", target_arch = "x86_64"))]
mod wide;

pub(crate) use alphanumeric::fill_key_part;
pub use batch::{AdvancedSigner, Signature, SignaturePlace};
pub use key::{KEY_BYTES_MAX, Key, KeyByte, KeyError, KeyId, KeyIdError, Level, LevelError};
pub use nonce::{NONCE_BYTES, Nonce, NonceError, NonceLengths};
pub use request::{HeaderValues, Request};
pub use sign::{Headers, Signer};
pub use stored::{BadKeyMaterial, KeyMaterial, LevelEditRefused, StoredKey};
pub use timestamp::{Timestamp, TimestampError};
pub use verdict::Verdict;
pub use verify::{Principal, Skew, SkewError, Verifier};

/// The header that names the key: its id, in decimal.
pub const HEADER_KEY_ID: &str = "x-xdr-auth-id";
/// The header that carries the key (Standard) or the digest (Advanced).
pub const HEADER_AUTHORIZATION: &str = "Authorization";
/// The header with the nonce of an Advanced request.
pub const HEADER_NONCE: &str = "x-xdr-nonce";
/// The header with the time of an Advanced request, in milliseconds since 1970.
pub const HEADER_TIMESTAMP: &str = "x-xdr-timestamp";

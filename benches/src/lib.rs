//! What the benchmarks compare cortexkey with: signers and a verifier as one would write them
//! without it. Each is honest work, none is made slow.
//!
//! It refuses to be fast: these are peers, and users must not take them for advice.

pub mod guard;
pub mod measure;

use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What is signed with in every benchmark: 128 letters and digits, as the product's keys have.
pub const KEY: &str = "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH7bTKlTPkgBHLj8aSjFzjgTE9bQUK1DidlWLrnYRhaYQ4PCIyNrNJbMUC6DOWi8ANIn1JWpMTE2neGvoDIRsKUbj6pJ1z7Gmr";

/// The four headers as text.
pub type Headers = [String; 4];

/// Milliseconds since 1970, from the system's clock.
///
/// # Panics
/// Where the clock stands before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().expect("the clock is after 1970");
    u64::try_from(since.as_millis()).expect("milliseconds fit")
}

/// Naive form A: `rand`'s `Alphanumeric`, `format!`, `sha2`, `hex::encode`.
#[must_use]
pub fn naive_a(key: &str, key_id: u64) -> Headers {
    let nonce = Alphanumeric.sample_string(&mut rand::rng(), 64);
    let timestamp = now_ms();
    let digest = hex::encode(Sha256::digest(format!("{key}{nonce}{timestamp}")));
    [key_id.to_string(), digest, nonce, timestamp.to_string()]
}

/// Naive form B: one draw a character, and `{:02x}` a byte, as in many a first version.
#[must_use]
#[expect(clippy::format_collect, reason = "that is the form compared with")]
pub fn naive_b(key: &str, key_id: u64) -> Headers {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    let nonce: String =
        (0..64).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
    let timestamp = now_ms();
    let digest: String = Sha256::digest(format!("{key}{nonce}{timestamp}"))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    [key_id.to_string(), digest, nonce, timestamp.to_string()]
}

/// A verifier as a careful author writes it: the key hashed in once, `hex::decode`, `subtle`.
#[derive(Clone)]
pub struct TypicalVerifier {
    absorbed: Sha256,
}

impl TypicalVerifier {
    /// A verifier for one key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { absorbed: Sha256::new_with_prefix(key) }
    }

    /// Whether the digest fits and the time is within a minute.
    #[must_use]
    pub fn verify(&self, authorization: &str, nonce: &str, timestamp: &str, now_ms: u64) -> bool {
        let fits = nonce.len() == 64 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let Ok(presented) = hex::decode(authorization) else { return false };
        let Ok(signed_ms) = timestamp.parse::<u64>() else { return false };
        let expected = self.absorbed.clone().chain_update(nonce).chain_update(timestamp).finalize();
        fits && signed_ms.abs_diff(now_ms) <= 60_000
            && bool::from(expected.as_slice().ct_eq(&presented))
    }
}

//! The peers in Rust. Each creates all four headers as text, or checks all values of a request.

use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::now_ms;

/// The four headers as text.
pub type Headers = [String; 4];

/// Naive form A: `rand`'s `Alphanumeric`, `format!`, `sha2`, `hex::encode`.
#[must_use]
pub fn naive_a(key: &str, key_id: u64) -> Headers {
    let nonce = Alphanumeric.sample_string(&mut rand::rng(), 64);
    let timestamp = now_ms();
    let digest = hex::encode(Sha256::digest(format!("{key}{nonce}{timestamp}")));
    [key_id.to_string(), digest, nonce, timestamp.to_string()]
}

/// Naive form B: one draw per character, and `{:02x}` per byte, as in many first versions.
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

/// `ring` for the digest and the randomness.
///
/// # Panics
/// If the system returns no random bytes.
#[cfg(feature = "peers")]
#[must_use]
pub fn ring(key: &str, key_id: u64, random: &ring::rand::SystemRandom) -> Headers {
    use ring::rand::SecureRandom as _;
    let nonce = nonce_from(|bytes| random.fill(bytes).expect("the system has randomness"));
    let timestamp = now_ms();
    let message = format!("{key}{nonce}{timestamp}");
    let digest = hex::encode(ring::digest::digest(&ring::digest::SHA256, message.as_bytes()));
    [key_id.to_string(), digest, nonce, timestamp.to_string()]
}

/// `aws-lc-rs` for the digest and the randomness.
///
/// # Panics
/// As above.
#[cfg(feature = "peers")]
#[must_use]
pub fn aws_lc(key: &str, key_id: u64) -> Headers {
    let nonce = nonce_from(|bytes| {
        aws_lc_rs::rand::fill(bytes).expect("the system has randomness");
    });
    let timestamp = now_ms();
    let message = format!("{key}{nonce}{timestamp}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message.as_bytes());
    [key_id.to_string(), hex::encode(digest), nonce, timestamp.to_string()]
}

/// A nonce as a careful author creates it from a source of bytes: values that would bias some
/// characters are drawn again.
#[cfg(feature = "peers")]
fn nonce_from(mut fill: impl FnMut(&mut [u8])) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut nonce = String::with_capacity(64);
    while nonce.len() < 64 {
        let mut random = [0; 96];
        fill(&mut random);
        let fit = random.into_iter().map(|byte| usize::from(byte & 63));
        let characters = fit.filter_map(|index| ALPHABET.get(index)).map(|byte| char::from(*byte));
        nonce.extend(characters.take(64 - nonce.len()));
    }
    nonce
}

/// A verifier as a careful author writes it: the key is hashed once, then `hex::decode` and
/// `subtle`.
#[derive(Clone)]
pub struct TypicalVerifier {
    midstate: Sha256,
}

impl TypicalVerifier {
    /// A verifier for one key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { midstate: Sha256::new_with_prefix(key) }
    }

    /// Whether the digest matches and the time is within a minute.
    #[must_use]
    pub fn verify(&self, authorization: &str, nonce: &str, timestamp: &str, now_ms: u64) -> bool {
        let fits = nonce.len() == 64 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let Ok(presented) = hex::decode(authorization) else { return false };
        let Ok(signed_ms) = timestamp.parse::<u64>() else { return false };
        let expected = self.midstate.clone().chain_update(nonce).chain_update(timestamp).finalize();
        fits && signed_ms.abs_diff(now_ms) <= 60_000
            && bool::from(expected.as_slice().ct_eq(&presented))
    }
}

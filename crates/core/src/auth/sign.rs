//! [`Signer`]: creates the [`Headers`] of one request.
//!
//! Creating a signer allocates; signing does not.

use core::convert::Infallible;
#[cfg(feature = "kernels")]
use core::iter;

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::alphanumeric;
use super::batch::AdvancedSigner;
use super::digits::Decimal;
use super::header_names::{HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP};
use super::key::{KEY_BYTES_MAX, Key, KeyId, Level};
use super::midstate::HashMidstate;
use super::nonce::{NONCE_BYTES, Nonce};
use super::request::HeaderValues;
use super::secret_box::SecretBox;
use super::signature::{Signature, ascii};
use super::timestamp::Timestamp;

/// Signs requests with one key.
///
/// The key is hashed once, when the signer is created. The signer keeps the hash's state, which is as
/// secret as the key, and wipes it on drop. Threads may share a signer.
///
/// ```
/// use cortexkey_core::auth::{Key, KeyId, Level, Nonce, Signer, Timestamp};
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let signer = Signer::new(id, Level::Advanced, Key::new(b"test-api-key")?);
/// let nonce = Nonce::new(&[b'a'; 64])?;
/// let headers = signer.sign_with(nonce, Timestamp::from_ms(1_700_000_000_000)?);
/// assert_eq!(
///     headers.authorization(),
///     "cf8dfda1b705750a893d5b980ec2b259d7374b203889435f2cc6bbae46f1e6e9"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Signer {
    key_id: KeyId,
    key_id_digits: Decimal,
    scheme: Scheme,
}

enum Scheme {
    Standard(SecretBox<StandardKey>),
    Advanced(SecretBox<HashMidstate>),
}

impl Signer {
    /// Creates a signer. `level` is the security level that the key was generated with; the length of
    /// a key does not show it.
    pub fn new(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let scheme = match level {
            Level::Standard => Scheme::Standard(StandardKey::new(key)),
            Level::Advanced => Scheme::Advanced(HashMidstate::new(key)),
        };
        Self { key_id, key_id_digits: key_id.decimal(), scheme }
    }

    /// The key's id.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The key's security level.
    pub fn level(&self) -> Level {
        match self.scheme {
            Scheme::Standard(_) => Level::Standard,
            Scheme::Advanced(_) => Level::Advanced,
        }
    }

    /// Signs many requests at a time; `None` for a Standard key, whose requests all carry the same
    /// headers.
    pub fn advanced(&self) -> Option<AdvancedSigner<'_>> {
        match &self.scheme {
            Scheme::Standard(_) => None,
            Scheme::Advanced(key) => Some(AdvancedSigner::new(key)),
        }
    }

    /// Returns the headers of one attempt, with a new nonce. Sign a retry again.
    pub fn sign<R: CryptoRng + ?Sized>(&self, rng: &mut R, now: Timestamp) -> Headers<'_> {
        match self.try_sign(rng, now) {
            Ok(headers) => headers,
            Err(never) => match never {},
        }
    }

    /// Like [`sign`](Self::sign), for a generator that can fail; returns its error.
    pub fn try_sign<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        now: Timestamp,
    ) -> Result<Headers<'_>, R::Error> {
        self.headers(now, |nonce| alphanumeric::fill_nonce(rng, nonce))
    }

    /// Like [`sign`](Self::sign), with a nonce from the operating system.
    #[cfg(feature = "system")]
    pub fn sign_from_system(&self, now: Timestamp) -> Result<Headers<'_>, getrandom::Error> {
        self.try_sign(&mut getrandom::SysRng, now)
    }

    /// Like [`sign`](Self::sign), with a nonce from the thread's own generator, which rarely asks the
    /// operating system for a seed: [`cortexkey_kernels::ThreadGenerator`].
    #[cfg(feature = "kernels")]
    pub fn sign_from_thread(&self, now: Timestamp) -> Result<Headers<'_>, getrandom::Error> {
        let headers = self.headers(now, |nonce| alphanumeric::fill_from_thread(iter::once(nonce)));
        // The processor still computes the hash meanwhile.
        alphanumeric::prepare_for_thread();
        headers
    }

    /// Returns the headers for a given nonce and time, for reproducible results. A Standard key uses
    /// neither. Never sign two requests with one nonce.
    pub fn sign_with(&self, nonce: Nonce, timestamp: Timestamp) -> Headers<'_> {
        let signed = self.headers(timestamp, |out| {
            *out = *nonce.as_bytes();
            Ok::<_, Infallible>(())
        });
        match signed {
            Ok(headers) => headers,
            Err(never) => match never {},
        }
    }

    /// Writes each value to its final address: copying what was just written would stall the
    /// processor.
    fn headers<E>(
        &self,
        now: Timestamp,
        fill_nonce: impl FnOnce(&mut [u8; NONCE_BYTES]) -> Result<(), E>,
    ) -> Result<Headers<'_>, E> {
        let mut headers = Headers {
            signature: Signature::EMPTY,
            timestamp: now.digits(),
            key_id: &self.key_id_digits,
            key: None,
        };
        match &self.scheme {
            // No nonce is drawn.
            Scheme::Standard(key) => headers.key = Some(key.as_bytes()),
            Scheme::Advanced(key) => {
                let signature = &mut headers.signature;
                fill_nonce(&mut signature.nonce)?;
                let digest = key.digest(&signature.nonce, &headers.timestamp);
                digest.write_hex(&mut signature.authorization);
            }
        }
        Ok(headers)
    }
}

/// The authentication headers of one request: two for a Standard key, four for an Advanced one.
///
/// With a Standard key they contain the key itself, so they have no `Debug`.
pub struct Headers<'s> {
    signature: Signature,
    timestamp: [u8; 13],
    key_id: &'s Decimal,
    /// A Standard key, which replaces signature and timestamp.
    key: Option<&'s [u8]>,
}

impl Headers<'_> {
    /// `x-xdr-auth-id`: the key id in decimal.
    pub fn key_id(&self) -> &str {
        ascii(self.key_id.as_bytes())
    }

    /// `Authorization`: the digest, or the key itself if its level is Standard.
    pub fn authorization(&self) -> &str {
        self.key.map_or_else(|| self.signature.authorization(), ascii)
    }

    /// `x-xdr-nonce`; `None` with a Standard key.
    pub fn nonce(&self) -> Option<&str> {
        self.key.is_none().then(|| self.signature.nonce())
    }

    /// `x-xdr-timestamp`; `None` with a Standard key.
    pub fn timestamp(&self) -> Option<&str> {
        self.key.is_none().then(|| ascii(&self.timestamp))
    }

    /// The values as bytes.
    pub fn values(&self) -> HeaderValues<'_> {
        let is_signed = self.key.is_none();
        HeaderValues {
            key_id: Some(self.key_id.as_bytes()),
            authorization: Some(self.key.unwrap_or(&self.signature.authorization)),
            nonce: is_signed.then_some(&self.signature.nonce),
            timestamp: is_signed.then_some(&self.timestamp),
        }
    }

    /// Name and value of each header.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            Some((HEADER_KEY_ID, self.key_id())),
            Some((HEADER_AUTHORIZATION, self.authorization())),
            self.nonce().map(|value| (HEADER_NONCE, value)),
            self.timestamp().map(|value| (HEADER_TIMESTAMP, value)),
        ]
        .into_iter()
        .flatten()
    }
}

/// A copy of a Standard key, which is sent with each request; wiped on drop.
struct StandardKey {
    bytes: [u8; KEY_BYTES_MAX],
    len: usize,
}

impl StandardKey {
    /// Copies the key to its final address.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    fn new(key: Key<'_>) -> SecretBox<Self> {
        let mut copy = SecretBox::new(Self { bytes: [0; KEY_BYTES_MAX], len: key.bytes().len() });
        copy.bytes.iter_mut().zip(key.bytes()).for_each(|(out, byte)| *out = *byte);
        copy
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for StandardKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for StandardKey {}

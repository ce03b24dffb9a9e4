//! [`Signer`] makes the [`Headers`] of one request.
//!
//! It refuses to read a clock and to sign anything that [`Verifier`](super::Verifier) would not
//! accept. It allocates where a signer is made, and nothing where it signs.

use core::convert::Infallible;
#[cfg(feature = "kernels")]
use core::iter;

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::absorbed::AbsorbedKey;
use super::alphanumeric;
use super::batch::{AdvancedSigner, Signature};
use super::digits::Decimal;
use super::kept::Kept;
use super::key::{KEY_BYTES_MAX, Key, KeyId, Level};
use super::nonce::{NONCE_BYTES, Nonce};
use super::request::HeaderValues;
use super::timestamp::Timestamp;
use super::{HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP};

/// Signs requests with one key.
///
/// The key is hashed in once, when the signer is made; what is kept can sign, is as secret as the
/// key, and is wiped on drop. A signer may be shared by threads.
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
    Standard(Kept<StandardKey>),
    Advanced(Kept<AbsorbedKey>),
}

impl Signer {
    /// A signer for the key. The security level is the one that the key was generated with; the
    /// length of a key does not tell it.
    pub fn new(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let scheme = match level {
            Level::Standard => Scheme::Standard(StandardKey::new(key)),
            Level::Advanced => Scheme::Advanced(AbsorbedKey::new(key)),
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

    /// For signing many requests at a time; none where the key's level is Standard, since all its
    /// requests carry the same headers.
    pub fn advanced(&self) -> Option<AdvancedSigner<'_>> {
        match &self.scheme {
            Scheme::Standard(_) => None,
            Scheme::Advanced(key) => Some(AdvancedSigner::new(key)),
        }
    }

    /// The headers of one attempt, with a fresh nonce. A retry is signed anew.
    pub fn sign<R: CryptoRng + ?Sized>(&self, rng: &mut R, now: Timestamp) -> Headers<'_> {
        match self.try_sign(rng, now) {
            Ok(headers) => headers,
            Err(never) => match never {},
        }
    }

    /// As [`sign`](Self::sign), for a generator that can fail; its error is returned.
    pub fn try_sign<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        now: Timestamp,
    ) -> Result<Headers<'_>, R::Error> {
        self.headers(now, |nonce| alphanumeric::fill_nonce(rng, nonce))
    }

    /// As [`sign`](Self::sign), with the nonce from the operating system.
    #[cfg(feature = "system")]
    pub fn sign_from_system(&self, now: Timestamp) -> Result<Headers<'_>, getrandom::Error> {
        self.try_sign(&mut getrandom::SysRng, now)
    }

    /// As [`sign`](Self::sign), with the nonce from the thread's own generator, which asks the
    /// operating system for a seed only now and then: [`cortexkey_kernels::ThreadGenerator`].
    #[cfg(feature = "kernels")]
    pub fn sign_from_thread(&self, now: Timestamp) -> Result<Headers<'_>, getrandom::Error> {
        let headers = self.headers(now, |nonce| alphanumeric::fill_from_thread(iter::once(nonce)));
        // After the hash, which the processor is still waiting for.
        alphanumeric::prepare_for_thread();
        headers
    }

    /// The headers for a given nonce and time, for repeatable answers. A Standard key uses
    /// neither. Never sign two requests with one nonce.
    pub fn sign_with(&self, nonce: Nonce, timestamp: Timestamp) -> Headers<'_> {
        let signed = self.headers(timestamp, |place| {
            *place = *nonce.as_bytes();
            Ok::<_, Infallible>(())
        });
        match signed {
            Ok(headers) => headers,
            Err(never) => match never {},
        }
    }

    /// Everything is written to where it stays: the headers are large, and a copy of what was just
    /// written makes the processor wait.
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
            // It has no nonce; none is drawn.
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
/// With a Standard key they hold the key itself, so they have no `Debug`.
pub struct Headers<'s> {
    signature: Signature,
    timestamp: [u8; 13],
    key_id: &'s Decimal,
    /// A Standard key, which takes the place of signature and timestamp.
    key: Option<&'s [u8]>,
}

impl Headers<'_> {
    /// `x-xdr-auth-id`: the key id in decimal.
    pub fn key_id(&self) -> &str {
        ascii(self.key_id.as_bytes())
    }

    /// `Authorization`: the digest, or the key itself where its level is Standard.
    pub fn authorization(&self) -> &str {
        self.key.map_or_else(|| self.signature.authorization(), ascii)
    }

    /// `x-xdr-nonce`; none with a Standard key.
    pub fn nonce(&self) -> Option<&str> {
        self.key.is_none().then(|| self.signature.nonce())
    }

    /// `x-xdr-timestamp`; none with a Standard key.
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

/// Every value is ASCII by the types it is made from.
pub(super) fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// A Standard key, which has to be kept as it is to be sent; wiped on drop.
struct StandardKey {
    bytes: [u8; KEY_BYTES_MAX],
    len: usize,
}

impl StandardKey {
    /// The key is copied to where it stays.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    fn new(key: Key<'_>) -> Kept<Self> {
        let mut kept = Kept::new(Self { bytes: [0; KEY_BYTES_MAX], len: key.bytes().len() });
        kept.bytes.iter_mut().zip(key.bytes()).for_each(|(place, byte)| *place = *byte);
        kept
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

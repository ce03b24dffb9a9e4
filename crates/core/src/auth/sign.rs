//! [`Signer`] makes the [`Headers`] of one request.
//!
//! It refuses to read a clock and to sign anything that [`Verifier`](super::Verifier) would not
//! accept. It allocates where a signer is made, and nothing where it signs.

use core::array;

use rand_core::{CryptoRng, TryCryptoRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::absorbed::AbsorbedKey;
use super::digits::{Decimal, encode_hex};
use super::kept::Kept;
use super::key::{KEY_BYTES_MAX, Key, KeyId, Level};
use super::nonce::{NONCE_BYTES, Nonce, fill_alphanumeric};
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
            Scheme::Advanced(key) => Some(AdvancedSigner(key)),
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
        let authorization = match &self.scheme {
            // A Standard key has no nonce; none is drawn.
            Scheme::Standard(key) => Authorization::Standard(key.as_bytes()),
            Scheme::Advanced(key) => Authorization::advanced(key, Nonce::try_generate(rng)?, now),
        };
        Ok(Headers { key_id: &self.key_id_digits, authorization })
    }

    /// As [`sign`](Self::sign), with the nonce from the operating system.
    #[cfg(feature = "system")]
    pub fn sign_from_system(&self, now: Timestamp) -> Result<Headers<'_>, getrandom::Error> {
        self.try_sign(&mut getrandom::SysRng, now)
    }

    /// The headers for a given nonce and time, for repeatable answers. A Standard key uses
    /// neither. Never sign two requests with one nonce.
    pub fn sign_with(&self, nonce: Nonce, timestamp: Timestamp) -> Headers<'_> {
        let authorization = match &self.scheme {
            Scheme::Standard(key) => Authorization::Standard(key.as_bytes()),
            Scheme::Advanced(key) => Authorization::advanced(key, nonce, timestamp),
        };
        Headers { key_id: &self.key_id_digits, authorization }
    }
}

/// A signer of an Advanced key, for signing many requests at a time: [`Signer::advanced`].
#[derive(Clone, Copy)]
pub struct AdvancedSigner<'s>(&'s AbsorbedKey);

impl AdvancedSigner<'_> {
    /// Signs one request for each place of the batch, all with the time `now`, each with a nonce of
    /// its own. The key id and the timestamp are the same in all.
    ///
    /// A signature of a batch takes about half the time of one alone. Who sends one request after
    /// the other gains nothing by it.
    pub fn sign_batch<R: CryptoRng + ?Sized>(
        self,
        rng: &mut R,
        now: Timestamp,
        batch: &mut [Signature],
    ) {
        match self.try_sign_batch(rng, now, batch) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// As [`sign_batch`](Self::sign_batch), for a generator that can fail; its error is returned,
    /// and the batch is not to be used.
    pub fn try_sign_batch<R: TryCryptoRng + ?Sized>(
        self,
        rng: &mut R,
        now: Timestamp,
        batch: &mut [Signature],
    ) -> Result<(), R::Error> {
        let timestamp = now.digits();
        let (chunks, rest) = batch.as_chunks_mut::<CHUNK>();
        chunks.iter_mut().try_for_each(|chunk| self.sign_chunk(rng, &timestamp, chunk))?;
        rest.iter_mut().try_for_each(|one| self.sign_chunk(rng, &timestamp, array::from_mut(one)))
    }

    fn sign_chunk<R: TryCryptoRng + ?Sized, const N: usize>(
        self,
        rng: &mut R,
        timestamp: &[u8; 13],
        chunk: &mut [Signature; N],
    ) -> Result<(), R::Error> {
        fill_alphanumeric(rng, chunk.each_mut().map(|signature| &mut signature.nonce))?;
        // Nothing but hashes: the blocks of one request wait for each other, those of two do not,
        // so the processor works on more than one at a time.
        let digests = chunk.each_ref().map(|signature| self.0.digest(&signature.nonce, timestamp));
        for (signature, digest) in chunk.iter_mut().zip(&digests) {
            signature.authorization = encode_hex(digest);
        }
        Ok(())
    }
}

/// How many requests of a batch go through each step together: enough for the processor to look
/// ahead, and few enough for its nearest cache.
const CHUNK: usize = 8;

/// One signature of a batch: what its request has of its own.
///
/// Until it is sent it is as good as a password for one request, so it has no `Debug`.
#[derive(Clone)]
#[repr(C)]
pub struct Signature {
    authorization: [u8; 64],
    nonce: [u8; NONCE_BYTES],
}

impl Signature {
    /// A place that is not signed yet.
    pub const EMPTY: Self = Self { authorization: [b'0'; 64], nonce: [b'0'; NONCE_BYTES] };

    /// `Authorization`: the digest in hexadecimal.
    pub fn authorization(&self) -> &str {
        ascii(&self.authorization)
    }

    /// `x-xdr-nonce`.
    pub fn nonce(&self) -> &str {
        ascii(&self.nonce)
    }
}

/// The authentication headers of one request: two for a Standard key, four for an Advanced one.
///
/// With a Standard key they hold the key itself, so they have no `Debug`.
pub struct Headers<'s> {
    key_id: &'s Decimal,
    authorization: Authorization<'s>,
}

enum Authorization<'s> {
    Standard(&'s [u8]),
    Advanced { digest: [u8; 64], nonce: Nonce, timestamp: [u8; 13] },
}

impl Authorization<'_> {
    fn advanced(key: &AbsorbedKey, nonce: Nonce, timestamp: Timestamp) -> Self {
        let timestamp = timestamp.digits();
        let digest = encode_hex(&key.digest(nonce.as_bytes(), &timestamp));
        Self::Advanced { digest, nonce, timestamp }
    }
}

impl Headers<'_> {
    /// `x-xdr-auth-id`: the key id in decimal.
    pub fn key_id(&self) -> &str {
        ascii(self.key_id.as_bytes())
    }

    /// `Authorization`: the digest, or the key itself where its level is Standard.
    pub fn authorization(&self) -> &str {
        match &self.authorization {
            Authorization::Standard(key) => ascii(key),
            Authorization::Advanced { digest, .. } => ascii(digest),
        }
    }

    /// `x-xdr-nonce`; none with a Standard key.
    pub fn nonce(&self) -> Option<&str> {
        match &self.authorization {
            Authorization::Standard(_) => None,
            Authorization::Advanced { nonce, .. } => Some(ascii(nonce.as_bytes())),
        }
    }

    /// `x-xdr-timestamp`; none with a Standard key.
    pub fn timestamp(&self) -> Option<&str> {
        match &self.authorization {
            Authorization::Standard(_) => None,
            Authorization::Advanced { timestamp, .. } => Some(ascii(timestamp)),
        }
    }

    /// The values as bytes.
    pub fn values(&self) -> HeaderValues<'_> {
        let (authorization, nonce, timestamp): (_, _, Option<&[u8]>) = match &self.authorization {
            Authorization::Standard(key) => (*key, None, None),
            Authorization::Advanced { digest, nonce, timestamp } => {
                (digest, Some(nonce.as_ref()), Some(timestamp))
            }
        };
        let (key_id, authorization) = (Some(self.key_id.as_bytes()), Some(authorization));
        HeaderValues { key_id, authorization, nonce, timestamp }
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
fn ascii(bytes: &[u8]) -> &str {
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

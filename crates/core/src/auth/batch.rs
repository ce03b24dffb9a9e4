//! [`AdvancedSigner`] signs many requests at a time.
//!
//! It refuses Standard keys, whose requests all carry the same headers.

use rand_core::{CryptoRng, TryCryptoRng};

use super::absorbed::{AbsorbedKey, Digest};
use super::alphanumeric;
use super::nonce::NONCE_BYTES;
use super::sign::ascii;
use super::timestamp::Timestamp;

/// A signer of an Advanced key, for signing many requests at a time:
/// [`Signer::advanced`](super::Signer::advanced).
///
/// ```
/// # #[cfg(feature = "system")] {
/// use cortexkey_core::auth::{Key, KeyId, Level, Signature, Signer, Timestamp};
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let signer = Signer::new(id, Level::Advanced, Key::new(b"test-api-key")?);
/// let advanced = signer.advanced().ok_or("a Standard key has no batches")?;
/// let mut batch = [Signature::EMPTY; 10];
/// let now = Timestamp::from_ms(1_790_611_727_783)?;
/// advanced.try_sign_batch(&mut getrandom::SysRng, now, &mut batch)?;
/// assert!(batch[0].nonce() != batch[1].nonce());
/// # }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct AdvancedSigner<'s>(&'s AbsorbedKey);

/// How many requests of a batch go through each step together: enough for the processor to look
/// ahead, and few enough for its nearest cache.
const CHUNK: usize = 16;

impl<'s> AdvancedSigner<'s> {
    pub(super) fn new(key: &'s AbsorbedKey) -> Self {
        Self(key)
    }

    /// Signs one request for each place of the batch, all with the time `now`, each with a nonce of
    /// its own. The key id and the timestamp are the same in all.
    ///
    /// A signature of a large batch takes half the time of one alone, or a fourth with the feature
    /// `kernels` on a processor with AVX-512. Who sends one request after the other gains nothing
    /// by it.
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
        self.sign_all(now, batch, |batch| {
            batch.chunks_mut(CHUNK).try_for_each(|chunk| {
                let mut random = [alphanumeric::NO_RANDOM; CHUNK];
                let random = &mut random[..chunk.len()];
                alphanumeric::fill_nonces(rng, random, nonces(chunk))
            })
        })
    }

    /// As [`sign_batch`](Self::sign_batch), with nonces from the thread's own generator,
    /// [`cortexkey_kernels::ThreadGenerator`], and into whatever has a place for a signature.
    #[cfg(feature = "kernels")]
    pub fn sign_batch_from_thread<P: SignaturePlace>(
        self,
        now: Timestamp,
        batch: &mut [P],
    ) -> Result<(), getrandom::Error> {
        self.sign_all(now, batch, |batch| alphanumeric::fill_from_thread(nonces(batch)))
    }

    /// `fill` is asked for the nonces of some signatures at a time.
    fn sign_all<P: SignaturePlace, E>(
        self,
        now: Timestamp,
        batch: &mut [P],
        mut fill: impl FnMut(&mut [P]) -> Result<(), E>,
    ) -> Result<(), E> {
        let timestamp = now.digits();
        #[cfg(all(feature = "kernels", target_arch = "x86_64"))]
        let batch = super::wide::sign(self.0, &timestamp, batch, &mut fill)?;
        for chunk in batch.chunks_mut(CHUNK) {
            fill(chunk)?;
            // Nothing but hashes: the blocks of one request wait for each other, those of two do
            // not, so the processor works on more than one at a time.
            let mut digests = [Digest([0; 8]); CHUNK];
            for (digest, signature) in digests.iter_mut().zip(&*chunk) {
                *digest = self.0.digest(signature.nonce(), &timestamp);
            }
            for (signature, digest) in chunk.iter_mut().zip(&digests) {
                digest.write_hex(signature.authorization_mut());
            }
        }
        Ok(())
    }
}

fn nonces<P: SignaturePlace>(batch: &mut [P]) -> impl Iterator<Item = &mut [u8; NONCE_BYTES]> {
    batch.iter_mut().map(SignaturePlace::nonce_mut)
}

/// Where a signature of a batch goes: a [`Signature`], or what has places for its two values.
pub trait SignaturePlace {
    /// The nonce as it was written by [`nonce_mut`](Self::nonce_mut).
    fn nonce(&self) -> &[u8; NONCE_BYTES];
    /// The place of the nonce.
    fn nonce_mut(&mut self) -> &mut [u8; NONCE_BYTES];
    /// The place of the digest in hexadecimal, which is only written.
    fn authorization_mut(&mut self) -> &mut [u8; 64];
}

impl SignaturePlace for Signature {
    fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.nonce
    }

    fn nonce_mut(&mut self) -> &mut [u8; NONCE_BYTES] {
        &mut self.nonce
    }

    fn authorization_mut(&mut self) -> &mut [u8; 64] {
        &mut self.authorization
    }
}

/// One signature of a batch: what its request has of its own.
///
/// Until it is sent it is as good as a password for one request, so it has no `Debug`.
#[derive(Clone)]
#[repr(C)]
#[cfg_attr(feature = "kernels", repr(align(64)))] // a kernel stores 64 bytes at once
pub struct Signature {
    pub(super) authorization: [u8; 64],
    pub(super) nonce: [u8; NONCE_BYTES],
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

    /// Both as bytes.
    pub fn as_bytes(&self) -> (&[u8; 64], &[u8; NONCE_BYTES]) {
        (&self.authorization, &self.nonce)
    }
}

//! [`AdvancedSigner`]: signs many requests at a time.

use rand_core::{CryptoRng, TryCryptoRng};

use super::alphanumeric;
use super::midstate::{Digest, HashMidstate};
use super::nonce::NONCE_BYTES;
use super::signature::{Signature, SignatureSlot};
use super::timestamp::Timestamp;

/// Signs many requests of an Advanced key at a time. It comes from
/// [`Signer::advanced`](super::Signer::advanced); requests of a Standard key all carry the same
/// headers.
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
pub struct AdvancedSigner<'s>(&'s HashMidstate);

/// How many requests of a batch go through each step together: enough for the processor to overlap
/// them, and few enough to fit in its first-level cache.
const CHUNK: usize = 16;

impl<'s> AdvancedSigner<'s> {
    pub(super) fn new(key: &'s HashMidstate) -> Self {
        Self(key)
    }

    /// Fills every slot of the batch with a signature for the time `now`, each with its own nonce.
    /// Key id and timestamp are the same in all.
    ///
    /// `docs/performance.md` compares batches with single signatures. A client that sends one request
    /// after another gains nothing from a batch.
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

    /// Like [`sign_batch`](Self::sign_batch), for a generator that can fail. It returns the generator's
    /// error; the batch must not be used then.
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

    /// Like [`sign_batch`](Self::sign_batch), with nonces from the thread's own generator,
    /// [`cortexkey_kernels::ThreadGenerator`], into any kind of slot.
    #[cfg(feature = "kernels")]
    pub fn sign_batch_from_thread<P: SignatureSlot>(
        self,
        now: Timestamp,
        batch: &mut [P],
    ) -> Result<(), getrandom::Error> {
        self.sign_all(now, batch, |batch| alphanumeric::fill_from_thread(nonces(batch)))
    }

    /// `fill` draws the nonces for a part of the batch.
    fn sign_all<P: SignatureSlot, E>(
        self,
        now: Timestamp,
        batch: &mut [P],
        mut fill: impl FnMut(&mut [P]) -> Result<(), E>,
    ) -> Result<(), E> {
        let timestamp = now.digits();
        #[cfg(feature = "kernels")]
        let batch = super::multi::sign(self.0, &timestamp, batch, &mut fill)?;
        for chunk in batch.chunks_mut(CHUNK) {
            fill(chunk)?;
            // Hashes only: the blocks of one request depend on each other, those of different
            // requests do not, so the processor overlaps requests.
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

fn nonces<P: SignatureSlot>(batch: &mut [P]) -> impl Iterator<Item = &mut [u8; NONCE_BYTES]> {
    batch.iter_mut().map(SignatureSlot::nonce_mut)
}

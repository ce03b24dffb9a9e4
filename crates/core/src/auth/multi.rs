//! Hashes many messages at a time with the vector kernels, if the processor supports one.
//!
//! Each function names the plain code whose results it reproduces.

use core::array;

use cortexkey_kernels::{Avx512, LANES, Lanes, SharedBlock};
use zeroize::Zeroize;

use super::midstate::{BLOCK_BYTES, Blocks, Digest, HashMidstate, NO_BLOCKS};
use super::nonce::NONCE_BYTES;
use super::request::{AuthForm, Request};
use super::signature::SignatureSlot;

/// With fewer messages, too many lanes would be idle.
const LANES_MIN: usize = LANES / 2;

/// Signs the part of a batch for which the lanes pay, and returns the rest. Stands in for
/// `AdvancedSigner::sign_all`.
pub(super) fn sign<'b, P: SignatureSlot, E>(
    key: &HashMidstate,
    timestamp: &[u8; 13],
    batch: &'b mut [P],
    fill: &mut impl FnMut(&mut [P]) -> Result<(), E>,
) -> Result<&'b mut [P], E> {
    let pays = |batch: &[_]| batch.len() >= LANES_MIN;
    let Some(avx512) = Avx512::detect().filter(|_| pays(batch)) else { return Ok(batch) };
    let mut messages = None;
    let mut signer = BatchSigner::new(avx512, key, timestamp, &mut messages);
    let mut rest = batch;
    while pays(rest) {
        let (now, later) = rest.split_at_mut(rest.len().min(LANES));
        fill(now)?;
        signer.sign(now);
        rest = later;
    }
    Ok(rest)
}

/// The messages of one key and time.
struct BatchSigner<'k, 'm> {
    avx512: Avx512,
    key: &'k HashMidstate,
    /// `None` if the key fills its blocks, so that a nonce is a block. A reference, since a part of a key
    /// must not be moved.
    messages: Option<&'m mut Messages<LANES>>,
    blocks_used: usize,
    last: SharedBlock,
}

impl<'k, 'm> BatchSigner<'k, 'm> {
    fn new(
        avx512: Avx512,
        key: &'k HashMidstate,
        timestamp: &[u8; 13],
        storage: &'m mut Option<Messages<LANES>>,
    ) -> Self {
        let mut message = Messages::<1>::new();
        let blocks_used = key.write_message(&mut message.0[0], &[0; NONCE_BYTES], timestamp);
        let messages = (key.tail_len() != 0).then(|| {
            let messages = storage.insert(Messages::new());
            for blocks in &mut messages.0 {
                blocks[..blocks_used].copy_from_slice(&message.0[0][..blocks_used]);
            }
            messages
        });
        // The same in all lanes, if the nonces end before it.
        let last = SharedBlock::new(&message.0[0][blocks_used - 1]);
        Self { avx512, key, messages, blocks_used, last }
    }

    /// Signs up to `LANES` slots whose nonces are drawn.
    fn sign<P: SignatureSlot>(&mut self, batch: &mut [P]) {
        if let Some(messages) = &mut self.messages {
            for (blocks, signature) in messages.0.iter_mut().zip(&*batch) {
                self.key.write_nonce(blocks, signature.nonce());
            }
        }
        let lanes = self.hash(batch);
        lanes.write_hex(self.avx512, batch.iter_mut().map(SignatureSlot::authorization_mut));
    }

    fn hash<P: SignatureSlot>(&self, batch: &[P]) -> Lanes {
        let mut lanes = Lanes::all(self.key.state());
        let nonces_end = self.key.tail_len() + NONCE_BYTES;
        for place in 0..self.blocks_used {
            if place * BLOCK_BYTES < nonces_end {
                let blocks = match &self.messages {
                    Some(messages) => messages.blocks(place),
                    None => nonces(batch),
                };
                lanes.compress_each(self.avx512, blocks, u32::MAX);
            } else {
                lanes.compress_shared(self.avx512, &self.last);
            }
        }
        lanes
    }
}

/// The nonces of a batch, and zeros for the lanes after its end.
fn nonces<P: SignatureSlot>(batch: &[P]) -> [&[u8; NONCE_BYTES]; LANES] {
    const NONE: &[u8; NONCE_BYTES] = &[0; NONCE_BYTES];
    array::from_fn(|lane| batch.get(lane).map_or(NONE, SignatureSlot::nonce))
}

/// The digests that Advanced requests are checked against, if there are enough of them. Stands in for
/// `HashMidstate::digest`. `key` returns the key of the request with an index. Returns a bit for each
/// request that was hashed.
pub(super) fn expected_digests<'k>(
    requests: &[Request<'_>],
    key: impl Fn(usize) -> &'k HashMidstate,
    digests: &mut [Digest; LANES],
) -> u32 {
    let Some(avx512) = Avx512::detect().filter(|_| requests.len() >= LANES_MIN) else { return 0 };
    let mut messages = Messages::<LANES>::new();
    let mut lanes = Lanes::all(&[0; 8]);
    let mut used = [0; LANES];
    for (lane, request) in requests.iter().enumerate().take(LANES) {
        let AuthForm::Advanced(signed) = request.form() else { continue };
        let (key, blocks) = (key(lane), &mut messages.0[lane]);
        lanes.set_state(lane, key.state());
        used[lane] = key.write_message(blocks, signed.nonce, signed.timestamp_digits);
    }
    let lanes_with =
        |place| used.iter().rev().fold(0, |lanes, used| lanes << 1 | u32::from(*used > place));
    for place in (0..).take_while(|place| lanes_with(*place) != 0) {
        lanes.compress_each(avx512, messages.blocks(place), lanes_with(place));
    }
    *digests = lanes.digests(avx512).map(Digest);
    lanes_with(0)
}

/// One message for each lane. They hold the tails of keys, and are wiped on drop.
struct Messages<const COUNT: usize>([Blocks; COUNT]);

impl<const COUNT: usize> Messages<COUNT> {
    fn new() -> Self {
        Self([NO_BLOCKS; COUNT])
    }

    fn blocks(&self, place: usize) -> [&[u8; BLOCK_BYTES]; COUNT] {
        self.0.each_ref().map(|blocks| &blocks[place])
    }
}

impl<const COUNT: usize> Drop for Messages<COUNT> {
    fn drop(&mut self) {
        for blocks in &mut self.0 {
            blocks[0].as_mut_slice().zeroize();
        }
    }
}

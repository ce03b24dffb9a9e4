//! Hashes many messages at a time with the vector kernels, if the processor supports one.
//!
//! Each function names the plain code whose results it reproduces.

use core::array;

use cortexkey_kernels::{Hasher, LANES, Lanes, SharedBlock};
use zeroize::Zeroize;

use super::midstate::{BLOCK_BYTES, Blocks, Digest, HashMidstate, NO_BLOCKS};
use super::nonce::NONCE_BYTES;
use super::request::{AuthForm, Request};
use super::signature::SignatureSlot;

/// From how many messages on it pays to expand the schedule of their last block once for all.
const SHARED_MIN: usize = 16;

/// Signs the part of a batch for which a kernel pays, and returns the rest. Stands in for
/// `AdvancedSigner::sign_all`.
pub(super) fn sign<'b, P: SignatureSlot, E>(
    key: &HashMidstate,
    timestamp: &[u8; 13],
    batch: &'b mut [P],
    fill: &mut impl FnMut(&mut [P]) -> Result<(), E>,
) -> Result<&'b mut [P], E> {
    if Hasher::for_messages(batch.len()).is_none() {
        return Ok(batch);
    }
    let mut messages = None;
    let mut signer = BatchSigner::new(key, timestamp, batch.len(), &mut messages);
    let mut rest = batch;
    while let Some(hasher) = Hasher::for_messages(rest.len()) {
        let (now, later) = rest.split_at_mut(rest.len().min(LANES));
        fill(now)?;
        signer.sign(hasher, now);
        rest = later;
    }
    Ok(rest)
}

/// The messages of one key and time.
struct BatchSigner<'k, 'm> {
    key: &'k HashMidstate,
    /// `None` if the key fills its blocks, so that a nonce is a block. A reference, since a part of a key
    /// must not be moved.
    messages: Option<&'m mut Messages<LANES>>,
    blocks_used: usize,
    /// The same in all lanes, if the nonces end before it.
    last: [u8; BLOCK_BYTES],
    /// Its schedule, in large batches.
    shared: Option<SharedBlock>,
}

impl<'k, 'm> BatchSigner<'k, 'm> {
    fn new(
        key: &'k HashMidstate,
        timestamp: &[u8; 13],
        count: usize,
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
        let last = message.0[0][blocks_used - 1];
        let shared = (count >= SHARED_MIN).then(|| SharedBlock::new(&last));
        Self { key, messages, blocks_used, last, shared }
    }

    /// Signs up to `LANES` slots whose nonces are drawn.
    fn sign<P: SignatureSlot>(&mut self, hasher: Hasher, batch: &mut [P]) {
        if let Some(messages) = &mut self.messages {
            for (blocks, signature) in messages.0.iter_mut().zip(&*batch) {
                self.key.write_nonce(blocks, signature.nonce());
            }
        }
        let lanes = self.hash(hasher, batch);
        lanes.write_hex(batch.iter_mut().map(SignatureSlot::authorization_mut));
    }

    fn hash<P: SignatureSlot>(&self, hasher: Hasher, batch: &[P]) -> Lanes {
        let mut lanes = Lanes::new(hasher, batch.len(), self.key.state());
        let active = u32::MAX >> (LANES - batch.len());
        let nonces_end = self.key.tail_len() + NONCE_BYTES;
        for place in 0..self.blocks_used {
            if place * BLOCK_BYTES < nonces_end {
                let blocks = match &self.messages {
                    Some(messages) => messages.blocks(place),
                    None => nonces(batch),
                };
                lanes.compress_each(&blocks, active);
            } else if let Some(shared) = &self.shared {
                lanes.compress_shared(shared);
            } else {
                lanes.compress_each(&[&self.last; LANES], active);
            }
        }
        lanes
    }
}

/// The nonces of a batch, and zeros for the lanes after its end.
fn nonces<P: SignatureSlot>(batch: &[P]) -> [&[u8; NONCE_BYTES]; LANES] {
    array::from_fn(|lane| batch.get(lane).map_or(ZEROS, SignatureSlot::nonce))
}

const ZEROS: &[u8; BLOCK_BYTES] = &[0; BLOCK_BYTES];

/// The digests that Advanced requests are checked against, if there are enough of them. Stands in for
/// `HashMidstate::digest`. `key` returns the key of the request with an index. Returns a bit for each
/// request that was hashed.
pub(super) fn expected_digests<'k>(
    requests: &[Request<'_>],
    key: impl Fn(usize) -> &'k HashMidstate,
    digests: &mut [Digest; LANES],
) -> u32 {
    let Some(hasher) = Hasher::for_messages(requests.len()) else { return 0 };
    let mut messages = Messages::<LANES>::new();
    let mut lanes = Lanes::new(hasher, requests.len(), &[0; 8]);
    let mut used = [0; LANES];
    for (lane, request) in requests.iter().enumerate().take(LANES) {
        let AuthForm::Advanced(fields) = request.form() else { continue };
        let (key, blocks) = (key(lane), &mut messages.0[lane]);
        lanes.set_state(lane, key.state());
        used[lane] = key.write_message(blocks, fields.nonce, fields.timestamp_digits);
    }
    let lanes_with =
        |place| used.iter().rev().fold(0, |lanes, used| lanes << 1 | u32::from(*used > place));
    for place in (0..).take_while(|place| lanes_with(*place) != 0) {
        lanes.compress_each(&messages.blocks(place), lanes_with(place));
    }
    *digests = lanes.digests().map(Digest);
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

//! Many requests at a time, by the vector kernels, where the processor has what they need.
//!
//! It refuses to give other answers than the code that it stands in for: each of its functions says
//! which that is.

use core::array;

use cortexkey_kernels::{LANES, Lanes, SharedBlock, Wide};
use zeroize::Zeroize;

use super::absorbed::{AbsorbedKey, BLOCK_BYTES, Blocks, Digest, NO_BLOCKS};
use super::batch::SignaturePlace;
use super::nonce::NONCE_BYTES;
use super::request::{Form, Request};

/// With fewer than this, too many lanes would work for nothing.
const LANES_MIN: usize = LANES / 2;

/// Signs as many of a batch as it pays for, and returns the rest: as `AdvancedSigner::sign_all`.
pub(super) fn sign<'b, P: SignaturePlace, E>(
    key: &AbsorbedKey,
    timestamp: &[u8; 13],
    batch: &'b mut [P],
    fill: &mut impl FnMut(&mut [P]) -> Result<(), E>,
) -> Result<&'b mut [P], E> {
    let pays = |batch: &[_]| batch.len() >= LANES_MIN;
    let Some(wide) = Wide::detect().filter(|_| pays(batch)) else { return Ok(batch) };
    let mut messages = None;
    let mut signer = WideSigner::new(wide, key, timestamp, &mut messages);
    let mut rest = batch;
    while pays(rest) {
        let (now, later) = rest.split_at_mut(rest.len().min(LANES));
        fill(now)?;
        signer.sign(now);
        rest = later;
    }
    Ok(rest)
}

/// The messages of one key and time, with whatever nonces.
struct WideSigner<'k, 'm> {
    wide: Wide,
    key: &'k AbsorbedKey,
    /// None where the key fills its blocks, so that a nonce is a block as it is. Not here, since
    /// what holds a part of a key must not be moved.
    messages: Option<&'m mut Messages<LANES>>,
    blocks_used: usize,
    last: SharedBlock,
}

impl<'k, 'm> WideSigner<'k, 'm> {
    fn new(
        wide: Wide,
        key: &'k AbsorbedKey,
        timestamp: &[u8; 13],
        place: &'m mut Option<Messages<LANES>>,
    ) -> Self {
        let mut message = Messages::<1>::new();
        let blocks_used = key.write_message(&mut message.0[0], &[0; NONCE_BYTES], timestamp);
        let messages = (key.tail_len() != 0).then(|| {
            let messages = place.insert(Messages::new());
            for blocks in &mut messages.0 {
                blocks[..blocks_used].copy_from_slice(&message.0[0][..blocks_used]);
            }
            messages
        });
        // The same in every lane, where the nonces end before it.
        let last = SharedBlock::new(&message.0[0][blocks_used - 1]);
        Self { wide, key, messages, blocks_used, last }
    }

    /// Signs at most as many as there are lanes; their nonces are there.
    fn sign<P: SignaturePlace>(&mut self, batch: &mut [P]) {
        if let Some(messages) = &mut self.messages {
            for (blocks, signature) in messages.0.iter_mut().zip(&*batch) {
                self.key.write_nonce(blocks, signature.nonce());
            }
        }
        let lanes = self.hash(batch);
        lanes.write_hex(self.wide, batch.iter_mut().map(SignaturePlace::authorization_mut));
    }

    fn hash<P: SignaturePlace>(&self, batch: &[P]) -> Lanes {
        let mut lanes = Lanes::all(self.key.state());
        let nonces_end = self.key.tail_len() + NONCE_BYTES;
        for place in 0..self.blocks_used {
            if place * BLOCK_BYTES < nonces_end {
                let blocks = match &self.messages {
                    Some(messages) => messages.blocks(place),
                    None => nonces(batch),
                };
                lanes.compress_each(self.wide, blocks, u32::MAX);
            } else {
                lanes.compress_shared(self.wide, &self.last);
            }
        }
        lanes
    }
}

/// The nonces of a batch, and zeros for the lanes behind its end.
fn nonces<P: SignaturePlace>(batch: &[P]) -> [&[u8; NONCE_BYTES]; LANES] {
    const NONE: &[u8; NONCE_BYTES] = &[0; NONCE_BYTES];
    array::from_fn(|lane| batch.get(lane).map_or(NONE, SignaturePlace::nonce))
}

/// What Advanced requests are held against, where they are enough to pay for it: as
/// `AbsorbedKey::digest` for each. `key` gives the key of a request by its place. Returns a bit for
/// each request that was done.
pub(super) fn expect<'k>(
    requests: &[Request<'_>],
    key: impl Fn(usize) -> &'k AbsorbedKey,
    digests: &mut [Digest; LANES],
) -> u32 {
    let Some(wide) = Wide::detect().filter(|_| requests.len() >= LANES_MIN) else { return 0 };
    let mut messages = Messages::<LANES>::new();
    let mut lanes = Lanes::all(&[0; 8]);
    let mut used = [0; LANES];
    for (lane, request) in requests.iter().enumerate().take(LANES) {
        let Form::Advanced(signed) = request.form() else { continue };
        let (key, blocks) = (key(lane), &mut messages.0[lane]);
        lanes.begin(lane, key.state());
        used[lane] = key.write_message(blocks, signed.nonce, signed.timestamp_digits);
    }
    let lanes_with =
        |place| used.iter().rev().fold(0, |lanes, used| lanes << 1 | u32::from(*used > place));
    for place in (0..).take_while(|place| lanes_with(*place) != 0) {
        lanes.compress_each(wide, messages.blocks(place), lanes_with(place));
    }
    *digests = lanes.digests(wide).map(Digest);
    lanes_with(0)
}

/// One message in each lane. They hold the tails of keys, and are wiped on drop.
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

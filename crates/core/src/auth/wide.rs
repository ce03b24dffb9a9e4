//! Many requests at a time, by the vector kernels, where the processor has what they need.
//!
//! It refuses to give other answers than the code that it stands in for: each of its functions says
//! which that is.

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
    let mut messages = Messages::new();
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
    /// Not here, since what holds a part of a key must not be moved.
    messages: &'m mut Messages,
    blocks_used: usize,
    last: SharedBlock,
}

impl<'k, 'm> WideSigner<'k, 'm> {
    fn new(
        wide: Wide,
        key: &'k AbsorbedKey,
        timestamp: &[u8; 13],
        messages: &'m mut Messages,
    ) -> Self {
        let mut blocks_used = 0;
        for blocks in &mut messages.0 {
            blocks_used = key.write_message(blocks, &[0; NONCE_BYTES], timestamp);
        }
        // The same in every lane, where the nonces end before it.
        let last = SharedBlock::new(&messages.0[0][blocks_used - 1]);
        Self { wide, key, messages, blocks_used, last }
    }

    /// Signs at most as many as there are lanes; their nonces are there.
    fn sign<P: SignaturePlace>(&mut self, batch: &mut [P]) {
        for (blocks, signature) in self.messages.0.iter_mut().zip(&*batch) {
            self.key.write_nonce(blocks, signature.nonce());
        }
        for (signature, text) in batch.iter_mut().zip(self.hash().hex(self.wide)) {
            *signature.authorization_mut() = text;
        }
    }

    fn hash(&self) -> Lanes {
        let mut lanes = Lanes::all(self.key.state());
        let nonces_end = self.key.tail_len() + NONCE_BYTES;
        for place in 0..self.blocks_used {
            if place * BLOCK_BYTES < nonces_end {
                lanes.compress_each(self.wide, self.messages.blocks(place), u32::MAX);
            } else {
                lanes.compress_shared(self.wide, &self.last);
            }
        }
        lanes
    }
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
    let mut messages = Messages::new();
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
struct Messages([Blocks; LANES]);

impl Messages {
    fn new() -> Self {
        Self([NO_BLOCKS; LANES])
    }

    fn blocks(&self, place: usize) -> [&[u8; BLOCK_BYTES]; LANES] {
        self.0.each_ref().map(|blocks| &blocks[place])
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        for blocks in &mut self.0 {
            blocks[0].as_mut_slice().zeroize();
        }
    }
}

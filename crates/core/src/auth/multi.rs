//! Hashes many messages at a time with the vector kernels, if the processor supports one.
//!
//! Each function names the plain code whose results it reproduces.

use core::{array, ptr};

use cortexkey_kernels::{Hasher, LANES, Lanes, SharedBlock};
use zeroize::optimization_barrier;

use super::midstate::{BLOCK_BYTES, BLOCKS_MAX, Blocks, HashMidstate, ManyExpected, NO_BLOCKS};
use super::nonce::NONCE_BYTES;
use super::request::{AdvancedFields, AuthForm, Request};
use super::signature::SignatureSlot;

/// From this number of messages on, it pays to expand the schedule of their shared last block only
/// once.
const SHARED_MIN: usize = 16;

/// Signs the part of a batch for which a kernel pays off, and returns the rest. Replaces
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
    /// `None` if the key fills its blocks, so that a nonce is a block of its own. A reference,
    /// because moving the buffers would leave copies of a part of the key.
    messages: Option<&'m mut Messages<LANES>>,
    blocks_used: usize,
    /// The last block, which is the same in all lanes if the nonces end before it.
    last: [u8; BLOCK_BYTES],
    /// The schedule of the last block, expanded once for large batches.
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

    /// Signs up to `LANES` slots whose nonces are already drawn.
    fn sign<P: SignatureSlot>(&mut self, hasher: Hasher, batch: &mut [P]) {
        if let Some(messages) = &mut self.messages {
            for (blocks, signature) in messages.0.iter_mut().zip(&*batch) {
                self.key.write_nonce(blocks, signature.nonce());
            }
        }
        let mut lanes = Lanes::new(hasher, batch.len());
        self.hash(&mut lanes, batch);
        lanes.write_hex(batch.iter_mut().map(SignatureSlot::authorization_mut));
    }

    /// In place: moving the lanes would leave a copy of the key's state.
    fn hash<P: SignatureSlot>(&self, lanes: &mut Lanes, batch: &[P]) {
        lanes.set_states(self.key.state());
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
    }
}

/// The nonces of a batch, and zeros for the lanes after its end.
fn nonces<P: SignatureSlot>(batch: &[P]) -> [&[u8; NONCE_BYTES]; LANES] {
    array::from_fn(|lane| batch.get(lane).map_or(ZEROS, SignatureSlot::nonce))
}

const ZEROS: &[u8; BLOCK_BYTES] = &[0; BLOCK_BYTES];

/// Hashes and compares the Advanced requests of a batch, up to `LANES` at a time. Stands in for
/// `HashMidstate::digest` and the comparison. Its buffers are for all parts of the batch.
pub(super) struct BatchVerifier<'r> {
    messages: RequestMessages<'r>,
    /// What the requests present as digests. Lanes without a message keep those of earlier requests.
    presented: [&'r [u8; 64]; LANES],
}

impl<'r> BatchVerifier<'r> {
    pub(super) fn new() -> Self {
        Self { messages: RequestMessages::new(), presented: [ZEROS; LANES] }
    }

    /// Checks the Advanced requests, if there are enough of them. `key` returns the key of the request with
    /// an index. Other requests stay as they are.
    pub(super) fn check<'k>(
        &mut self,
        requests: &[Request<'r>],
        key: impl Fn(usize) -> &'k HashMidstate,
        expected: &mut ManyExpected,
    ) {
        let Some(hasher) = Hasher::for_messages(requests.len()) else { return };
        let first_key = key(0);
        let mut lanes = Lanes::new(hasher, requests.len());
        lanes.set_states(first_key.state());
        self.messages.clear();
        for (lane, request) in requests.iter().enumerate().take(LANES) {
            let AuthForm::Advanced(fields) = request.form() else { continue };
            let key = key(lane);
            if !ptr::eq(key, first_key) {
                lanes.set_state(lane, key.state());
            }
            self.messages.write(lane, key, fields);
            self.presented[lane] = fields.digest;
        }
        for place in 0..BLOCKS_MAX {
            let active = self.messages.lanes[place];
            if active != 0 {
                lanes.compress_each(&self.messages.blocks(place), active);
            }
        }
        let matches = lanes.check(&self.presented, &mut expected.digests);
        for (lane, answer) in expected.matches.iter_mut().enumerate() {
            if self.messages.lanes[0] >> lane & 1 == 1 {
                *answer = Some(matches >> lane & 1 == 1);
            }
        }
    }
}

/// The messages of requests, after the whole blocks of their keys.
struct RequestMessages<'r> {
    /// For each block, a bit for each lane whose message has it.
    lanes: [u32; BLOCKS_MAX],
    /// A bit for each lane whose nonce is a block of its own, followed by one other block.
    aligned: u32,
    nonces: [&'r [u8; NONCE_BYTES]; LANES],
    ends: [[u8; BLOCK_BYTES]; LANES],
    /// The messages of the other lanes.
    any: Option<Messages<LANES>>,
}

impl<'r> RequestMessages<'r> {
    fn new() -> Self {
        Self {
            lanes: [0; BLOCKS_MAX],
            aligned: 0,
            nonces: [ZEROS; LANES],
            ends: [[0; BLOCK_BYTES]; LANES],
            any: None,
        }
    }

    /// Removes all messages. Their bytes stay until they are overwritten.
    fn clear(&mut self) {
        self.lanes = [0; BLOCKS_MAX];
        self.aligned = 0;
    }

    fn write(&mut self, lane: usize, key: &HashMidstate, fields: &AdvancedFields<'r>) {
        let used = match fields.nonce.try_into() {
            Ok(nonce) if key.tail_len() == 0 => {
                self.nonces[lane] = nonce;
                key.write_last_of_aligned(&mut self.ends[lane], fields.timestamp_digits);
                self.aligned |= 1 << lane;
                2
            }
            _ => {
                let blocks = &mut self.any.get_or_insert_with(Messages::new).0[lane];
                *blocks = NO_BLOCKS;
                key.write_message(blocks, fields.nonce, fields.timestamp_digits)
            }
        };
        for lanes in self.lanes.iter_mut().take(used) {
            *lanes |= 1 << lane;
        }
    }

    fn blocks(&self, place: usize) -> [&[u8; BLOCK_BYTES]; LANES] {
        let aligned = |lane| if place == 0 { self.nonces[lane] } else { &self.ends[lane] };
        match &self.any {
            None => array::from_fn(aligned),
            Some(messages) => array::from_fn(|lane| {
                let is_aligned = self.aligned >> lane & 1 == 1;
                if is_aligned { aligned(lane) } else { &messages.0[lane][place] }
            }),
        }
    }
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
            blocks[0] = [0; BLOCK_BYTES];
        }
        optimization_barrier(&self.0);
    }
}

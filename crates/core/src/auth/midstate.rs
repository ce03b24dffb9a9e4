//! [`HashMidstate`]: the state of SHA-256 after the whole blocks of a key.
//!
//! It can sign, so it is as secret as the key: it has no `Debug` and no `Clone`, and is wiped on drop.

use core::hint::black_box;

use sha2::block_api::compress256;
use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

use super::digits::encode_hex;
use super::key::{KEY_BYTES_MAX, Key};
use super::secret_box::SecretBox;

pub(super) const BLOCK_BYTES: usize = 64;
/// The longest nonce.
const NONCE_BYTES_MAX: usize = 128;
/// The key's tail, the longest nonce, the timestamp, the end mark and the length.
pub(super) const BLOCKS_MAX: usize =
    (BLOCK_BYTES - 1 + NONCE_BYTES_MAX + 13 + 1 + 8).div_ceil(BLOCK_BYTES);
/// The blocks that are hashed after the whole blocks of a key.
pub(super) type Blocks = [[u8; BLOCK_BYTES]; BLOCKS_MAX];
pub(super) const NO_BLOCKS: Blocks = [[0; BLOCK_BYTES]; BLOCKS_MAX];
/// The byte that follows the last byte of a message.
const END_MARK: u8 = 0x80;

const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 of a key's whole blocks, and the rest of the key.
pub(super) struct HashMidstate {
    state: [u32; 8],
    /// The last `key_len % 64` bytes of the key, at the front.
    tail: [u8; BLOCK_BYTES],
    key_len: usize,
}

impl HashMidstate {
    const EMPTY: Self = Self { state: SHA256_START, tail: [0; BLOCK_BYTES], key_len: 0 };

    /// Hashes a key into a box, which it never leaves.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    pub(super) fn new(key: Key<'_>) -> SecretBox<Self> {
        let mut midstate = SecretBox::new(Self::EMPTY);
        midstate.update(key);
        midstate
    }

    /// SHA-256 of a key, which is what is stored of a Standard key. It allocates nothing and leaves
    /// nothing behind.
    pub(super) fn digest_of(key: Key<'_>) -> Digest {
        let mut midstate = Self::EMPTY;
        midstate.update(key);
        midstate.key_digest()
    }

    fn update(&mut self, key: Key<'_>) {
        let (blocks, rest) = key.bytes().as_chunks::<BLOCK_BYTES>();
        compress_secret(&mut self.state, blocks);
        self.tail[..rest.len()].copy_from_slice(rest);
        self.key_len = key.bytes().len();
    }

    /// Stands in for an Advanced key of 128 bytes where the same work must be done without one. A key
    /// hashes to this state with a probability of one in 2^256.
    pub(super) const fn dummy() -> Self {
        Self { state: SHA256_START, tail: [0; BLOCK_BYTES], key_len: 128 }
    }

    /// SHA-256 of the key, the nonce and the digits of the timestamp, concatenated. The nonce has at
    /// most 128 bytes.
    pub(super) fn digest(&self, nonce: &[u8], timestamp: &[u8; 13]) -> Digest {
        match nonce.try_into() {
            Ok(nonce) if self.tail_len() == 0 => self.digest_of_aligned(nonce, timestamp),
            _ => self.digest_of_any(nonce, timestamp),
        }
    }

    /// The common case: the key fills its blocks, the nonce fills the next block, and the timestamp
    /// is alone in the last one.
    fn digest_of_aligned(&self, nonce: &[u8; BLOCK_BYTES], timestamp: &[u8; 13]) -> Digest {
        let mut state = self.state;
        compress256(&mut state, &[*nonce, self.last_block_of_aligned(timestamp)]);
        Digest(state)
    }

    fn last_block_of_aligned(&self, timestamp: &[u8; 13]) -> [u8; BLOCK_BYTES] {
        let mut last = [0; BLOCK_BYTES];
        self.write_last_of_aligned(&mut last, timestamp);
        last
    }

    /// Writes the last block, if key and nonce fill theirs, into zeros or over such a block of another
    /// message.
    pub(super) fn write_last_of_aligned(&self, last: &mut [u8; BLOCK_BYTES], timestamp: &[u8; 13]) {
        last[..13].copy_from_slice(timestamp);
        last[13] = END_MARK;
        let bits = 8 * (self.key_len + BLOCK_BYTES + 13) as u64;
        last[BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
    }

    fn digest_of_any(&self, nonce: &[u8], timestamp: &[u8; 13]) -> Digest {
        let mut blocks = NO_BLOCKS;
        let used = self.write_message(&mut blocks, nonce, timestamp);
        self.finish(&mut blocks, used)
    }

    /// Writes the message after the whole blocks of the key into blocks of zeros: the tail of the key,
    /// the nonce, the timestamp and the padding. Returns the number of blocks.
    pub(super) fn write_message(
        &self,
        blocks: &mut Blocks,
        nonce: &[u8],
        timestamp: &[u8; 13],
    ) -> usize {
        debug_assert!(nonce.len() <= NONCE_BYTES_MAX);
        // Tells the optimizer this limit, so that it removes the bounds checks below.
        let nonce = &nonce[..nonce.len().min(NONCE_BYTES_MAX)];
        blocks[0] = self.tail;
        let rest = &mut blocks.as_flattened_mut()[self.tail_len()..];
        match <&[u8; 64]>::try_from(nonce) {
            // The usual length is copied by a few instructions.
            Ok(nonce) => rest[..64].copy_from_slice(nonce),
            Err(_) => rest[..nonce.len()].copy_from_slice(nonce),
        }
        rest[nonce.len()..nonce.len() + 13].copy_from_slice(timestamp);
        self.write_end(blocks, nonce.len() + 13)
    }

    /// SHA-256 of the key alone.
    pub(super) fn key_digest(&self) -> Digest {
        let mut blocks = NO_BLOCKS;
        blocks[0] = self.tail;
        let used = self.write_end(&mut blocks, 0);
        self.finish(&mut blocks, used)
    }

    /// The length of what [`write`](Self::write) writes: state, length of the key, tail.
    pub(super) const BYTES: usize = 8 * 4 + 2 + BLOCK_BYTES;

    /// Serializes it to `out`, which is then as secret as the key.
    pub(super) fn write(&self, out: &mut [u8]) {
        let (state, rest) = out.split_at_mut(8 * 4);
        let (length, tail) = rest.split_at_mut(2);
        for (bytes, word) in state.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        // At most 256.
        let key_len = u16::try_from(self.key_len).unwrap_or(0);
        length.copy_from_slice(&key_len.to_be_bytes());
        tail.copy_from_slice(&self.tail);
    }

    /// Reads what [`write`](Self::write) wrote; `None` if the bytes cannot come from it.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    pub(super) fn read(bytes: &[u8]) -> Option<SecretBox<Self>> {
        let (state, rest) = bytes.split_at_checked(8 * 4)?;
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let key_len = usize::from(u16::from_be_bytes(*length));
        let unused = tail.get(key_len % BLOCK_BYTES..)?;
        if !(1..=KEY_BYTES_MAX).contains(&key_len) || unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut midstate = SecretBox::new(Self::EMPTY);
        for (word, bytes) in midstate.state.iter_mut().zip(state.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        midstate.tail.copy_from_slice(tail.first_chunk::<BLOCK_BYTES>()?);
        midstate.key_len = key_len;
        Some(midstate)
    }

    /// Replaces the nonce in a message of this key.
    #[cfg(feature = "kernels")]
    pub(super) fn write_nonce(&self, blocks: &mut Blocks, nonce: &[u8; 64]) {
        blocks.as_flattened_mut()[self.tail_len()..][..64].copy_from_slice(nonce);
    }

    /// SHA-256 of the whole blocks of the key.
    #[cfg(feature = "kernels")]
    pub(super) fn state(&self) -> &[u32; 8] {
        &self.state
    }

    /// How many bytes of the key follow its whole blocks.
    pub(super) fn tail_len(&self) -> usize {
        self.key_len % BLOCK_BYTES
    }

    /// Pads a message that has `len` bytes after the tail of the key. Returns the number of blocks.
    fn write_end(&self, blocks: &mut Blocks, len: usize) -> usize {
        // Tells the optimizer the limit, as for the nonce.
        let end = self.tail_len() + len.min(NONCE_BYTES_MAX + 13);
        let bits = 8 * (self.key_len - self.tail_len() + end) as u64;
        blocks.as_flattened_mut()[end] = END_MARK;
        let used = (end + 1 + 8).div_ceil(BLOCK_BYTES);
        if let Some(last) = blocks.get_mut(used - 1) {
            last[BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
        }
        used
    }

    /// Hashes the first `used` blocks, and wipes the part of the key in them.
    fn finish(&self, blocks: &mut Blocks, used: usize) -> Digest {
        let mut state = self.state;
        let used = &mut blocks[..used.min(BLOCKS_MAX)];
        if self.tail_len() == 0 {
            compress256(&mut state, used);
        } else {
            compress_secret(&mut state, used);
            // The tail of the key must not stay on the stack; nonce and time are public.
            blocks[0] = [0; BLOCK_BYTES];
            optimization_barrier(&blocks[0]);
        }
        Digest(state)
    }
}

/// Hashes blocks with a part of the key, and leaves nothing of it on the stack. Without instructions
/// for SHA-256, `sha2` keeps the words of a block in memory, which it does not wipe.
fn compress_secret(state: &mut [u32; 8], blocks: &[[u8; BLOCK_BYTES]]) {
    compress_below(state, blocks);
    wipe_below();
}

/// Never inlined, so that its stack frame is at the same place as that of the next call.
#[inline(never)]
fn compress_below(state: &mut [u32; 8], blocks: &[[u8; BLOCK_BYTES]]) {
    compress256(state, blocks);
}

#[inline(never)]
fn wipe_below() {
    let mut frame = [0_u64; 72];
    frame.zeroize();
    black_box(&frame);
}

/// A SHA-256 digest as eight words.
#[derive(Clone, Copy)]
pub(super) struct Digest(pub(super) [u32; 8]);

impl Digest {
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// Writes the digest as lower-case hexadecimal digits.
    pub(super) fn write_hex(self, text: &mut [u8; 64]) {
        #[cfg(feature = "kernels")]
        if let Some(()) = cortexkey_kernels::write_hex(&self.0, text) {
            return;
        }
        *text = encode_hex(&self.to_bytes());
    }
}

/// What a request is checked against.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) digest: Digest,
    /// Whether the request presents this digest, if a kernel has compared them.
    pub(super) matches: Option<bool>,
}

/// How many requests of a batch are hashed together.
pub(super) const CHUNK: usize = 32;

/// What up to `CHUNK` requests are checked against.
pub(super) struct ManyExpected {
    pub(super) digests: [[u32; 8]; CHUNK],
    /// Whether each request presents its digest, for those that a kernel has hashed and compared.
    pub(super) matches: [Option<bool>; CHUNK],
}

impl ManyExpected {
    pub(super) const UNKNOWN: Self = Self { digests: [[0; 8]; CHUNK], matches: [None; CHUNK] };

    /// Adds the digests of the first `count` requests that no kernel has hashed.
    pub(super) fn complete(&mut self, count: usize, digest: impl Fn(usize) -> Digest) {
        let all = self.digests.iter_mut().zip(&self.matches).take(count).enumerate();
        for (index, (expected, _)) in all.filter(|(_, (_, matches))| matches.is_none()) {
            *expected = digest(index).0;
        }
    }

    pub(super) fn of(&self, index: usize) -> Expected {
        Expected { digest: Digest(self.digests[index]), matches: self.matches[index] }
    }
}

impl Expected {
    pub(super) const fn not_compared(digest: Digest) -> Self {
        Self { digest, matches: None }
    }
}

impl Drop for HashMidstate {
    fn drop(&mut self) {
        self.state.zeroize();
        self.tail.zeroize();
        self.key_len.zeroize();
    }
}

impl ZeroizeOnDrop for HashMidstate {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use std::vec::Vec;

    /// Visible ASCII of this length, different at each position.
    fn key_of(len: usize, seed: u8) -> Vec<u8> {
        (0..len).map(|i| b'!' + u8::try_from((i * 31 + usize::from(seed)) % 94).unwrap()).collect()
    }

    fn plain(parts: &[&[u8]]) -> [u8; 32] {
        parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().into()
    }

    #[test]
    fn every_key_length_equals_plain_sha256() {
        for len in 1..=256 {
            for nonce_len in [0, 16, 63, 64, 65, 127, 128] {
                let bytes = key_of(len, 7);
                let nonce = &[b'n'; 128][..nonce_len];
                let midstate = HashMidstate::new(Key::new(&bytes).unwrap());
                let time = b"1790611727783";
                assert_eq!(
                    midstate.digest(nonce, time).to_bytes(),
                    plain(&[&bytes, nonce, time]),
                    "{len}"
                );
                assert_eq!(midstate.key_digest().to_bytes(), plain(&[&bytes]), "{len}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_message_equals_plain_sha256(
            key in proptest::collection::vec(0x21..=0x7e_u8, 1..=256),
            nonce in proptest::collection::vec(any::<u8>(), 0..=128),
            time in proptest::array::uniform13(b'0'..=b'9'),
        ) {
            let midstate = HashMidstate::new(Key::new(&key).unwrap());
            prop_assert_eq!(midstate.digest(&nonce, &time).to_bytes(), plain(&[&key, &nonce, &time]));
        }
    }
}

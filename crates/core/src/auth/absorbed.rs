//! [`AbsorbedKey`]: SHA-256 with the key already in it.
//!
//! It refuses to be printed, cloned or serialized: what it keeps can sign, so it is as secret as
//! the key. It is wiped on drop.

use sha2::block_api::compress256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::kept::Kept;
use super::key::Key;

const BLOCK_BYTES: usize = 64;
/// The longest nonce.
const NONCE_BYTES_MAX: usize = 128;
/// The longest nonce and the digits of the timestamp.
const MESSAGE_BYTES_MAX: usize = NONCE_BYTES_MAX + 13;
/// The key's tail, the message, the end mark and the length.
const BLOCKS_MAX: usize = (BLOCK_BYTES - 1 + MESSAGE_BYTES_MAX + 1 + 8).div_ceil(BLOCK_BYTES);

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

/// A key's whole blocks as SHA-256 state, and what is left of it.
pub(super) struct AbsorbedKey {
    state: [u32; 8],
    /// The last `key_len % 64` bytes of the key, at the front.
    tail: [u8; BLOCK_BYTES],
    key_len: usize,
}

impl AbsorbedKey {
    const EMPTY: Self = Self { state: SHA256_START, tail: [0; BLOCK_BYTES], key_len: 0 };

    /// For keeping: the key is hashed in where it stays.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    pub(super) fn new(key: Key<'_>) -> Kept<Self> {
        let mut absorbed = Kept::new(Self::EMPTY);
        absorbed.absorb(key);
        absorbed
    }

    /// SHA-256 of a key: what is kept of a Standard key. It allocates nothing and leaves nothing.
    pub(super) fn digest_of(key: Key<'_>) -> [u8; 32] {
        let mut absorbed = Self::EMPTY;
        absorbed.absorb(key);
        absorbed.key_digest()
    }

    fn absorb(&mut self, key: Key<'_>) {
        let (blocks, rest) = key.bytes().as_chunks::<BLOCK_BYTES>();
        compress256(&mut self.state, blocks);
        self.tail[..rest.len()].copy_from_slice(rest);
        self.key_len = key.bytes().len();
    }

    /// A stand-in for an Advanced key of 128 bytes, for work that must take as long as the real
    /// one. No key hashes to this state but by a chance of one in 2^256.
    pub(super) const fn dummy() -> Self {
        Self { state: SHA256_START, tail: [0; BLOCK_BYTES], key_len: 128 }
    }

    /// SHA-256 of the key, the nonce and the digits of the timestamp, with nothing between.
    ///
    /// The nonce has at most 128 bytes.
    pub(super) fn digest(&self, nonce: &[u8], timestamp: &[u8; 13]) -> [u8; 32] {
        debug_assert!(nonce.len() <= NONCE_BYTES_MAX);
        // It is no longer; the optimizer sees so, and leaves out the panic of every index below.
        let nonce = &nonce[..nonce.len().min(NONCE_BYTES_MAX)];
        let mut blocks = [[0; BLOCK_BYTES]; BLOCKS_MAX];
        let buffer = blocks.as_flattened_mut();
        let tail = self.tail_bytes();
        let nonce_end = tail.len() + nonce.len();
        let end = nonce_end + timestamp.len();
        buffer[..tail.len()].copy_from_slice(tail);
        buffer[tail.len()..nonce_end].copy_from_slice(nonce);
        buffer[nonce_end..end].copy_from_slice(timestamp);
        self.finish(&mut blocks, end)
    }

    /// SHA-256 of the key alone.
    pub(super) fn key_digest(&self) -> [u8; 32] {
        let mut blocks = [[0; BLOCK_BYTES]; BLOCKS_MAX];
        let tail = self.tail_bytes();
        blocks.as_flattened_mut()[..tail.len()].copy_from_slice(tail);
        self.finish(&mut blocks, tail.len())
    }

    fn tail_bytes(&self) -> &[u8] {
        &self.tail[..self.key_len % BLOCK_BYTES]
    }

    /// Pads what follows the whole blocks of the key, and hashes it.
    fn finish(&self, blocks: &mut [[u8; BLOCK_BYTES]; BLOCKS_MAX], end: usize) -> [u8; 32] {
        let tail_len = self.key_len % BLOCK_BYTES;
        // As with the nonce: it is no further, and the optimizer sees so.
        let end = end.min(BLOCKS_MAX * BLOCK_BYTES - 1 - 8);
        let bits = 8 * (self.key_len - tail_len + end) as u64;
        blocks.as_flattened_mut()[end] = 0x80;
        let used = &mut blocks[..(end + 1 + 8).div_ceil(BLOCK_BYTES)];
        if let Some(length) = used.last_mut().and_then(|block| block.last_chunk_mut()) {
            *length = bits.to_be_bytes();
        }

        let mut state = self.state;
        compress256(&mut state, used);
        // The tail of the key must not stay on the stack; nonce and time are no secret.
        blocks.as_flattened_mut()[..tail_len].zeroize();

        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

impl Drop for AbsorbedKey {
    fn drop(&mut self) {
        self.state.zeroize();
        self.tail.zeroize();
        self.key_len.zeroize();
    }
}

impl ZeroizeOnDrop for AbsorbedKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use std::vec::Vec;

    /// Visible ASCII of one length, different at each place.
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
                let absorbed = AbsorbedKey::new(Key::new(&bytes).unwrap());
                let time = b"1790611727783";
                assert_eq!(absorbed.digest(nonce, time), plain(&[&bytes, nonce, time]), "{len}");
                assert_eq!(absorbed.key_digest(), plain(&[&bytes]), "{len}");
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
            let absorbed = AbsorbedKey::new(Key::new(&key).unwrap());
            prop_assert_eq!(absorbed.digest(&nonce, &time), plain(&[&key, &nonce, &time]));
        }
    }
}

//! [`AbsorbedKey`]: SHA-256 with the key already in it.
//!
//! It refuses to be printed, cloned or serialized: what it keeps can sign, so it is as secret as
//! the key. It is wiped on drop.

use core::hint::black_box;

use sha2::block_api::compress256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::digits::encode_hex;
use super::kept::Kept;
use super::key::{KEY_BYTES_MAX, Key};

pub(super) const BLOCK_BYTES: usize = 64;
/// The longest nonce.
const NONCE_BYTES_MAX: usize = 128;
/// The key's tail, the longest nonce, the timestamp, the end mark and the length.
const BLOCKS_MAX: usize = (BLOCK_BYTES - 1 + NONCE_BYTES_MAX + 13 + 1 + 8).div_ceil(BLOCK_BYTES);
/// What is hashed after the whole blocks of a key.
pub(super) type Blocks = [[u8; BLOCK_BYTES]; BLOCKS_MAX];
pub(super) const NO_BLOCKS: Blocks = [[0; BLOCK_BYTES]; BLOCKS_MAX];
/// What follows the last byte of a message.
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
    pub(super) fn digest_of(key: Key<'_>) -> Digest {
        let mut absorbed = Self::EMPTY;
        absorbed.absorb(key);
        absorbed.key_digest()
    }

    fn absorb(&mut self, key: Key<'_>) {
        let (blocks, rest) = key.bytes().as_chunks::<BLOCK_BYTES>();
        compress_secret(&mut self.state, blocks);
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
    pub(super) fn digest(&self, nonce: &[u8], timestamp: &[u8; 13]) -> Digest {
        match nonce.try_into() {
            Ok(nonce) if self.tail_len() == 0 => self.digest_of_aligned(nonce, timestamp),
            _ => self.digest_of_any(nonce, timestamp),
        }
    }

    /// The common case: the key fills its blocks, the nonce another one, and the timestamp is
    /// alone in the last.
    fn digest_of_aligned(&self, nonce: &[u8; BLOCK_BYTES], timestamp: &[u8; 13]) -> Digest {
        let mut last = [0; BLOCK_BYTES];
        last[..13].copy_from_slice(timestamp);
        last[13] = END_MARK;
        let bits = 8 * (self.key_len + BLOCK_BYTES + 13) as u64;
        last[BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
        let mut state = self.state;
        compress256(&mut state, &[*nonce, last]);
        Digest(state)
    }

    fn digest_of_any(&self, nonce: &[u8], timestamp: &[u8; 13]) -> Digest {
        let mut blocks = NO_BLOCKS;
        let used = self.write_message(&mut blocks, nonce, timestamp);
        self.finish(&mut blocks, used)
    }

    /// Writes what is hashed after the whole blocks of the key into blocks of zeros: the tail of the
    /// key, the nonce, the timestamp and the end. How many blocks it is.
    pub(super) fn write_message(
        &self,
        blocks: &mut Blocks,
        nonce: &[u8],
        timestamp: &[u8; 13],
    ) -> usize {
        debug_assert!(nonce.len() <= NONCE_BYTES_MAX);
        // It is no longer; the optimizer sees so, and leaves out the panic of every index below.
        let nonce = &nonce[..nonce.len().min(NONCE_BYTES_MAX)];
        blocks[0] = self.tail;
        let rest = &mut blocks.as_flattened_mut()[self.tail_len()..];
        match <&[u8; 64]>::try_from(nonce) {
            // The usual length, whose copy is a few instructions.
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

    /// How many bytes [`write`](Self::write) fills: state, length of the key, tail.
    pub(super) const BYTES: usize = 8 * 4 + 2 + BLOCK_BYTES;

    /// Writes what is kept; the place is as secret as this from then on.
    pub(super) fn write(&self, place: &mut [u8]) {
        let (state, rest) = place.split_at_mut(8 * 4);
        let (length, tail) = rest.split_at_mut(2);
        for (bytes, word) in state.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        // At most 256.
        let key_len = u16::try_from(self.key_len).unwrap_or(0);
        length.copy_from_slice(&key_len.to_be_bytes());
        tail.copy_from_slice(&self.tail);
    }

    /// Reads what was written; `None` where no key is kept so.
    #[allow(clippy::unnecessary_box_returns, reason = "it must not be moved")]
    pub(super) fn read(place: &[u8]) -> Option<Kept<Self>> {
        let (state, rest) = place.split_at_checked(8 * 4)?;
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let key_len = usize::from(u16::from_be_bytes(*length));
        let unused = tail.get(key_len % BLOCK_BYTES..)?;
        if !(1..=KEY_BYTES_MAX).contains(&key_len) || unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut absorbed = Kept::new(Self::EMPTY);
        for (word, bytes) in absorbed.state.iter_mut().zip(state.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        absorbed.tail.copy_from_slice(tail.first_chunk::<BLOCK_BYTES>()?);
        absorbed.key_len = key_len;
        Some(absorbed)
    }

    /// Writes another nonce over the one of a message of this key.
    #[cfg(feature = "kernels")]
    pub(super) fn write_nonce(&self, blocks: &mut Blocks, nonce: &[u8; 64]) {
        blocks.as_flattened_mut()[self.tail_len()..][..64].copy_from_slice(nonce);
    }

    /// The whole blocks of the key, hashed.
    #[cfg(feature = "kernels")]
    pub(super) fn state(&self) -> &[u32; 8] {
        &self.state
    }

    /// How much of the key is in no whole block.
    pub(super) fn tail_len(&self) -> usize {
        self.key_len % BLOCK_BYTES
    }

    /// Writes the end of a message that has `len` bytes behind the tail of the key. How many blocks
    /// it is.
    fn write_end(&self, blocks: &mut Blocks, len: usize) -> usize {
        // As with the nonce: it is no more, and the optimizer sees so.
        let end = self.tail_len() + len.min(NONCE_BYTES_MAX + 13);
        let bits = 8 * (self.key_len - self.tail_len() + end) as u64;
        blocks.as_flattened_mut()[end] = END_MARK;
        let used = (end + 1 + 8).div_ceil(BLOCK_BYTES);
        if let Some(last) = blocks.get_mut(used - 1) {
            last[BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
        }
        used
    }

    /// Hashes so many blocks, and wipes what they have of the key.
    fn finish(&self, blocks: &mut Blocks, used: usize) -> Digest {
        let mut state = self.state;
        let used = &mut blocks[..used.min(BLOCKS_MAX)];
        if self.tail_len() == 0 {
            compress256(&mut state, used);
        } else {
            compress_secret(&mut state, used);
            // The tail of the key must not stay on the stack; nonce and time are no secret.
            blocks[0].as_mut_slice().zeroize();
        }
        Digest(state)
    }
}

/// Hashes blocks with a part of the key, and leaves nothing of it on the stack. A processor without
/// instructions for SHA-256 needs memory for the words of a block, which nobody wipes.
fn compress_secret(state: &mut [u32; 8], blocks: &[[u8; BLOCK_BYTES]]) {
    compress_below(state, blocks);
    wipe_below();
}

/// Never inlined, so that its stack is where that of the next call is.
#[inline(never)]
fn compress_below(state: &mut [u32; 8], blocks: &[[u8; BLOCK_BYTES]]) {
    compress256(state, blocks);
}

#[inline(never)]
fn wipe_below() {
    let mut place = [0_u64; 72];
    place.zeroize();
    black_box(&place);
}

/// What SHA-256 gives, as the words that it is made of.
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

    /// Writes it in lower-case hexadecimal digits.
    pub(super) fn write_hex(self, text: &mut [u8; 64]) {
        #[cfg(all(feature = "kernels", target_arch = "x86_64"))]
        if let Some(wide) = cortexkey_kernels::Wide::detect() {
            return cortexkey_kernels::write_hex(wide, &self.0, text);
        }
        *text = encode_hex(&self.to_bytes());
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
                assert_eq!(
                    absorbed.digest(nonce, time).to_bytes(),
                    plain(&[&bytes, nonce, time]),
                    "{len}"
                );
                assert_eq!(absorbed.key_digest().to_bytes(), plain(&[&bytes]), "{len}");
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
            prop_assert_eq!(absorbed.digest(&nonce, &time).to_bytes(), plain(&[&key, &nonce, &time]));
        }
    }
}

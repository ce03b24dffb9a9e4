//! [`Hasher`]: which kernel hashes many messages, and [`Lanes`]: SHA-256 of up to 32 messages with it.

use zeroize::{ZeroizeOnDrop, optimization_barrier, zeroize_stack};

use crate::sha256::{SharedBlock, Words};
use crate::sizes::LANES;
#[cfg(target_arch = "aarch64")]
use crate::{
    arm_sha2::{self, ArmSha2},
    neon,
};
#[cfg(target_arch = "x86_64")]
use crate::{
    avx2::{self, Avx2},
    avx512::{self, Avx512},
    sha_ni::{self, ShaNi},
};

/// A kernel that hashes many messages at a time, which this processor supports.
#[derive(Clone, Copy, Debug)]
pub enum Hasher {
    /// 32 messages in lanes of AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// Four messages at a time with SHA-NI.
    #[cfg(target_arch = "x86_64")]
    ShaNi(ShaNi),
    /// Eight messages in lanes of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// Four messages at a time with the SHA-256 instructions of 64-bit ARM.
    #[cfg(target_arch = "aarch64")]
    ArmSha2(ArmSha2),
}

impl Hasher {
    /// The fastest kernel for a number of messages; `None` if hashing one after another is faster.
    ///
    /// The limits are where the measured times of the kernels cross.
    #[cfg(target_arch = "x86_64")]
    pub fn for_messages(count: usize) -> Option<Self> {
        if count >= 16
            && let Some(avx512) = Avx512::detect()
        {
            return Some(Self::Avx512(avx512));
        }
        if let Some(sha_ni) = ShaNi::detect() {
            return (count >= 3).then_some(Self::ShaNi(sha_ni));
        }
        if count >= 3 { Avx2::detect().map(Self::Avx2) } else { None }
    }

    /// The fastest kernel for a number of messages; `None` if hashing one after another is faster.
    #[cfg(target_arch = "aarch64")]
    pub fn for_messages(count: usize) -> Option<Self> {
        if count >= 3 { ArmSha2::detect().map(Self::ArmSha2) } else { None }
    }

    /// The fastest kernel for a number of messages: there is none for this architecture.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub fn for_messages(_: usize) -> Option<Self> {
        None
    }
}

/// The state of up to 32 hashes. It compresses blocks that are already padded, and is wiped on drop,
/// since it may be the midstate of a key.
#[repr(C, align(64))]
pub struct Lanes {
    words: Words,
    hasher: Hasher,
    /// How many lanes are in use.
    count: usize,
}

impl Lanes {
    /// The first `count` lanes, at most 32, without a state. A state is set in place: moving the lanes
    /// would leave a copy.
    pub fn new(hasher: Hasher, count: usize) -> Self {
        Self { words: [[[0; 16]; 2]; 8], hasher, count }
    }

    /// Sets the initial state of all lanes.
    pub fn set_states(&mut self, state: &[u32; 8]) {
        match self.hasher.order() {
            None => {
                for (word, value) in self.words.iter_mut().zip(state) {
                    word.as_flattened_mut().fill(*value);
                }
            }
            Some(order) => {
                for out in self.states_mut() {
                    for (out, word) in out.iter_mut().zip(order) {
                        *out = state[word];
                    }
                }
            }
        }
    }

    /// Sets the state of one lane.
    pub fn set_state(&mut self, lane: usize, state: &[u32; 8]) {
        match self.hasher.order() {
            None => {
                for (word, value) in self.words.iter_mut().zip(state) {
                    if let Some(out) = word.as_flattened_mut().get_mut(lane) {
                        *out = *value;
                    }
                }
            }
            Some(order) => {
                if let Some(out) = self.states_mut().get_mut(lane) {
                    for (out, word) in out.iter_mut().zip(order) {
                        *out = state[word];
                    }
                }
            }
        }
    }

    /// Compresses a block into each lane whose bit is set in `active`; the others do not change.
    pub fn compress_each(&mut self, blocks: &[&[u8; 64]; LANES], active: u32) {
        match self.hasher {
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx512(proof) => {
                avx512::sha256::compress_each(proof, &mut self.words, blocks, active);
            }
            #[cfg(target_arch = "x86_64")]
            Hasher::ShaNi(proof) => {
                sha_ni::compress_each(proof, &mut self.words, blocks, active);
            }
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx2(proof) => {
                avx2::sha256::compress_each(proof, &mut self.words, blocks, active);
            }
            #[cfg(target_arch = "aarch64")]
            Hasher::ArmSha2(proof) => {
                arm_sha2::compress_each(proof, &mut self.words, blocks, active);
            }
        }
    }

    /// Compresses one block into all lanes in use.
    pub fn compress_shared(&mut self, block: &SharedBlock) {
        match self.hasher {
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx512(proof) => {
                avx512::sha256::compress_shared(proof, &mut self.words, block);
            }
            #[cfg(target_arch = "x86_64")]
            Hasher::ShaNi(proof) => {
                sha_ni::compress_shared(proof, &mut self.words, block, self.count);
            }
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx2(proof) => {
                avx2::sha256::compress_shared(proof, &mut self.words, block, self.count);
            }
            #[cfg(target_arch = "aarch64")]
            Hasher::ArmSha2(proof) => {
                arm_sha2::compress_shared(proof, &mut self.words, block, self.count);
            }
        }
    }

    /// Writes the digests of the lanes in use, each as eight words. Returns a bit for each lane whose digest a
    /// string holds as lower-case hexadecimal digits, compared in constant time.
    pub fn check(&self, texts: &[&[u8; 64]; LANES], digests: &mut [[u32; 8]; LANES]) -> u32 {
        #[cfg(target_arch = "x86_64")]
        if let Hasher::Avx512(proof) = self.hasher {
            return avx512::sha256::check(proof, &self.words, texts, digests);
        }
        let mut matches = 0;
        for (lane, (text, digest)) in texts.iter().zip(digests).enumerate().take(self.count) {
            *digest = self.digest(lane);
            matches |= u32::from(self.is_digest_of(lane, text)) << lane;
        }
        matches
    }

    fn is_digest_of(&self, lane: usize, text: &[u8; 64]) -> bool {
        match self.hasher {
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx512(proof) => avx512::text::is_hex_of(proof, &self.digest(lane), text),
            #[cfg(target_arch = "x86_64")]
            Hasher::ShaNi(proof) => sha_ni::is_hex_of(proof, &self.words, lane, text),
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx2(proof) => avx2::text::is_hex_of(proof, &self.digest(lane), text),
            #[cfg(target_arch = "aarch64")]
            Hasher::ArmSha2(proof) => neon::is_hex_of(proof.neon(), &self.digest(lane), text),
        }
    }

    /// Writes the digests of the first lanes as lower-case hexadecimal digits, one to each text.
    pub fn write_hex<'t>(&self, texts: impl Iterator<Item = &'t mut [u8; 64]>) {
        #[cfg(target_arch = "x86_64")]
        if let Hasher::Avx512(proof) = self.hasher {
            let mut texts = texts.fuse();
            let mut texts = core::array::from_fn(|_| texts.next());
            avx512::sha256::write_hex(proof, &self.words, &mut texts);
            return;
        }
        for (lane, text) in texts.enumerate().take(LANES) {
            self.write_hex_of(lane, text);
        }
    }

    fn write_hex_of(&self, lane: usize, text: &mut [u8; 64]) {
        match self.hasher {
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx512(proof) => avx512::text::write_hex(proof, &self.digest(lane), text),
            #[cfg(target_arch = "x86_64")]
            Hasher::ShaNi(proof) => sha_ni::write_hex(proof, &self.words, lane, text),
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx2(proof) => avx2::text::write_hex(proof, &self.digest(lane), text),
            #[cfg(target_arch = "aarch64")]
            Hasher::ArmSha2(proof) => neon::write_hex(proof.neon(), &self.digest(lane), text),
        }
    }

    /// The digest of a lane, from the memory of the kernel.
    fn digest(&self, lane: usize) -> [u32; 8] {
        match self.hasher {
            #[cfg(target_arch = "x86_64")]
            Hasher::ShaNi(proof) => sha_ni::digest(proof, &self.words, lane),
            #[cfg(target_arch = "x86_64")]
            Hasher::Avx512(_) | Hasher::Avx2(_) => {
                self.words.each_ref().map(|word| word.as_flattened()[lane])
            }
            #[cfg(target_arch = "aarch64")]
            Hasher::ArmSha2(_) => self.words.as_flattened().as_flattened().as_chunks().0[lane],
        }
    }

    /// The states of kernels that keep the words of a hash together.
    fn states_mut(&mut self) -> &mut [[u32; 8]] {
        self.words.as_flattened_mut().as_flattened_mut().as_chunks_mut().0
    }
}

impl Hasher {
    /// The order of the words of a hash, for kernels that keep them together; `None` for the others.
    #[cfg_attr(
        target_arch = "aarch64",
        expect(
            clippy::unnecessary_wraps,
            reason = "other processors have kernels without an order"
        )
    )]
    fn order(self) -> Option<[usize; 8]> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) | Self::Avx2(_) => None,
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi(_) => Some(sha_ni::ORDER),
            #[cfg(target_arch = "aarch64")]
            Self::ArmSha2(_) => Some(arm_sha2::ORDER),
        }
    }
}

/// More than any kernel uses of the stack.
const KERNEL_STACK_BYTES: usize = 4096;

impl Drop for Lanes {
    fn drop(&mut self) {
        // Whole vectors at a time, which `zeroize` does not do.
        self.words = [[[0; 16]; 2]; 8];
        optimization_barrier(&self.words);
        // A kernel has more words than registers, and spills the others to the stack.
        zeroize_stack::<KERNEL_STACK_BYTES>();
    }
}

impl ZeroizeOnDrop for Lanes {}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha20Rng;
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;
    use sha2::block_api::compress256;

    /// All kernels that this processor supports, whatever is fastest.
    fn hashers() -> Vec<Hasher> {
        #[cfg(target_arch = "x86_64")]
        let all = [
            Avx512::detect().map(Hasher::Avx512),
            ShaNi::detect().map(Hasher::ShaNi),
            Avx2::detect().map(Hasher::Avx2),
        ];
        #[cfg(target_arch = "aarch64")]
        let all = [ArmSha2::detect().map(Hasher::ArmSha2)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let all: [Option<Hasher>; 0] = [];
        all.into_iter().flatten().collect()
    }

    /// Pseudorandom states and blocks.
    fn random(seed: u64) -> ([[u32; 8]; LANES], [[u8; 64]; LANES]) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut states = [[0; 8]; LANES];
        states.as_flattened_mut().iter_mut().for_each(|word| *word = rng.next_u32());
        let mut blocks = [[0; 64]; LANES];
        rng.fill_bytes(blocks.as_flattened_mut());
        (states, blocks)
    }

    fn bytes(state: [u32; 8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (out, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
            *out = word.to_be_bytes();
        }
        bytes
    }

    proptest! {
        #[test]
        fn every_lane_equals_sha2(seed: u64, active: u32, count in 0..=LANES) {
            for hasher in hashers() {
                let (mut states, blocks) = random(seed);
                let active = active & u32::MAX.checked_shr(32 - u32::try_from(count)?).unwrap_or(0);
                let mut lanes = Lanes::new(hasher, count);
                lanes.set_states(&states[0]);
                // One lane keeps the state that all started with.
                states.iter().enumerate().skip(1).for_each(|(i, state)| lanes.set_state(i, state));
                lanes.compress_each(&blocks.each_ref(), active);
                lanes.compress_shared(&SharedBlock::new(&blocks[0]));
                for (lane, state) in states.iter_mut().enumerate() {
                    if active >> lane & 1 == 1 {
                        compress256(state, &blocks[lane..=lane]);
                    }
                    compress256(state, &blocks[..1]);
                }
                let mut texts = [[0; 64]; LANES];
                lanes.write_hex(texts.iter_mut().take(count));
                let mut digests = [[0; 8]; LANES];
                let matches = lanes.check(&texts.each_ref(), &mut digests);
                prop_assert_eq!(&digests[..count], &states[..count], "{:?}", hasher);
                for (text, state) in texts.iter().take(count).zip(states) {
                    prop_assert_eq!(text.to_vec(), hex::encode(bytes(state)).into_bytes());
                }
                // Every second digest is changed.
                let used = u32::MAX.checked_shr(32 - u32::try_from(count)?).unwrap_or(0);
                prop_assert_eq!(matches & used, used);
                texts.iter_mut().step_by(2).for_each(|text| text[count] ^= 1);
                let matches = lanes.check(&texts.each_ref(), &mut digests);
                prop_assert_eq!(matches & used, used & 0xaaaa_aaaa);
                prop_assert_eq!(&digests[..count], &states[..count], "{:?}", hasher);
            }
        }
    }

    #[test]
    fn the_choice_is_supported_and_depends_on_the_number() {
        for count in 0..=2 {
            assert!(Hasher::for_messages(count).is_none(), "{count}");
        }
        for count in [3, 15, 16, LANES, 1_000] {
            assert_eq!(Hasher::for_messages(count).is_some(), !hashers().is_empty(), "{count}");
        }
    }
}

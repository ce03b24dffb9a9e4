//! What all kernels for SHA-256 share: the round constants and [`SharedBlock`].

use crate::sizes::LANES;

/// The expanded message schedule of a block that is the same in all lanes, with the round constants
/// added.
pub struct SharedBlock([u32; 64]);

impl SharedBlock {
    /// Expands the schedule of a block.
    pub fn new(block: &[u8; 64]) -> Self {
        let mut schedule = [0; 64];
        for (word, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for t in 16..64 {
            let early = schedule[t - 15];
            let late = schedule[t - 2];
            let early = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
            let late = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
            let sum = schedule[t - 16].wrapping_add(schedule[t - 7]);
            schedule[t] = sum.wrapping_add(early).wrapping_add(late);
        }
        for (word, k) in schedule.iter_mut().zip(K) {
            *word = word.wrapping_add(k);
        }
        Self(schedule)
    }

    /// The sums of word and constant, one for each round.
    pub(crate) fn sums(&self) -> &[u32; 64] {
        &self.0
    }
}

/// The state of 32 hashes. Kernels of lanes keep it by word, then set, then lane; kernels of streams keep
/// the eight words of each hash together.
pub(crate) type Words = [[[u32; 16]; LANES / 16]; 8];

/// The round constants.
#[rustfmt::skip]
pub(crate) const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

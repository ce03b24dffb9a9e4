//! SHA-256 of four messages at a time with the instructions of 64-bit ARM.
//!
//! One message is bound by the latency of the instructions, four by their throughput. States and
//! schedules of four fill 24 of the 32 registers.

use core::arch::aarch64::*;

use zeroize::optimization_barrier;

use crate::found;
use crate::neon::Neon;
use crate::sha256::{K, SharedBlock, Words};
use crate::sizes::LANES;

/// How many messages are hashed at a time.
const STREAMS: usize = 4;
/// The order in which the instructions keep the words of a state.
pub(crate) const ORDER: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// Proof that this processor supports instructions for SHA-256: without them there is no value of this
/// type, so a kernel that takes it may use the instructions.
#[derive(Clone, Copy, Debug)]
pub struct ArmSha2(Neon);

impl ArmSha2 {
    /// Returns the proof, or `None` if the feature is missing or not allowed.
    #[inline]
    pub fn detect() -> Option<Self> {
        if found::has(found::SHA) { Neon::detect().map(Self) } else { None }
    }

    /// The proof of NEON within.
    pub(crate) fn neon(self) -> Neon {
        self.0
    }
}

/// Compresses a block into each lane whose bit is set in `active`.
pub(crate) fn compress_each(
    _: ArmSha2,
    words: &mut Words,
    blocks: &[&[u8; 64]; LANES],
    active: u32,
) {
    let groups = groups(words).iter_mut().zip(blocks.as_chunks::<STREAMS>().0);
    for (group, (states, blocks)) in groups.enumerate() {
        let active = active >> (STREAMS * group) & 0xf;
        if active != 0 {
            // SAFETY: an `ArmSha2` exists only if the processor supports what the function needs.
            unsafe { compress_four(states, blocks, active) }
        }
    }
}

/// Compresses one block into the first `count` lanes, and into others of the same group.
pub(crate) fn compress_shared(_: ArmSha2, words: &mut Words, block: &SharedBlock, count: usize) {
    for states in groups(words).iter_mut().take(count.div_ceil(STREAMS)) {
        // SAFETY: as above.
        unsafe { compress_four_shared(states, block.sums()) }
    }
}

type State = [u32; 8];
/// The words a to d, then the words e to h, of each state.
type Halves = [[uint32x4_t; 2]; STREAMS];

fn groups(words: &mut Words) -> &mut [[State; STREAMS]] {
    let (states, _) = words.as_flattened_mut().as_flattened_mut().as_chunks_mut();
    states.as_chunks_mut().0
}

#[target_feature(enable = "neon,sha2")]
fn compress_four(states: &mut [State; STREAMS], blocks: &[&[u8; 64]; STREAMS], active: u32) {
    let mut schedules = blocks.map(|block| words_of(block));
    let mut halves = states.each_ref().map(|state| load_state(state));
    let (constants, _) = K.as_chunks::<16>();
    for (sixteen, constants) in constants.iter().enumerate() {
        let (constants, _) = constants.as_chunks::<4>();
        // Unrolled, so that the schedules stay in registers.
        macro_rules! four_rounds {
            ($($i:literal)*) => {$(
                if sixteen > 0 {
                    for schedule in &mut schedules {
                        schedule[$i] = next_words(schedule, $i);
                    }
                }
                for stream in 0..STREAMS {
                    let sums = vaddq_u32(schedules[stream][$i], load(&constants[$i]));
                    four_rounds(&mut halves[stream], sums);
                }
            )*};
        }
        four_rounds!(0 1 2 3);
    }
    add_states(states, &halves, active);
    // The blocks may hold a part of a key.
    schedules = [[vdupq_n_u32(0); 4]; STREAMS];
    optimization_barrier(&schedules);
}

#[target_feature(enable = "neon,sha2")]
fn compress_four_shared(states: &mut [State; STREAMS], sums: &[u32; 64]) {
    let mut halves = states.each_ref().map(|state| load_state(state));
    for sums in sums.as_chunks::<4>().0 {
        let sums = load(sums);
        for halves in &mut halves {
            four_rounds(halves, sums);
        }
    }
    add_states(states, &halves, u32::MAX);
}

/// The words of a block.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn words_of(block: &[u8; 64]) -> [uint32x4_t; 4] {
    let (quarters, _) = block.as_chunks::<16>();
    [0, 1, 2, 3].map(|i| {
        // SAFETY: the reference covers the 16 bytes of the load.
        let quarter = unsafe { vld1q_u8(quarters[i].as_ptr()) };
        vreinterpretq_u32_u8(vrev32q_u8(quarter))
    })
}

/// The four words that replace those at `i` in a schedule of sixteen.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn next_words(schedule: &[uint32x4_t; 4], i: usize) -> uint32x4_t {
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|next| schedule[(i + next) % 4]);
    vsha256su1q_u32(vsha256su0q_u32(first, second), third, fourth)
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn four_rounds(halves: &mut [uint32x4_t; 2], sums: uint32x4_t) {
    let [front, back] = *halves;
    *halves = [vsha256hq_u32(front, back, sums), vsha256h2q_u32(back, front, sums)];
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn load_state(state: &State) -> [uint32x4_t; 2] {
    let (halves, _) = state.as_chunks::<4>();
    [load(&halves[0]), load(&halves[1])]
}

/// Adds the result of the rounds to the previous states, in the active streams.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn add_states(states: &mut [State; STREAMS], changes: &Halves, active: u32) {
    for (stream, (state, changes)) in states.iter_mut().zip(changes).enumerate() {
        if active >> stream & 1 == 1 {
            for (half, change) in state.as_chunks_mut::<4>().0.iter_mut().zip(changes) {
                let sum = vaddq_u32(load(half), *change);
                // SAFETY: the reference covers the 4 words of the store.
                unsafe { vst1q_u32(half.as_mut_ptr(), sum) }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn load(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the reference covers the 4 words of the load.
    unsafe { vld1q_u32(words.as_ptr()) }
}

//! [`ThreadGenerator`]: ChaCha20 seeded from the operating system, with a buffer for each thread.
//!
//! It refuses to give the same bytes twice: to two threads, to a process and its forked child, or
//! to somebody who looks at its memory afterwards. Where it cannot keep a buffer safe across a
//! fork, it keeps none, and every byte comes from the operating system.
//!
//! Each run of keystream begins with the key of the next, so what was given cannot be made again
//! from what is kept; bytes are erased when they are given. After 1,024 runs, some 3 MB, the
//! operating system's randomness is mixed in again. A machine that is copied while it runs, by a
//! snapshot, has the same buffer in both copies until then; nothing in a process can see that.

use std::cell::RefCell;
use std::ptr;

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _, TryCryptoRng, TryRng};
use zeroize::Zeroize;

use crate::page::{Wipeable, WipedOnFork};
#[cfg(target_arch = "x86_64")]
use crate::{RANDOM_BYTES, Wide, alphanumeric};

const KEY_BYTES: usize = 32;
const RUN_BYTES: usize = 3 * 1024;
/// What of a run is given: behind the next key, and from where a kernel likes best to begin.
const GIVEN_BYTES: usize = RUN_BYTES - 64;
const RUNS_A_SEED: u32 = 1_024;

/// This thread's generator. It holds nothing itself, so it costs nothing to make.
///
/// It fails only where the operating system's random source does.
///
/// ```
/// use cortexkey_kernels::ThreadGenerator;
/// use rand_core::TryRng as _;
///
/// let mut bytes = [0; 64];
/// ThreadGenerator::new().try_fill_bytes(&mut bytes)?;
/// # Ok::<(), getrandom::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadGenerator(());

impl ThreadGenerator {
    /// The generator of the thread that uses it.
    pub const fn new() -> Self {
        Self(())
    }
}

impl TryRng for ThreadGenerator {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, getrandom::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, getrandom::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), getrandom::Error> {
        with_state(|state| match state {
            Some(state) => state.fill(bytes),
            None => getrandom::fill(bytes),
        })
    }
}

impl TryCryptoRng for ThreadGenerator {}

#[cfg(target_arch = "x86_64")]
impl ThreadGenerator {
    /// Draws nonces of 64 letters and digits: what [`alphanumeric`](crate::alphanumeric) makes of
    /// the thread's random bytes, without a copy in between.
    pub fn try_fill_nonces<'n>(
        &mut self,
        wide: Wide,
        mut nonces: impl Iterator<Item = &'n mut [u8; 64]>,
    ) -> Result<(), getrandom::Error> {
        with_state(|state| match state {
            Some(state) => state.fill_nonces(wide, &mut nonces),
            None => fill_nonces_from_system(wide, &mut nonces),
        })
    }

    /// Makes the next nonce ahead: best called while the processor waits for something else, such as
    /// the hash of the one before. Where that fails, the next draw makes it, and says so.
    pub fn prepare_nonce(&mut self, wide: Wide) {
        with_state(|state| {
            if let Some(state) = state {
                state.prepare_nonce(wide);
            }
        });
    }
}

/// Hands over what this thread keeps; nothing where it cannot keep anything.
fn with_state<T>(mut f: impl FnMut(Option<&mut State>) -> T) -> T {
    thread_local! {
        static KEPT: RefCell<Kept> = const { RefCell::new(Kept::Unmade) };
    }
    let done = KEPT.try_with(|kept| Some(f(kept.try_borrow_mut().ok()?.state())));
    // It is gone where the thread is about to end, and in use where a signal's handler came in
    // between.
    done.ok().flatten().unwrap_or_else(|| f(None))
}

#[cfg(target_arch = "x86_64")]
fn fill_nonces_from_system<'n>(
    wide: Wide,
    nonces: &mut impl Iterator<Item = &'n mut [u8; 64]>,
) -> Result<(), getrandom::Error> {
    for nonce in nonces {
        let mut random = [0; RANDOM_BYTES];
        loop {
            getrandom::fill(&mut random)?;
            if alphanumeric(wide, &random, nonce) {
                break;
            }
        }
        random.as_mut_slice().zeroize();
    }
    Ok(())
}

enum Kept {
    Unmade,
    /// The system cannot keep it safe.
    Refused,
    Made(WipedOnFork<State>),
}

impl Kept {
    fn state(&mut self) -> Option<&mut State> {
        if let Self::Unmade = self {
            *self = WipedOnFork::new().map_or(Self::Refused, Self::Made);
        }
        match self {
            Self::Made(state) => Some(state),
            Self::Unmade | Self::Refused => None,
        }
    }
}

/// What a thread keeps. As zeros it is without a seed, and without bytes to give.
#[repr(C, align(64))]
struct State {
    /// The next nonce, where it was made ahead.
    ready: [u8; 64],
    is_ready: bool,
    stock: Stock,
}

// SAFETY: plain numbers, of less than a page.
unsafe impl Wipeable for State {}

impl State {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), getrandom::Error> {
        loop {
            let mut rest = &mut *bytes;
            while !rest.is_empty() {
                let given = self.stock.some(rest.len())?;
                let (now, later) = rest.split_at_mut(given.len());
                now.copy_from_slice(given);
                given.zeroize();
                rest = later;
            }
            // Where a signal's handler forked in between, the child comes by here with zeros.
            if self.stock.is_seeded() {
                return Ok(());
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn fill_nonces<'n>(
        &mut self,
        wide: Wide,
        nonces: &mut impl Iterator<Item = &'n mut [u8; 64]>,
    ) -> Result<(), getrandom::Error> {
        for nonce in nonces {
            loop {
                if self.is_ready {
                    *nonce = self.ready;
                    self.is_ready = false;
                } else {
                    self.stock.make_nonce(wide, nonce)?;
                }
                // As in `fill`.
                if self.stock.is_seeded() {
                    break;
                }
            }
        }
        Ok(())
    }

    #[cfg(target_arch = "x86_64")]
    fn prepare_nonce(&mut self, wide: Wide) {
        self.is_ready = self.is_ready || self.stock.make_nonce(wide, &mut self.ready).is_ok();
    }
}

/// Keystream, and how much of it was not given yet.
#[repr(C, align(64))]
struct Stock {
    /// It begins with the key of the next run.
    run: [u8; RUN_BYTES],
    /// How many bytes at the end of the run were not given yet.
    bytes_left: usize,
    /// How many runs the seed is still good for, and one: 0 where there is no seed.
    runs_left: u32,
}

impl Stock {
    #[cfg(target_arch = "x86_64")]
    fn make_nonce(&mut self, wide: Wide, nonce: &mut [u8; 64]) -> Result<(), getrandom::Error> {
        loop {
            // What is less than a nonce at the end of a run is given away.
            let Some(random) = self.some(RANDOM_BYTES)?.first_chunk_mut() else { continue };
            let is_enough = alphanumeric(wide, random, nonce);
            random.as_mut_slice().zeroize();
            if is_enough {
                return Ok(());
            }
        }
    }

    /// Up to so many bytes that were not given yet, one at least. Who takes them erases them.
    fn some(&mut self, len: usize) -> Result<&mut [u8], getrandom::Error> {
        if self.bytes_left == 0 {
            self.renew()?;
        }
        let left = self.bytes_left.min(GIVEN_BYTES);
        let len = left.min(len);
        self.bytes_left = left - len;
        Ok(&mut self.run[RUN_BYTES - left..][..len])
    }

    /// The next run of keystream.
    fn renew(&mut self) -> Result<(), getrandom::Error> {
        let mut key = [0; KEY_BYTES];
        if self.runs_left <= 1 {
            getrandom::fill(&mut key)?;
            self.runs_left = RUNS_A_SEED + 1;
        }
        key.iter_mut().zip(&self.run).for_each(|(key, kept)| *key ^= kept);
        keystream(&key, &mut self.run);
        key.as_mut_slice().zeroize();
        self.runs_left -= 1;
        self.bytes_left = GIVEN_BYTES;
        Ok(())
    }

    fn is_seeded(&self) -> bool {
        // SAFETY: a reference is good to read from; volatile, since the system may have changed it.
        unsafe { ptr::read_volatile(&raw const self.runs_left) != 0 }
    }
}

/// Three kilobytes of ChaCha20, by the widest kernel that there is. The kernels give the same bytes,
/// each in an order of its own.
fn keystream(key: &[u8; KEY_BYTES], run: &mut [u8; RUN_BYTES]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = Wide::detect() {
        let parts = run.as_chunks_mut::<{ crate::chacha20::RUN_BYTES }>().0;
        for (part, counter) in parts.iter_mut().zip((0..).step_by(16)) {
            crate::chacha20::keystream(wide, key, counter, part);
        }
        return;
    }
    ChaCha20Rng::from_seed(*key).fill_bytes(run);
}

impl Zeroize for State {
    fn zeroize(&mut self) {
        self.ready.as_mut_slice().zeroize();
        self.is_ready.zeroize();
        self.stock.run.as_mut_slice().zeroize();
        self.stock.bytes_left.zeroize();
        self.stock.runs_left.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_byte_is_kept_after_it_is_given() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut given = [0; 1000];
        state.fill(&mut given).unwrap();
        let kept: BTreeSet<_> = state.stock.run.windows(8).collect();
        assert!(given.windows(8).all(|bytes| !kept.contains(bytes)));
    }

    /// Longer and shorter than the buffer, and across the end of a seed.
    #[test]
    fn nothing_comes_twice() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut seen = BTreeSet::new();
        for len in (8..2_000).chain([GIVEN_BYTES - 1, GIVEN_BYTES, 2 * RUN_BYTES, 100_000]) {
            let mut bytes = vec![0; len];
            state.fill(&mut bytes).unwrap();
            for word in bytes.as_chunks::<8>().0 {
                assert!(seen.insert(*word), "{len} bytes");
            }
        }
        assert!(state.stock.runs_left < RUNS_A_SEED - 500, "many runs were made");
    }

    #[test]
    fn a_seed_is_renewed_in_time() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        for run in 0..3 * RUNS_A_SEED {
            state.stock.renew().unwrap();
            assert_eq!(state.stock.runs_left, RUNS_A_SEED - run % RUNS_A_SEED);
            assert!(state.stock.is_seeded());
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_nonce_that_was_made_ahead_is_given_once_and_gone_when_wiped() {
        let (Some(wide), Some(mut state)) = (Wide::detect(), WipedOnFork::<State>::new()) else {
            return;
        };
        let mut seen = BTreeSet::new();
        let mut draw = |state: &mut State| {
            let mut nonces = [[0; 64]; 2];
            state.fill_nonces(wide, &mut nonces.iter_mut()).unwrap();
            for nonce in nonces {
                assert!(nonce.iter().all(u8::is_ascii_alphanumeric) && seen.insert(nonce));
            }
        };
        for round in 0..100 {
            state.prepare_nonce(wide);
            if round % 3 == 0 {
                // As the system does it in a forked child.
                state.zeroize();
            }
            draw(&mut state);
        }
    }

    #[test]
    fn what_was_wiped_begins_anew() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut bytes = [0; 64];
        state.fill(&mut bytes).unwrap();
        // As the system does it in a forked child.
        state.zeroize();
        assert!(!state.stock.is_seeded());
        let mut others = [0; 64];
        state.fill(&mut others).unwrap();
        assert!(bytes != others && others != [0; 64]);
    }
}

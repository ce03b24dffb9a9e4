//! [`ThreadGenerator`]: ChaCha20 seeded from the operating system, with a buffer for each thread.
//!
//! Two threads, or a process and its forked child, never get the same bytes. If the system cannot
//! protect a buffer across a fork, there is no buffer, and every byte comes from the operating
//! system.
//!
//! Each run of keystream starts with the key of the next run, and bytes are erased when they are
//! returned, so later reads of the memory do not reveal earlier bytes. After 1,024 runs, some 3 MB, the
//! generator mixes in randomness of the operating system again. A snapshot of a running machine shares
//! the buffer with the original until then, which a process cannot detect.

use std::cell::RefCell;
use std::ptr;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::{Zeroize, optimization_barrier};

use crate::keystream::{KEY_BYTES, RUN_BYTES, keystream};
use crate::nonce_kernel::NonceKernel;
use crate::page::{Wipeable, WipedOnFork};
use crate::sizes::RANDOM_BYTES;

/// The part of a run that is returned: it follows the next key, aligned for the kernels.
const RETURNED_BYTES: usize = RUN_BYTES - 64;
const RUNS_PER_SEED: u32 = 1_024;

/// A handle of the current thread's generator, which is free to create.
///
/// It fails only if the operating system's random source fails.
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
    /// Returns the handle.
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

impl ThreadGenerator {
    /// Draws nonces of 64 letters and digits with a kernel, straight from
    /// the thread's buffer.
    pub fn try_fill_nonces<'n>(
        &mut self,
        kernel: NonceKernel,
        mut nonces: impl Iterator<Item = &'n mut [u8; 64]>,
    ) -> Result<(), getrandom::Error> {
        with_state(|state| match state {
            Some(state) => state.fill_nonces(kernel, &mut nonces),
            None => fill_nonces_from_system(kernel, &mut nonces),
        })
    }

    /// Draws the next nonce ahead of time. It is best called while the processor waits for
    /// something else, such as a hash. If that fails, the next draw tries again and returns the
    /// error.
    pub fn prepare_nonce(&mut self, kernel: NonceKernel) {
        with_state(|state| {
            if let Some(state) = state {
                state.prepare_nonce(kernel);
            }
        });
    }
}

/// Passes the thread's state to `f`; `None` if there is none.
fn with_state<T>(mut f: impl FnMut(Option<&mut State>) -> T) -> T {
    thread_local! {
        static STATE: RefCell<ThreadState> = const { RefCell::new(ThreadState::Unset) };
    }
    let done = STATE.try_with(|state| Some(f(state.try_borrow_mut().ok()?.get())));
    // The state is gone if the thread is ending, and borrowed if this is a signal handler.
    done.ok().flatten().unwrap_or_else(|| f(None))
}

fn fill_nonces_from_system<'n>(
    kernel: NonceKernel,
    nonces: &mut impl Iterator<Item = &'n mut [u8; 64]>,
) -> Result<(), getrandom::Error> {
    for nonce in nonces {
        let mut random = [0; RANDOM_BYTES];
        loop {
            getrandom::fill(&mut random)?;
            if kernel.map(&random, nonce) {
                break;
            }
        }
        wipe(&mut random);
    }
    Ok(())
}

/// Erases bytes, several at a time; `zeroize` writes them one by one.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

enum ThreadState {
    Unset,
    /// The system cannot clear the state in a forked child.
    Unavailable,
    Ready(WipedOnFork<State>),
}

impl ThreadState {
    fn get(&mut self) -> Option<&mut State> {
        if let Self::Unset = self {
            *self = WipedOnFork::new().map_or(Self::Unavailable, Self::Ready);
        }
        match self {
            Self::Ready(state) => Some(state),
            Self::Unset | Self::Unavailable => None,
        }
    }
}

/// The state of a thread. All zeros mean that it has neither a seed nor bytes to return.
#[repr(C, align(64))]
struct State {
    /// The next nonce, if it was drawn ahead of time.
    ready: [u8; 64],
    is_ready: bool,
    stock: Keystream,
}

// SAFETY: plain numbers, in less than a page.
unsafe impl Wipeable for State {}

impl State {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), getrandom::Error> {
        loop {
            let mut rest = &mut *bytes;
            while !rest.is_empty() {
                let given = self.stock.take(rest.len())?;
                let (now, later) = rest.split_at_mut(given.len());
                now.copy_from_slice(given);
                wipe(given);
                rest = later;
            }
            // If a signal handler forked meanwhile, the child has copied zeros and starts over.
            if self.stock.is_seeded() {
                return Ok(());
            }
        }
    }

    fn fill_nonces<'n>(
        &mut self,
        kernel: NonceKernel,
        nonces: &mut impl Iterator<Item = &'n mut [u8; 64]>,
    ) -> Result<(), getrandom::Error> {
        for nonce in nonces {
            loop {
                if self.is_ready {
                    *nonce = self.ready;
                    self.is_ready = false;
                } else {
                    self.stock.make_nonce(kernel, nonce)?;
                }
                // As in `fill`.
                if self.stock.is_seeded() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn prepare_nonce(&mut self, kernel: NonceKernel) {
        self.is_ready = self.is_ready || self.stock.make_nonce(kernel, &mut self.ready).is_ok();
    }
}

/// Keystream, and how much of it has not been returned yet.
#[repr(C, align(64))]
struct Keystream {
    /// It starts with the key of the next run.
    run: [u8; RUN_BYTES],
    /// How many bytes at the end of the run have not been returned yet.
    bytes_left: usize,
    /// One more than the number of runs that the seed is still good for; 0 without a seed.
    runs_left: u32,
}

impl Keystream {
    fn make_nonce(
        &mut self,
        kernel: NonceKernel,
        nonce: &mut [u8; 64],
    ) -> Result<(), getrandom::Error> {
        loop {
            // Discards a rest of the run that is too short for a nonce.
            let Some(random) = self.take(RANDOM_BYTES)?.first_chunk_mut() else { continue };
            let is_enough = kernel.map(random, nonce);
            wipe(random);
            if is_enough {
                return Ok(());
            }
        }
    }

    /// Takes up to `len` bytes, at least one. The caller erases them.
    fn take(&mut self, len: usize) -> Result<&mut [u8], getrandom::Error> {
        if self.bytes_left == 0 {
            self.renew()?;
        }
        let left = self.bytes_left.min(RETURNED_BYTES);
        let len = left.min(len);
        self.bytes_left = left - len;
        Ok(&mut self.run[RUN_BYTES - left..][..len])
    }

    /// Replaces the run with the next one.
    fn renew(&mut self) -> Result<(), getrandom::Error> {
        let mut key = [0; KEY_BYTES];
        if self.runs_left <= 1 {
            getrandom::fill(&mut key)?;
            self.runs_left = RUNS_PER_SEED + 1;
        }
        key.iter_mut().zip(&self.run).for_each(|(key, next)| *key ^= next);
        keystream(&key, &mut self.run);
        wipe(&mut key);
        self.runs_left -= 1;
        self.bytes_left = RETURNED_BYTES;
        Ok(())
    }

    fn is_seeded(&self) -> bool {
        // SAFETY: a reference may be read; volatile, since a fork may have changed the memory.
        unsafe { ptr::read_volatile(&raw const self.runs_left) != 0 }
    }
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
    fn the_generator_keeps_no_returned_byte() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut given = [0; 1000];
        state.fill(&mut given).unwrap();
        let kept: BTreeSet<_> = state.stock.run.windows(8).collect();
        assert!(given.windows(8).all(|bytes| !kept.contains(bytes)));
    }

    /// Longer and shorter than the buffer, and across the end of a seed.
    #[test]
    fn nothing_is_listed_twice() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut seen = BTreeSet::new();
        for len in (8..2_000).chain([RETURNED_BYTES - 1, RETURNED_BYTES, 2 * RUN_BYTES, 100_000]) {
            let mut bytes = vec![0; len];
            state.fill(&mut bytes).unwrap();
            for word in bytes.as_chunks::<8>().0 {
                assert!(seen.insert(*word), "{len} bytes");
            }
        }
        assert!(state.stock.runs_left < RUNS_PER_SEED - 500, "many runs were made");
    }

    #[test]
    fn a_seed_is_renewed_in_time() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        for run in 0..3 * RUNS_PER_SEED {
            state.stock.renew().unwrap();
            assert_eq!(state.stock.runs_left, RUNS_PER_SEED - run % RUNS_PER_SEED);
            assert!(state.stock.is_seeded());
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_buffered_nonce_is_returned_once_and_wiped() {
        let (Some(kernel), Some(mut state)) = (NonceKernel::detect(), WipedOnFork::<State>::new())
        else {
            return;
        };
        let mut seen = BTreeSet::new();
        let mut draw = |state: &mut State| {
            let mut nonces = [[0; 64]; 2];
            state.fill_nonces(kernel, &mut nonces.iter_mut()).unwrap();
            for nonce in nonces {
                assert!(nonce.iter().all(u8::is_ascii_alphanumeric) && seen.insert(nonce));
            }
        };
        for round in 0..100 {
            state.prepare_nonce(kernel);
            if round % 3 == 0 {
                // As the system does in a forked child.
                state.zeroize();
            }
            draw(&mut state);
        }
    }

    #[test]
    fn wiped_state_starts_over() {
        let Some(mut state) = WipedOnFork::<State>::new() else { return };
        let mut bytes = [0; 64];
        state.fill(&mut bytes).unwrap();
        // As the system does in a forked child.
        state.zeroize();
        assert!(!state.stock.is_seeded());
        let mut others = [0; 64];
        state.fill(&mut others).unwrap();
        assert!(bytes != others && others != [0; 64]);
    }
}

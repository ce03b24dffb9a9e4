//! The atomics and the lock of the replay guard: the standard library's, or under `--cfg loom` and
//! `--cfg shuttle` those whose schedules the checkers choose.

#[cfg(not(any(loom, shuttle)))]
pub(super) use core::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(shuttle)]
pub(super) use shuttle::sync::atomic::{AtomicU32, AtomicU64};

pub(super) use core::sync::atomic::Ordering::Relaxed;

/// Separates data that many threads write from everything else: two cache lines, because processors
/// fetch them in pairs.
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

/// The value of a [`LockedWord`] while a thread holds it.
const LOCKED: u64 = u64::MAX;

/// A word that one thread at a time locks and unlocks. It protects the memory behind it, which is
/// written with relaxed stores while the word is locked.
///
/// Locking is one exchange, unlocking one store: a mutex for each line of the table would need
/// extra space. Nothing panics while a word is locked.
#[cfg(not(loom))]
pub(super) struct LockedWord(AtomicU64);

#[cfg(not(loom))]
impl LockedWord {
    pub(super) fn new(word: u64) -> Self {
        Self(AtomicU64::new(word))
    }

    /// Locks the word, once it has none of these bits. A word is never `u64::MAX`.
    #[inline]
    pub(super) fn lock_without(&self, bits: u64) -> u64 {
        let word = self.0.swap(LOCKED, core::sync::atomic::Ordering::Acquire);
        if word != LOCKED && word & bits == 0 { word } else { self.wait(word, bits) }
    }

    #[cold]
    #[inline(never)]
    fn wait(&self, seen: u64, bits: u64) -> u64 {
        if seen != LOCKED {
            self.unlock(seen);
        }
        for round in 0_u32.. {
            pause(round);
            let seen = self.0.load(Relaxed);
            if seen == LOCKED || seen & bits != 0 {
                continue;
            }
            let word = self.0.swap(LOCKED, core::sync::atomic::Ordering::Acquire);
            if word == LOCKED {
                continue;
            }
            if word & bits == 0 {
                return word;
            }
            self.unlock(word);
        }
        unreachable!("the rounds do not end")
    }

    #[inline]
    pub(super) fn unlock(&self, word: u64) {
        self.0.store(word, core::sync::atomic::Ordering::Release);
    }
}

impl LockedWord {
    /// Locks the word.
    #[inline]
    pub(super) fn lock(&self) -> u64 {
        self.lock_without(0)
    }
}

/// Waits for the thread that holds a word: at first for some nanoseconds, then it yields. Finally
/// it sleeps, because a thread of a higher priority may keep that thread from running.
#[cfg(not(any(loom, shuttle)))]
fn pause(round: u32) {
    match round {
        0..100 => core::hint::spin_loop(),
        100..200 => std::thread::yield_now(),
        _ => std::thread::sleep(core::time::Duration::from_micros(50)),
    }
}

#[cfg(shuttle)]
fn pause(_: u32) {
    shuttle::thread::yield_now();
}

/// The lock for loom, which tries every schedule and must know that a thread waits.
#[cfg(loom)]
pub(super) struct LockedWord(loom::sync::Mutex<u64>, loom::sync::Condvar);

#[cfg(loom)]
impl LockedWord {
    pub(super) fn new(word: u64) -> Self {
        Self(loom::sync::Mutex::new(word), loom::sync::Condvar::new())
    }

    pub(super) fn lock_without(&self, bits: u64) -> u64 {
        let mut word = self.0.lock().expect("no thread panics while it has the lock");
        while *word == LOCKED || *word & bits != 0 {
            word = self.1.wait(word).expect("no thread panics while it has the lock");
        }
        core::mem::replace(&mut word, LOCKED)
    }

    pub(super) fn unlock(&self, word: u64) {
        *self.0.lock().expect("no thread panics while it has the lock") = word;
        self.1.notify_all();
    }
}

//! The lock of the replay guard: the standard library's, or under `--cfg loom` and
//! `--cfg shuttle` one whose schedules are chosen by those checkers.
//!
//! It refuses everything but the lock, so that what is checked is what runs.

#[cfg(loom)]
pub(super) use loom::sync::Mutex;
#[cfg(shuttle)]
pub(super) use shuttle::sync::Mutex;
#[cfg(not(any(loom, shuttle)))]
pub(super) use std::sync::Mutex;

pub(super) use std::sync::PoisonError;

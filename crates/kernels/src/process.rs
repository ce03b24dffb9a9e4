//! [`ProcessMark`]: tells a process from one that was forked from it.

use zeroize::Zeroize;

use crate::page::{Wipeable, WipedOnFork};

/// What only the process that made it has; a forked child sees that it is another one.
///
/// Where the system gives memory that a child gets as zeros, a look is one read of memory. Elsewhere
/// it asks for the process id.
pub struct ProcessMark(Mark);

enum Mark {
    Wiped(WipedOnFork<Here>),
    ProcessId(u32),
}

/// 1 in the process that made it.
struct Here(u8);

impl Zeroize for Here {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

// SAFETY: zero is a number; it has no references, no drop and one byte.
unsafe impl Wipeable for Here {}

// SAFETY: the memory is written to before the mark is there, and then only read.
unsafe impl Send for ProcessMark {}
// SAFETY: as above.
unsafe impl Sync for ProcessMark {}

impl ProcessMark {
    /// A mark of this process.
    #[must_use]
    pub fn new() -> Self {
        Self(match WipedOnFork::<Here>::new() {
            Some(mut here) => {
                here.0 = 1;
                Mark::Wiped(here)
            }
            None => Mark::ProcessId(std::process::id()),
        })
    }

    /// Whether it was made in this process, and not before a fork.
    #[inline]
    #[must_use]
    pub fn is_here(&self) -> bool {
        match &self.0 {
            Mark::Wiped(here) => here.0 == 1,
            Mark::ProcessId(id) => *id == std::process::id(),
        }
    }
}

impl Default for ProcessMark {
    fn default() -> Self {
        Self::new()
    }
}

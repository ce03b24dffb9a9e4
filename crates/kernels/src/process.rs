//! [`ProcessMark`]: distinguishes a process from its forked children.

use zeroize::Zeroize;

use crate::page::{Wipeable, WipedOnFork};

/// A mark that is valid only in the process that created it, and not in its forked children.
///
/// A check is one read of memory where the system supports memory that a child sees as zeros. Elsewhere it
/// compares the process id.
pub struct ProcessMark(Mark);

enum Mark {
    Wiped(WipedOnFork<Marker>),
    ProcessId(u32),
}

/// 1 in the process that created it.
struct Marker(u8);

impl Zeroize for Marker {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

// SAFETY: zero is a valid number; the type has no references, no `Drop` and one byte.
unsafe impl Wipeable for Marker {}

// SAFETY: the memory is written before the mark is shared, and then only read.
unsafe impl Send for ProcessMark {}
// SAFETY: as above.
unsafe impl Sync for ProcessMark {}

impl ProcessMark {
    /// Creates a mark of this process.
    #[must_use]
    pub fn new() -> Self {
        Self(match WipedOnFork::<Marker>::new() {
            Some(mut here) => {
                here.0 = 1;
                Mark::Wiped(here)
            }
            None => Mark::ProcessId(std::process::id()),
        })
    }

    /// Whether the mark was created in this process, not before a fork.
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

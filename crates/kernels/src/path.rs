//! [`Path`]: which kernels run.

use std::fmt;

use crate::found;

/// The fastest kind of kernel that may run.
///
/// ```
/// use cortexkey_kernels::Path;
///
/// println!("batches are signed with {}", Path::current());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// No kernel: one message at a time, with the processor's instructions for SHA-256 if there are any.
    Plain,
    /// AVX2 or NEON.
    Vectors,
    /// Instructions for SHA-256, four messages at a time, and AVX2 or NEON.
    Sha,
    /// AVX-512 with VBMI2.
    Avx512,
}

impl Path {
    /// All paths, from the slowest to the fastest.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Vectors, Self::Sha, Self::Avx512];

    /// The path that runs now.
    pub fn current() -> Self {
        match () {
            () if found::has(found::AVX512) => Self::Avx512,
            () if found::has(found::SHA) => Self::Sha,
            () if found::has(found::VECTORS) => Self::Vectors,
            () => Self::Plain,
        }
    }

    /// Lets this process use no faster path from now on, for tests and benchmarks. The path that then
    /// runs is slower if the processor does not support this one.
    pub fn limit(self) {
        let allowed = match self {
            Self::Plain => 0,
            Self::Vectors => found::VECTORS,
            Self::Sha => found::VECTORS | found::SHA,
            Self::Avx512 => u8::MAX,
        };
        found::allow(allowed);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_arm = cfg!(target_arch = "aarch64");
        f.write_str(match self {
            Self::Plain => "no kernel",
            Self::Vectors if is_arm => "NEON",
            Self::Vectors => "AVX2",
            Self::Sha if is_arm => "ARM SHA-256, four streams",
            Self::Sha => "SHA-NI, four streams",
            Self::Avx512 => "AVX-512",
        })
    }
}

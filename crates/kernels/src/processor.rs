//! [`Processor`]: what the processor supports for hashing, for benchmarks to print beside their figures.

use std::fmt;

use crate::path::Path;

/// What the processor supports that makes SHA-256 fast, and what runs.
///
/// ```
/// println!("{}", cortexkey_kernels::Processor::detect());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    sha: bool,
    path: Path,
}

impl Processor {
    /// Detects the features of this processor.
    pub fn detect() -> Self {
        Self { sha: has_sha(), path: Path::current() }
    }

    /// Instructions for SHA-256: SHA-NI, or those of 64-bit ARM.
    pub fn has_sha(self) -> bool {
        self.sha
    }

    /// The kernels that run.
    pub fn path(self) -> Path {
        self.path
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let have = if self.sha { "yes" } else { "no" };
        let arch = std::env::consts::ARCH;
        write!(f, "{arch}, SHA instructions: {have}, kernels: {}", self.path)
    }
}

#[cfg(target_arch = "x86_64")]
fn has_sha() -> bool {
    std::is_x86_feature_detected!("sha") && std::is_x86_feature_detected!("sse4.1")
}

#[cfg(target_arch = "aarch64")]
fn has_sha() -> bool {
    std::arch::is_aarch64_feature_detected!("sha2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn has_sha() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn it_agrees_with_the_kernel() {
        let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else { return };
        if cfg!(target_arch = "x86_64") && text.contains("flags") {
            let has = |flag: &&str| text.split_whitespace().any(|word| word == *flag);
            let processor = Processor::detect();
            assert_eq!(processor.has_sha(), ["sha_ni", "sse4_1"].iter().all(has));
            let avx512 =
                ["avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vbmi2", "popcnt"];
            let expected = match () {
                () if cfg!(cortexkey_portable) => Path::Plain,
                () if avx512.iter().all(has) => Path::Avx512,
                () if ["avx2", "sha_ni"].iter().all(has) => Path::Sha,
                () if has(&"avx2") => Path::Vectors,
                () => Path::Plain,
            };
            assert_eq!(processor.path(), expected);
        }
    }
}

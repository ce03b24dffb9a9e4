//! [`Processor`]: the hashing instructions of the processor, for benchmarks to print beside their
//! figures. Kernels do not use it: proofs such as [`Avx512`](crate::Avx512) let them run.

use std::fmt;

/// What the processor supports that makes SHA-256 fast.
///
/// ```
/// println!("{}", cortexkey_kernels::Processor::detect());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    sha: bool,
    avx512: bool,
}

impl Processor {
    /// Detects the features of this processor.
    pub fn detect() -> Self {
        detect()
    }

    /// Instructions for SHA-256: SHA-NI, or those of 64-bit ARM.
    pub fn has_sha(self) -> bool {
        self.sha
    }

    /// AVX-512 with VBMI2, avx512 enough for sixteen messages at a time; never with
    /// `--cfg cortexkey_portable`.
    pub fn has_avx512(self) -> bool {
        self.avx512
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let have = |has| if has { "yes" } else { "no" };
        let arch = std::env::consts::ARCH;
        write!(f, "{arch}, SHA instructions: {}, ", have(self.sha))?;
        write!(f, "AVX-512 with VBMI2: {}", have(self.avx512))
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Processor {
    use std::is_x86_feature_detected as has;
    Processor { sha: has!("sha") && has!("sse4.1"), avx512: crate::Avx512::detect().is_some() }
}

#[cfg(target_arch = "aarch64")]
fn detect() -> Processor {
    Processor { sha: std::arch::is_aarch64_feature_detected!("sha2"), avx512: false }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn detect() -> Processor {
    Processor { sha: false, avx512: false }
}

#[cfg(test)]
mod tests {
    use super::Processor;

    #[test]
    #[cfg(target_os = "linux")]
    fn it_agrees_with_the_kernel() {
        let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else { return };
        if cfg!(target_arch = "x86_64") && text.contains("flags") {
            let has = |flag| text.split_whitespace().any(|word| word == flag);
            assert_eq!(Processor::detect().has_sha(), has("sha_ni") && has("sse4_1"));
            let flags = ["avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vbmi2", "popcnt"];
            let is_enabled = cfg!(not(cortexkey_portable));
            assert_eq!(Processor::detect().has_avx512(), is_enabled && flags.into_iter().all(has));
        }
    }
}

//! [`Processor`]: which hashing instructions there are. A figure without its processor says little,
//! so benchmarks print it beside theirs.
//!
//! It refuses to be asked by the kernels themselves: what lets them run is [`Wide`](crate::Wide).

use std::fmt;

/// What the processor has that makes SHA-256 fast.
///
/// ```
/// println!("{}", cortexkey_kernels::Processor::detect());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    sha: bool,
    wide: bool,
}

impl Processor {
    /// Looks at the processor that runs this.
    pub fn detect() -> Self {
        detect()
    }

    /// Instructions for SHA-256 itself: SHA-NI, or the like on 64-bit ARM.
    pub fn has_sha(self) -> bool {
        self.sha
    }

    /// AVX-512 with VBMI2, wide enough for sixteen messages at a time; never with
    /// `--cfg cortexkey_portable`.
    pub fn has_wide(self) -> bool {
        self.wide
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let have = |has| if has { "yes" } else { "no" };
        let arch = std::env::consts::ARCH;
        write!(f, "{arch}, SHA instructions: {}, ", have(self.sha))?;
        write!(f, "AVX-512 with VBMI2: {}", have(self.wide))
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Processor {
    use std::is_x86_feature_detected as has;
    Processor { sha: has!("sha") && has!("sse4.1"), wide: crate::Wide::detect().is_some() }
}

#[cfg(target_arch = "aarch64")]
fn detect() -> Processor {
    Processor { sha: std::arch::is_aarch64_feature_detected!("sha2"), wide: false }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn detect() -> Processor {
    Processor { sha: false, wide: false }
}

#[cfg(test)]
mod tests {
    use super::Processor;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_says_the_same() {
        let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else { return };
        if cfg!(target_arch = "x86_64") && text.contains("flags") {
            let has = |flag| text.split_whitespace().any(|word| word == flag);
            assert_eq!(Processor::detect().has_sha(), has("sha_ni") && has("sse4_1"));
            let flags = ["avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vbmi2", "popcnt"];
            let is_shown = cfg!(not(cortexkey_portable));
            assert_eq!(Processor::detect().has_wide(), is_shown && flags.into_iter().all(has));
        }
    }
}

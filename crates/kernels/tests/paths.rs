//! Every path can be selected, and no path runs that the processor does not support.

use cortexkey_kernels::{Hasher, LANES, NonceKernel, Path, are_alphanumeric};

/// One test, because the choice applies to the whole process.
#[test]
fn no_kernel_runs_above_the_allowed_level() {
    let fastest = Path::current();
    for path in Path::ALL {
        path.limit();
        assert_eq!(Path::current(), path.min(fastest), "{path}");
        let has_kernels = Path::current() > Path::Plain;
        assert_eq!(Hasher::for_messages(LANES).is_some(), has_kernels && hashes(), "{path}");
        assert_eq!(are_alphanumeric(&[b'a'; 64]).is_some(), has_kernels, "{path}");
        let has_nonces = has_kernels && cfg!(target_arch = "x86_64");
        assert_eq!(NonceKernel::detect().is_some(), has_nonces, "{path}");
    }
    assert_eq!(Path::current(), fastest);
}

/// NEON without the SHA-256 instructions hashes one message after another.
fn hashes() -> bool {
    cfg!(target_arch = "x86_64") || Path::current() > Path::Vectors
}

//! The paths that this processor supports, and hashing alone with each.

use std::hint::black_box;

use cortexkey_kernels::{Hasher, LANES, Lanes, Path};

use crate::measure::Case;

/// The paths that this processor supports, from the fastest to the slowest.
pub(super) fn paths() -> impl Iterator<Item = Path> {
    Path::Avx512.limit();
    let fastest = Path::current();
    Path::ALL.into_iter().rev().filter(move |path| *path <= fastest)
}

/// The minimum of a batch of requests: their two blocks, hashed with each kernel.
pub(super) fn hashing_alone() -> Vec<Case<'static>> {
    let hashers: Vec<_> = paths()
        .filter_map(|path| {
            path.limit();
            Some((path, Hasher::for_messages(LANES)?))
        })
        .collect();
    Path::Avx512.limit();
    let case = |(path, hasher)| {
        Case::new(format!("floor: two blocks each, {path}"), move || {
            let blocks = black_box([[7; 64]; LANES]);
            let mut lanes = Lanes::new(hasher, LANES);
            lanes.set_states(&[1; 8]);
            lanes.compress_each(&blocks.each_ref(), u32::MAX);
            lanes.compress_each(&blocks.each_ref(), u32::MAX);
            lanes.check(&blocks.each_ref(), &mut [[0; 8]; LANES])
        })
        .of(LANES as u64)
    };
    hashers.into_iter().map(case).collect()
}

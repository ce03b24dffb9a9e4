//! Keystream of ChaCha20 for the generator, by the widest kernel.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

#[cfg(target_arch = "x86_64")]
use crate::{
    avx2::{self, Avx2},
    avx512::{self, Avx512},
};

pub(crate) const KEY_BYTES: usize = 32;
/// The length of a run.
pub(crate) const RUN_BYTES: usize = 3 * 1024;

/// Three kilobytes of keystream. All kernels produce the same bytes, but in different orders.
pub(crate) fn keystream(key: &[u8; KEY_BYTES], run: &mut [u8; RUN_BYTES]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = Avx512::detect() {
        return by_kernel(run, |counter, part| {
            avx512::chacha20::keystream(proof, key, counter, part);
        });
    } else if let Some(proof) = Avx2::detect() {
        return by_kernel(run, |counter, part| {
            avx2::chacha20::keystream(proof, key, counter, part);
        });
    }
    ChaCha20Rng::from_seed(*key).fill_bytes(run);
}

/// Fills a run with calls of a kernel that makes sixteen blocks.
#[cfg(target_arch = "x86_64")]
fn by_kernel(run: &mut [u8; RUN_BYTES], mut kernel: impl FnMut(u32, &mut [u8; 1024])) {
    for (part, counter) in run.as_chunks_mut().0.iter_mut().zip((0..).step_by(16)) {
        kernel(counter, part);
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy)]
    enum Kernel {
        Avx512(Avx512),
        Avx2(Avx2),
    }

    fn kernels() -> Vec<Kernel> {
        let avx512 = Avx512::detect().map(Kernel::Avx512);
        avx512.into_iter().chain(Avx2::detect().map(Kernel::Avx2)).collect()
    }

    /// The sixteen blocks of a kernel, one after another.
    fn in_order(kernel: Kernel, key: &[u8; KEY_BYTES], counter: u32) -> [[u8; 64]; 16] {
        let mut run = [0; 1024];
        let lanes = match kernel {
            Kernel::Avx512(proof) => {
                avx512::chacha20::keystream(proof, key, counter, &mut run);
                16
            }
            Kernel::Avx2(proof) => {
                avx2::chacha20::keystream(proof, key, counter, &mut run);
                8
            }
        };
        let mut blocks = [[0; 64]; 16];
        for (i, word) in run.as_chunks::<4>().0.iter().enumerate() {
            let set = i / (16 * lanes);
            let place = i / lanes % 16;
            let lane = i % lanes;
            blocks[set * lanes + lane][4 * place..4 * place + 4].copy_from_slice(word);
        }
        blocks
    }

    /// RFC 8439, appendix A.1, test vectors 1 to 4: those without a nonce.
    #[test]
    fn chacha20_matches_the_rfc_vectors() {
        let mut last_is_one = [0; 32];
        last_is_one[31] = 1;
        let mut second_is_ff = [0; 32];
        second_is_ff[1] = 0xff;
        for (key, counter, expected) in [
            (
                [0; 32],
                0,
                "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
                 da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
            ),
            (
                [0; 32],
                1,
                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
                 29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
            ),
            (
                last_is_one,
                1,
                "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a\
                 8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
            ),
            (
                second_is_ff,
                2,
                "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca\
                 13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
            ),
        ] {
            for kernel in kernels() {
                let blocks = in_order(kernel, &key, counter);
                assert_eq!(hex::encode(blocks[0]), expected, "counter {counter}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_matches_the_chacha20_crate(key: [u8; 32], runs in 0..4_u32) {
            let mut rng = ChaCha20Rng::from_seed(key);
            for run in 0..=runs {
                let mut expected = [0; 1024];
                rng.fill_bytes(&mut expected);
                for kernel in kernels() {
                    let blocks = in_order(kernel, &key, 16 * run);
                    prop_assert_eq!(blocks.as_flattened(), expected.as_slice());
                }
            }
        }
    }
}

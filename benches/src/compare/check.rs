//! What must not decay: ratios that held in every run, with room for a noisy machine.
//!
//! It refuses absolute times.

use super::Comparison;
use super::cases::{LOCKED_MAP, NAIVE_A, TYPICAL};

/// A ratio under which nothing may fall: of a group, how many times as long as ours a peer takes.
struct Floor {
    group: &'static str,
    peer: &'static str,
    /// Where the processor has AVX-512 with VBMI2, and where it has not.
    at_least: (f64, f64),
}

/// Half of what is usual, so that no busy machine falls under it, and a lost optimization does.
const FLOORS: [Floor; 7] = [
    Floor { group: "sign one", peer: NAIVE_A, at_least: (2.0, 1.5) },
    Floor { group: "sign 64", peer: NAIVE_A, at_least: (5.0, 2.5) },
    Floor { group: "sign 1,024", peer: NAIVE_A, at_least: (5.5, 2.5) },
    Floor { group: "verify one", peer: TYPICAL, at_least: (1.7, 1.7) },
    Floor { group: "verify 256", peer: TYPICAL, at_least: (2.2, 1.8) },
    Floor { group: "replay guard, insert at a million", peer: LOCKED_MAP, at_least: (8.0, 8.0) },
    Floor { group: "hexadecimal of a digest", peer: "hex::encode", at_least: (10.0, 10.0) },
];

/// The most that another length of key may cost, over one of 128.
const KEY_LENGTH_MAX: f64 = 1.6;

/// What has decayed, a line each; nothing where all is well.
#[must_use]
pub fn check(comparison: &Comparison) -> Vec<String> {
    let has_avx512 = cortexkey_kernels::Path::current() == cortexkey_kernels::Path::Avx512;
    let mut decayed = Vec::new();
    for Floor { group, peer, at_least } in FLOORS {
        let floor = if has_avx512 { at_least.0 } else { at_least.1 };
        let ratio = comparison.group(group).and_then(|group| group.row(peer)?.ratio);
        match ratio {
            Some(ratio) if ratio.median >= floor => {}
            Some(ratio) => decayed.push(format!(
                "{group}: {:.2} times as fast as {peer}; it was {floor} at least",
                ratio.median
            )),
            None => decayed.push(format!("{group}: was not measured against {peer}")),
        }
    }
    for row in comparison.group("sign 256, by length of key").iter().flat_map(|group| &group.rows) {
        if let Some(ratio) = row.ratio.filter(|ratio| ratio.median > KEY_LENGTH_MAX) {
            let (name, ratio) = (&row.name, ratio.median);
            decayed.push(format!(
                "{name} costs {ratio:.2} times one of 128; {KEY_LENGTH_MAX} at most"
            ));
        }
    }
    decayed
}

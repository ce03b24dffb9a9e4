//! Checks that ratios do not fall, with a margin for noisy machines. Absolute times are not
//! checked.

use cortexkey_kernels::Path;

use super::cases::{KEY_LENGTHS, LOCKED_MAP, NAIVE_A, TYPICAL};
use super::{Comparison, by_path};

/// The minimum of a ratio: the peer's time divided by ours.
struct Floor {
    group: &'static str,
    peer: &'static str,
    /// With AVX-512 and VBMI2, and without.
    at_least: (f64, f64),
}

/// Half of the usual ratio: a busy machine stays above it, a lost optimization does not.
const FLOORS: [Floor; 7] = [
    Floor { group: "sign one", peer: NAIVE_A, at_least: (2.0, 1.5) },
    Floor { group: "sign 64", peer: NAIVE_A, at_least: (5.0, 2.5) },
    Floor { group: "sign 1,024", peer: NAIVE_A, at_least: (5.5, 2.5) },
    Floor { group: "verify one", peer: TYPICAL, at_least: (1.7, 1.7) },
    Floor { group: "verify 256", peer: TYPICAL, at_least: (2.2, 1.8) },
    Floor { group: "replay guard, insert at a million", peer: LOCKED_MAP, at_least: (8.0, 8.0) },
    Floor { group: "hexadecimal of a digest", peer: "hex::encode", at_least: (10.0, 10.0) },
];

/// The largest cost of another key length, relative to 128.
const KEY_LENGTH_MAX: f64 = 1.6;

/// The ratios that have fallen, one per line.
#[must_use]
pub fn check(comparison: &Comparison) -> Vec<String> {
    let has_avx512 = Path::current() == Path::Avx512;
    let mut decayed = check_paths(comparison);
    for Floor { group, peer, at_least } in FLOORS {
        let floor = if has_avx512 { at_least.0 } else { at_least.1 };
        let ratio = comparison.group(group).and_then(|group| group.row(peer)?.ratio);
        match ratio {
            Some(ratio) if ratio.median >= floor => {}
            Some(ratio) => decayed.push(format!(
                "{group}: {:.2} times as fast as {peer}; expected at least {floor}",
                ratio.median
            )),
            None => decayed.push(format!("{group}: was not measured against {peer}")),
        }
    }
    for row in comparison.group(KEY_LENGTHS).iter().flat_map(|group| &group.rows) {
        if let Some(ratio) = row.ratio.filter(|ratio| ratio.median > KEY_LENGTH_MAX) {
            let name = &row.name;
            let ratio = ratio.median;
            decayed.push(format!(
                "{name} takes {ratio:.2} times as long as 128; expected at most {KEY_LENGTH_MAX}"
            ));
        }
    }
    decayed
}

/// Half of the usual ratio of a path over its peer.
const PATH_FLOORS: [(&str, Path, f64); 6] = [
    ("sign 1,024", Path::Avx512, 7.0),
    ("sign 1,024", Path::Sha, 3.8),
    ("sign 1,024", Path::Vectors, 2.2),
    ("verify 256", Path::Avx512, 3.1),
    ("verify 256", Path::Sha, 2.2),
    ("verify one", Path::Sha, 1.7),
];

/// The paths that have become slow, one per line. Paths that this processor does not support are
/// skipped.
fn check_paths(comparison: &Comparison) -> Vec<String> {
    let times = |(name, path, floor): (&str, Path, f64)| {
        let times = comparison.group(&by_path(name))?.times_of_peer(&path.to_string())?;
        (times < floor).then(|| {
            format!(
                "{name}, {path}: {times:.2} times as fast as the peer; at least {floor} expected"
            )
        })
    };
    PATH_FLOORS.into_iter().filter_map(times).collect()
}

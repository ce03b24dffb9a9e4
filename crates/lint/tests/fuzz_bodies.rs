//! Runs the bodies of the fuzz targets over their corpora and over mutations of them.
//!
//! `CORTEXKEY_MUTATIONS` sets the number of mutations for each target; the campaign uses more than
//! the gate.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

#[path = "../../../fuzz/bodies/linter.rs"]
mod bodies;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// Strings with a meaning for the readers.
const PIECES: [&str; 44] = [
    "\n",
    " ",
    ": ",
    "- ",
    "#",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!t ",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "? ",
    "<<: *a\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{a0}",
    "\u{202e}",
    "é",
    "𝄞",
    "never",
    "90d",
    "9000d",
    "2020-01-01",
    "standard",
    "mode: all",
    "unreferenced: true",
    "  token: s3cr3tw0rd\n",
    "viewer",
    "Old",
    "no",
    "017",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "# cortexkey: ignore[E003] reason=\"x\" until=2026-02-01\n",
];

/// A small generator: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn mutate(base: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = base.to_vec();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 => {
                let end = (at + numbers.below(12)).min(bytes.len());
                bytes.drain(at..end);
            }
            1 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            2 => {
                let end = (at + numbers.below(40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

fn wanted() -> usize {
    let said = std::env::var("CORTEXKEY_MUTATIONS").ok();
    said.and_then(|count| count.parse().ok()).unwrap_or(200)
}

#[test]
fn every_fuzz_target_passes_on_its_corpus_and_mutations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, body) in bodies::BODIES {
        let mut corpus: Vec<Vec<u8>> = fs::read_dir(root.join(format!("lint_{name}")))
            .unwrap()
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        corpus.sort();
        assert!(corpus.len() > 4, "{name}");
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        // Fixing has the most properties to check.
        let count = if name == "fix" { 5 * wanted() } else { wanted() };
        let mutated = (0..count).map(|_| {
            let base = numbers.below(corpus.len());
            mutate(&corpus[base], &mut numbers)
        });
        for input in corpus.iter().cloned().chain(mutated) {
            let held = catch_unwind(|| body(&input));
            assert!(held.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&input));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn mutated_documents_take_little_memory() {
    let peak = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    // The other test of this program runs at the same time and counts too.
    let deep = "[".repeat(20_000);
    let wide = "a: b\n".repeat(4000);
    for input in [deep.as_str(), wide.as_str(), &"- ".repeat(9000), &"{a: ".repeat(5000)] {
        bodies::reader(input.as_bytes());
    }
    assert!(peak() < 64 * 1024, "{} kB", peak());
}

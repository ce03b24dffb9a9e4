//! One file with very many keys, with raised limits: each key is checked, in memory that is a small
//! multiple of the file.
//!
//! `CORTEXKEY_KEYS` sets the number of keys; the campaign uses more than the gate.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use common::{HEAD, code, folder, key, lint_with};
use cortexkey_manifest::yaml::YamlLimits;

/// Bytes of memory per byte of the file.
const TIMES_MAX: usize = 20;

/// The memory of the test program itself.
const PROGRAM_BYTES: usize = 16 << 20;

#[test]
fn a_large_file_takes_less_than_20_times_its_size() {
    let said = std::env::var("CORTEXKEY_KEYS").ok();
    let wanted: usize = said.and_then(|count| count.parse().ok()).unwrap_or(1000);
    let policy = format!("{HEAD}keys: [all.yaml]\nrules: {{ N002: {{ enabled: false }} }}\n");
    // Mistakes at both ends and in the middle, and a repeated name at the very end.
    let wrong = [0, wanted / 2, wanted - 2];
    let mut text = String::new();
    for number in 0..wanted {
        let name = if number == wanted - 1 { 1 } else { number };
        let key = key(&format!("svc-{name:06}"));
        let level = if wrong.contains(&number) { "standard" } else { "advanced" };
        text += "---\n";
        text += &key.replace("advanced", level);
    }
    let folder = folder(&[("cortexkey.yaml", &policy), ("all.yaml", &text)]);
    let size = text.len();
    drop(text);
    let start = Instant::now();
    let limits =
        YamlLimits { bytes: 1 << 30, nodes: 1 << 30, documents: 1 << 30, ..YamlLimits::default() };
    let outcome = lint_with(folder.path(), &[], |options| options.limits = limits);
    let time = start.elapsed();
    let report = outcome.report.as_ref().unwrap();
    let about =
        |code: &str| report.findings.iter().filter(|found| found.rule.code() == code).count();
    assert_eq!((code(&outcome), report.summary.keys), (1, wanted));
    assert_eq!((about("L001"), about("C001")), (3, 1));
    let Some(peak) = peak_bytes() else { return };
    println!("{size} bytes in {time:?}, at most {peak} bytes of memory");
    assert!(peak < PROGRAM_BYTES + TIMES_MAX * size, "{peak} bytes for {size}");
}

/// The peak memory of this process.
fn peak_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kilobytes| kilobytes * 1024)
}

//! `cargo xtask speed-abi`: the times of calls from C and from Go, compared with the sequence of
//! calls in the vendor's Go SDK, and the effect of a second thread on verifying; two tables in
//! Markdown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::installed::Installed;
use crate::run::{cargo, check, target_dir};

const PEER: &str = "BenchmarkPeerSDKSequence";
const TURNS: usize = 7;

/// Measures and prints.
pub(crate) fn run(root: &Path, installed: &Installed) -> Result<(), String> {
    let program = program(root, installed)?;
    let cgo = test_binary(
        root,
        installed,
        "cgo.test",
        "1",
        &["-tags", "cortexkey_cgo,cortexkey_static"],
    )?;
    let pure = test_binary(root, installed, "pure.test", "0", &[])?;
    let mut rows: Vec<(String, f64)> = Vec::new();
    for line in check(&mut Command::new(program))?.lines() {
        if let Some((name, ns)) = line.split_once('\t') {
            rows.push((name.to_owned(), ns.parse().unwrap_or(f64::NAN)));
        }
    }
    // Interleaved, so that a slow moment affects all of them.
    let mut printed = [String::new(), String::new()];
    for _ in 0..TURNS {
        for (printed, binary) in printed.iter_mut().zip([&cgo, &pure]) {
            let mut bench = Command::new(binary);
            bench.args(["-test.run", "^$", "-test.bench", "Peer|Sign|Verify"]);
            bench.args(["-test.benchtime", "200ms"]).current_dir(root.join("go"));
            *printed += &check(&mut bench)?;
        }
    }
    // Each binary contains the peer; all are compared with the median of them.
    let peer = medians(&printed.concat()).remove(PEER).unwrap_or(f64::NAN);
    for (backend, printed) in ["Go, library", "Go, pure"].into_iter().zip(&printed) {
        for (name, ns) in medians(printed).into_iter().filter(|(name, _)| name != PEER) {
            rows.push((format!("{backend}: {}", name.trim_start_matches("Benchmark")), ns));
        }
    }
    println!("| what | ns | the SDK's sequence takes times as long |\n|---|---|---|");
    println!("| the vendor's Go SDK's sequence | {peer:.0} | 1.0 |");
    for (name, ns) in rows {
        println!("| {name} | {ns:.1} | {:.1} |", peer / ns);
    }
    scaling(root, installed)
}

/// Two threads compared with one.
fn scaling(root: &Path, installed: &Installed) -> Result<(), String> {
    let program = installed.work.join("scaling");
    let mut link = Command::new("gcc");
    link.args(["-std=c99", "-D_GNU_SOURCE", "-O2"]);
    link.arg(root.join("crates/capi/tests/c/scaling.c"));
    link.args(installed.flags("cortexkey-static")?).arg("-lpthread");
    check(link.arg("-o").arg(&program))?;
    println!("\n| what | one thread, ns | two threads, ns each | times the rate of one |");
    println!("|---|---|---|---|");
    for line in check(&mut Command::new(program))?.lines() {
        println!("| {} |", line.replace('\t', " | "));
    }
    Ok(())
}

/// The calls from C, and the same work by a Rust program: in one process, one after another.
fn program(root: &Path, installed: &Installed) -> Result<PathBuf, String> {
    let target = target_dir(root).join("direct");
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "--release", "--manifest-path"]);
    build.arg(root.join("crates/capi/direct/Cargo.toml"));
    check(build.env("CARGO_TARGET_DIR", &target))?;
    let program = installed.work.join("speed");
    let mut link = Command::new("gcc");
    link.args(["-std=c99", "-D_GNU_SOURCE", "-O2"]).arg(root.join("crates/capi/tests/c/speed.c"));
    link.args(installed.flags("cortexkey-static")?);
    link.arg(target.join("release/libcortexkey_direct.a")).args(["-lm", "-lgcc_s", "-lc"]);
    check(link.arg("-o").arg(&program))?;
    Ok(program)
}

/// A test binary, so that nothing is compiled between measurements.
fn test_binary(
    root: &Path,
    installed: &Installed,
    name: &str,
    cgo: &str,
    flags: &[&str],
) -> Result<PathBuf, String> {
    let binary = installed.work.join(name);
    let mut test = installed.go(root, "test", cgo);
    check(test.arg("-c").args(flags).arg("-o").arg(&binary).arg("."))?;
    Ok(binary)
}

/// The median of each benchmark; of batches, for each signature.
fn medians(output: &str) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in output.lines().filter(|line| line.starts_with("Benchmark")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.first().map_or("", |name| name.split('-').next().unwrap_or(name));
        let of = |unit: &str| {
            let at = words.iter().position(|word| *word == unit)?;
            words.get(at.checked_sub(1)?)?.parse::<f64>().ok()
        };
        all.entry(name.to_owned()).or_default().extend(of("ns/signature").or_else(|| of("ns/op")));
    }
    let middle = |(name, mut figures): (String, Vec<f64>)| {
        figures.sort_by(f64::total_cmp);
        Some((name, *figures.get(figures.len() / 2)?))
    };
    all.into_iter().filter_map(middle).collect()
}

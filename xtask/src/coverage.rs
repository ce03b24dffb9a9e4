//! `cargo xtask coverage`: which share of each crate's lines the tests reach, as a table.
//!
//! Lines of tests, benchmarks and tools do not count. Other programs that the tests start, the command among
//! them, count where they are built with the same instrumentation.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::{check, target_dir};
use crate::tools;

/// The crates that are measured.
const CRATES: [&str; 10] =
    ["api", "capi", "cli", "client", "core", "kernels", "lint", "manifest", "system", "tenant"];

/// Lines of a crate: all, and those that were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    all: u64,
    reached: u64,
}

impl Lines {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a crate has fewer lines than a float is exact for"
    )]
    fn percent(self) -> f64 {
        if self.all == 0 { 0.0 } else { 100.0 * self.reached as f64 / self.all as f64 }
    }
}

/// Runs the tests and prints the shares; fails where a crate was not measured.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    check(Command::new("rustup").args(["component", "add", "llvm-tools"]))?;
    let program = tools::environment(root, "campaign")?.join("cargo-llvm-cov");
    let mut tests = Command::new(program);
    tests.args(["llvm-cov", "--locked", "--workspace", "--exclude", "cortexkey-fuzz"]);
    tests.args([
        "--exclude",
        "cortexkey-benches",
        "--exclude",
        "xtask",
        "--json",
        "--summary-only",
    ]);
    // A test that fails is the gate's to report; what it reached counts.
    tests.args(["--ignore-run-fail", "--ignore-filename-regex", "/tests?(/|\\.rs)"]);
    tests.env("CARGO_TARGET_DIR", target_dir(root).join("coverage")).current_dir(root);
    let report = check(&mut tests)?;
    let report: Value =
        serde_json::from_str(&report).map_err(|error| format!("cargo llvm-cov: {error}"))?;
    print(&by_crate(root, &report))
}

fn by_crate(root: &Path, report: &Value) -> BTreeMap<String, Lines> {
    let mut crates = BTreeMap::<String, Lines>::new();
    let files = report["data"][0]["files"].as_array().into_iter().flatten();
    for file in files {
        let name = Path::new(file["filename"].as_str().unwrap_or_default());
        let Ok(inside) = name.strip_prefix(root.join("crates")) else { continue };
        let Some(of) = inside.iter().next().map(|part| part.to_string_lossy().into_owned()) else {
            continue;
        };
        let lines = crates.entry(of).or_default();
        lines.all += file["summary"]["lines"]["count"].as_u64().unwrap_or(0);
        lines.reached += file["summary"]["lines"]["covered"].as_u64().unwrap_or(0);
    }
    crates
}

fn print(crates: &BTreeMap<String, Lines>) -> Result<(), String> {
    println!("| crate | lines | reached |\n|---|---|---|");
    for (name, lines) in crates {
        println!("| {name} | {} | {:.1} % |", lines.all, lines.percent());
    }
    let missing: Vec<_> =
        CRATES.iter().filter(|name| !crates.contains_key(**name)).copied().collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("not measured: {}", missing.join(", "))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_that_was_not_measured_is_an_error() {
        let all = || CRATES.iter().map(|name| ((*name).to_owned(), Lines::default()));
        print(&all().collect()).unwrap();
        print(&all().skip(1).collect()).unwrap_err();
    }

    #[test]
    fn files_count_for_their_crate() {
        let root = Path::new("/r");
        let file = |name: &str, covered: u64| json!({ "filename": name, "summary": { "lines": { "count": 10, "covered": covered } } });
        let files = [
            file("/r/crates/core/src/a.rs", 9),
            file("/r/crates/core/src/b.rs", 5),
            file("/r/xtask/src/main.rs", 1),
            file("/elsewhere/c.rs", 1),
        ];
        let crates = by_crate(root, &json!({ "data": [{ "files": files }] }));
        assert_eq!(crates, BTreeMap::from([("core".into(), Lines { all: 20, reached: 14 })]));
        assert!((crates["core"].percent() - 70.0).abs() < 1e-9);
    }
}

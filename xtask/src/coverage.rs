//! `cargo xtask coverage`: which share of each crate's lines the tests reach, and whether it is at least the
//! crate's floor.
//!
//! Lines of tests, benchmarks and tools do not count. Other programs that the tests start, the command among
//! them, count where they are built with the same instrumentation.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::{check, target_dir};
use crate::tools;

/// The least share of lines, in percent: some two points under what was measured last, which
/// `docs/assurance.md` records. It goes up with the tests, and down with a reason.
const FLOORS: [(&str, f64); 10] = [
    ("api", 0.0),
    ("capi", 0.0),
    ("cli", 0.0),
    ("client", 0.0),
    ("core", 0.0),
    ("kernels", 0.0),
    ("lint", 0.0),
    ("manifest", 0.0),
    ("system", 0.0),
    ("tenant", 0.0),
];

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

/// Runs the tests, prints the shares, and fails where one is under its floor.
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
    against_floors(&by_crate(root, &report))
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

fn against_floors(crates: &BTreeMap<String, Lines>) -> Result<(), String> {
    let mut problems = Vec::new();
    println!("| crate | lines | reached | floor |\n|---|---|---|---|");
    for (name, lines) in crates {
        let percent = lines.percent();
        let floor = FLOORS.iter().find(|(of, _)| of == name).map(|(_, floor)| *floor);
        println!("| {name} | {} | {percent:.1} % | {:.0} % |", lines.all, floor.unwrap_or(100.0));
        match floor {
            Some(floor) if percent >= floor => {}
            Some(floor) => problems.push(format!("{name}: {percent:.1} %, the floor is {floor} %")),
            None => {
                problems.push(format!("{name}: has no floor; add one to xtask/src/coverage.rs"));
            }
        }
    }
    let unmeasured = FLOORS.iter().filter(|(name, _)| !crates.contains_key(*name));
    problems.extend(unmeasured.map(|(name, _)| format!("{name}: was not measured")));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_under_its_floor_without_one_or_unmeasured_fails() {
        let lines = |reached| Lines { all: 100, reached };
        let mut crates: BTreeMap<_, _> =
            FLOORS.iter().map(|(name, _)| ((*name).to_owned(), lines(100))).collect();
        against_floors(&crates).unwrap();
        crates.insert("another".into(), lines(100));
        against_floors(&crates).unwrap_err();
        crates.remove("another");
        crates.remove("core");
        against_floors(&crates).unwrap_err();
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

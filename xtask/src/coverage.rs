//! `cargo xtask coverage`: which share of each crate's lines the tests reach, as a table, and whether
//! it is at least the crate's floor.
//!
//! Lines of tests, benchmarks and tools do not count. Other programs that the tests start, the command among
//! them, count where they are built with the same instrumentation.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::{check, target_dir};
use crate::tools;

/// The crates that are measured, and the percentage of lines below which `--check` fails.
const FLOORS: [(&str, f64); 14] = [
    ("api", 96.0),
    ("capi", 94.0),
    ("cli", 87.0),
    ("client", 92.0),
    ("console", 90.0),
    ("core", 94.0),
    ("fleet", 92.0),
    ("kernels", 92.0),
    ("lint", 94.0),
    ("lsp", 90.0),
    ("manifest", 95.0),
    ("proxy", 80.0),
    ("system", 94.0),
    ("tenant", 96.0),
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

/// Runs the tests and prints the shares; an error where a crate was not measured, or is below its
/// floor.
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
    println!("| crate | lines | reached | floor |\n|---|---|---|---|");
    let mut problems = Vec::new();
    for (name, floor) in FLOORS {
        let Some(lines) = crates.get(name) else {
            problems.push(format!("{name} was not measured"));
            continue;
        };
        let percent = lines.percent();
        println!("| {name} | {} | {percent:.1} % | {floor:.0} % |", lines.all);
        if percent < floor {
            problems
                .push(format!("{name} has {percent:.1} %, and at least {floor:.0} % is expected"));
        }
    }
    let has_floor = |name: &String| FLOORS.iter().any(|(known, _)| known == name);
    problems.extend(
        crates.keys().filter(|name| !has_floor(name)).map(|name| format!("{name} has no floor")),
    );
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_unmeasured_unknown_or_below_its_floor_is_an_error() {
        let covered = Lines { all: 100, reached: 100 };
        let all = || FLOORS.iter().map(|(name, _)| ((*name).to_owned(), covered));
        print(&all().collect()).unwrap();
        print(&all().skip(1).collect()).unwrap_err();
        print(&all().chain([("new".to_owned(), covered)]).collect()).unwrap_err();
        let (name, floor) = FLOORS.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let mut low = all().collect::<BTreeMap<_, _>>();
        low.insert((*name).to_owned(), Lines { all: 100, reached: 0 });
        assert_eq!(print(&low).is_err(), *floor > 0.0);
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

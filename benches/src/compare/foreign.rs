//! The peers in other languages: each is a program that measures itself on the same processor. A missing
//! language is listed as skipped.

#![allow(clippy::disallowed_methods, reason = "a benchmark starts its peers")]

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::{Figure, Group, Row, folder};
use crate::measure::Median;

/// A line of such a program's output.
#[derive(Deserialize)]
struct Printed {
    name: String,
    version: String,
    ns: Vec<f64>,
}

/// Adds their results to the group "sign one", and a group for Go.
pub(super) fn add(
    groups: &mut Vec<Group>,
    versions: &mut Vec<(String, String)>,
    skipped: &mut Vec<String>,
) {
    for (language, program) in
        [("C", openssl as fn() -> Result<Command, String>), ("Node", node), ("Python", python)]
    {
        match program().and_then(|mut command| printed(&mut command)) {
            Ok(all) => {
                if let Some(first) = all.first() {
                    versions.push((language.into(), first.version.clone()));
                }
                if let Some(group) = groups.first_mut() {
                    for one in &all {
                        join(group, one);
                    }
                }
            }
            Err(why) => skipped.push(format!("{language}: {}", why.trim())),
        }
    }
    match go() {
        Ok((version, rows)) => {
            versions.push(("Go".into(), version));
            if let Some(group) = groups.first_mut() {
                rows.iter()
                    .filter(|row| row.name.starts_with("Go:"))
                    .for_each(|row| join(group, row));
            }
            let mut group = Group { name: "sign from Go".into(), rows: Vec::new() };
            for row in &rows {
                join(&mut group, row);
            }
            groups.push(group);
        }
        Err(why) => skipped.push(format!("Go: {}", why.trim())),
    }
}

/// Adds a row, with its ratio to the first. The two were not interleaved, so the intervals mean
/// less.
fn join(group: &mut Group, printed: &Printed) {
    let ns = Figure::from(Median::of(&printed.ns));
    let ratio = group.rows.first().map(|first| Figure {
        median: ns.median / first.ns.median,
        low: ns.low / first.ns.high,
        high: ns.high / first.ns.low,
        spread: ns.spread / first.ns.median,
    });
    group.rows.push(Row { name: printed.name.clone(), ns, ratio });
}

fn printed(command: &mut Command) -> Result<Vec<Printed>, String> {
    let output = output(command)?;
    let lines = output.lines().map(|line| serde_json::from_str(line).map_err(|e| e.to_string()));
    lines.collect()
}

fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn openssl() -> Result<Command, String> {
    let program = std::env::temp_dir().join(format!("cortexkey-openssl-{}", std::process::id()));
    let mut compile = Command::new("cc");
    compile.args(["-O2", "-o"]).arg(&program).arg(folder().join("peers/openssl.c")).arg("-lcrypto");
    output(&mut compile)?;
    // It is loaded into memory when it starts, and may be removed afterwards.
    let mut run = Command::new("sh");
    run.args(["-c", "\"$1\"; code=$?; rm -f \"$1\"; exit $code", "sh"]).arg(program);
    Ok(run)
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every program")]
fn node() -> Result<Command, String> {
    Ok(script("node", &folder().join("peers/node.mjs")))
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every program")]
fn python() -> Result<Command, String> {
    Ok(script("python3", &folder().join("peers/python.py")))
}

fn script(program: &str, file: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(file);
    command
}

/// Go's own benchmarks: ours, pure and over the library, and the peers.
fn go() -> Result<(String, Vec<Printed>), String> {
    let version = output(Command::new("go").args(["env", "GOVERSION"]))?.trim().to_owned();
    let mut rows = Vec::new();
    for (tags, names) in [
        (
            "",
            &[
                ("BenchmarkSign", "cortexkey for Go, pure", 1.0),
                ("BenchmarkSignBatch64", "cortexkey for Go, pure, in batches of 64", 64.0),
                ("BenchmarkPeerSDKSequence", "Go: the vendor's SDK's sequence of calls", 1.0),
                ("BenchmarkPeerTight", "Go: tight, without allocation", 1.0),
            ][..],
        ),
        (
            "cortexkey_cgo,cortexkey_static",
            &[
                ("BenchmarkSign", "cortexkey for Go, over the C library", 1.0),
                (
                    "BenchmarkSignBatch64",
                    "cortexkey for Go, over the C library, in batches of 64",
                    64.0,
                ),
            ][..],
        ),
    ] {
        let mut test = Command::new("go");
        test.args(["test", "-run", "^$", "-bench", "^Benchmark(Sign|SignBatch64|Peer.*)$"]);
        test.args(["-count", "21", "-benchtime", "30ms", "-cpu", "1", "-tags", tags, "."]);
        test.current_dir(folder().join("../go"));
        match output(&mut test) {
            Ok(printed) => rows.extend(names.iter().filter_map(|(benchmark, name, operations)| {
                let ns = figures(&printed, benchmark, *operations);
                let version = version.clone();
                (!ns.is_empty()).then(|| Printed { name: (*name).into(), version, ns })
            })),
            Err(why) if tags.is_empty() => return Err(why),
            // Without the library only the pure form is measured.
            Err(_) => {}
        }
    }
    Ok((version, rows))
}

/// Of lines like `BenchmarkSign   200000   123.4 ns/op`.
fn figures(printed: &str, benchmark: &str, operations: f64) -> Vec<f64> {
    let lines = printed.lines().filter(|line| line.split_whitespace().next() == Some(benchmark));
    let ns = lines.filter_map(|line| line.split_whitespace().nth(2)?.parse::<f64>().ok());
    ns.map(|ns| ns / operations).collect()
}

/// The day, from the system.
pub(super) fn today() -> String {
    let printed = Command::new("date").args(["-u", "+%F"]).output();
    let day = printed.ok().and_then(|printed| String::from_utf8(printed.stdout).ok());
    day.map_or_else(|| "an unknown day".into(), |day| day.trim().to_owned())
}

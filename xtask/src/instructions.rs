//! `cargo xtask instructions`: counts the instructions of the hot paths under valgrind, and fails
//! if one needs over 5 % more than in the last record of `benches/history.csv`.
//!
//! A count does not depend on the machine's load. It does depend on the compiler, which the record
//! names, and slightly on the processor, because the C library selects functions for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::compare;
use crate::run::check;
use crate::svg::{begin, escaped};

const HISTORY: &str = "benches/history.csv";
const HEAD: &str = "date,commit,rustc,path,instructions";
/// How often each path runs, so that its set-up does not count.
const COUNT: u64 = 2_048;
/// The growth that fails, in percent.
const GROWTH: u64 = 5;

type Counts = BTreeMap<String, u64>;

/// Counts, and compares with the last record.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let now = count(root)?;
    let history = read(root)?;
    let mut grown = Vec::new();
    for (path, instructions) in &now {
        let Some(before) = history.last().and_then(|record| record.counts.get(path)) else {
            grown.push(format!("{path}: not recorded"));
            continue;
        };
        println!("{path:18} {instructions:>8}  recorded {before:>8}");
        if instructions * 100 > before * (100 + GROWTH) {
            grown.push(format!("{path}: {instructions} instructions, recorded {before}"));
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    let help = "help: make it shorter, or record the growth with its reason in the commit: cargo xtask \
                instructions --record";
    Err(format!("{}\n{help}", grown.join("\n")))
}

/// Counts, and adds a record of the commit that is checked out.
pub(crate) fn record(root: &Path) -> Result<(), String> {
    let first = |program: &str, arguments: &[&str]| {
        let said = check(Command::new(program).args(arguments).current_dir(root))?;
        Ok::<_, String>(said.split_whitespace().next().unwrap_or_default().to_owned())
    };
    let commit = first("git", &["rev-parse", "--short=10", "HEAD"])?;
    let date = first("git", &["log", "-1", "--format=%cs"])?;
    let rustc = check(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.split_whitespace().nth(1).unwrap_or_default();
    let path = root.join(HISTORY);
    let mut text = fs::read_to_string(&path).unwrap_or_else(|_| format!("{HEAD}\n"));
    for (name, instructions) in count(root)? {
        let _ = writeln!(text, "{date},{commit},{rustc},{name},{instructions}");
        println!("{name:18} {instructions:>8}");
    }
    fs::write(&path, text).map_err(|error| format!("{HISTORY}: {error}"))
}

/// Each path's instructions per call: the difference between a run and its preparation.
fn count(root: &Path) -> Result<Counts, String> {
    let program = compare::build(root, "instructions", "compare", &[])?;
    let list = check(Command::new(&program).arg("list"))?;
    let mut counts = Counts::new();
    for path in list.lines() {
        let whole = collected(&program, path, &[])?;
        let prepared = collected(&program, path, &["prepare"])?;
        counts.insert(path.to_owned(), whole.saturating_sub(prepared) / COUNT);
    }
    Ok(counts)
}

fn collected(program: &Path, path: &str, more: &[&str]) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    valgrind.arg(path).arg(COUNT.to_string()).args(more);
    let ran = crate::run::capture(&mut valgrind);
    let total =
        ran.stderr.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse().ok());
    total.filter(|_| ran.success).ok_or_else(|| format!("valgrind: {}", ran.all()))
}

/// The counts at a commit.
struct Record {
    date: String,
    commit: String,
    counts: Counts,
}

fn read(root: &Path) -> Result<Vec<Record>, String> {
    let text =
        fs::read_to_string(root.join(HISTORY)).map_err(|error| format!("{HISTORY}: {error}"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Record>, String> {
    let mut records: Vec<Record> = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let bad = || format!("{HISTORY}:{}: expected {HEAD}, got `{line}`", number + 1);
        let [date, commit, _rustc, path, count] =
            line.split(',').collect::<Vec<_>>().try_into().map_err(|_| bad())?;
        let count = count.parse().map_err(|_| bad())?;
        if records.last().is_none_or(|record| record.commit != commit) {
            let date = date.to_owned();
            let commit = commit.to_owned();
            records.push(Record { date, commit, counts: Counts::new() });
        }
        records.last_mut().map(|record| record.counts.insert(path.to_owned(), count));
    }
    Ok(records)
}

/// A line for each path over the records, each as a share of its first count.
pub(crate) fn history_svg(root: &Path) -> Result<String, String> {
    Ok(plot(&read(root)?))
}

const LEFT: f64 = 60.0;
const RIGHT: f64 = 600.0;
const COLOURS: [&str; 6] = ["#00695c", "#b3342c", "#2f56c4", "#7a4dae", "#8a5a00", "#3b4351"];

fn plot(records: &[Record]) -> String {
    let paths: Vec<_> =
        records.last().into_iter().flat_map(|record| record.counts.keys()).collect();
    let mut out = begin("Instructions a call, as a share of the first record", 330);
    out.extend([50, 75, 100, 125, 150].map(grid_line));
    for (index, path) in paths.iter().enumerate() {
        out += &path_line(records, path, index);
    }
    if let Some(first) = records.first() {
        out += &date(first, left_to_right(records, 0), "start");
    }
    if let Some((last, [_, ..])) = records.split_last() {
        out += &date(last, left_to_right(records, records.len() - 1), "end");
    }
    out + "</svg>\n"
}

fn grid_line(percent: u64) -> String {
    let y = height(percent);
    format!(
        "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#c9d0da\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{percent} %</text>",
        LEFT - 8.0,
        y + 4.0
    )
}

/// The line of one path with its points and its legend.
fn path_line(records: &[Record], path: &str, index: usize) -> String {
    let colour = COLOURS[index % COLOURS.len()];
    let counts: Vec<_> = records
        .iter()
        .enumerate()
        .filter_map(|(at, record)| Some((at, *record.counts.get(path)?)))
        .collect();
    let (Some((_, first)), Some((_, now))) = (counts.first(), counts.last()) else {
        return String::new();
    };
    let points = counts
        .iter()
        .map(|(at, count)| (left_to_right(records, *at), height(count * 100 / (*first).max(1))));
    let line: String = points.clone().map(|(x, y)| format!("{x:.1},{y:.1} ")).collect();
    let circles: String = points
        .map(|(x, y)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"))
        .collect();
    let row = 30 + index * 22;
    format!(
        "<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>{circles}\
         <rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
         <text x=\"{}\" y=\"{row}\">{}: {now}</text>",
        RIGHT + 16.0,
        row - 11,
        RIGHT + 34.0,
        escaped(path)
    )
}

fn date(record: &Record, x: f64, anchor: &str) -> String {
    format!(
        "<text x=\"{x:.0}\" y=\"290\" text-anchor=\"{anchor}\">{} {}</text>",
        escaped(&record.date),
        escaped(&record.commit)
    )
}

fn left_to_right(records: &[Record], index: usize) -> f64 {
    let last = records.len().saturating_sub(1).max(1);
    let share = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    LEFT + (RIGHT - LEFT) * share(index) / share(last)
}

/// From half of the first count to one and a half.
fn height(percent: u64) -> f64 {
    20.0 + 240.0 * (150.0 - f64::from(u32::try_from(percent.min(150)).unwrap_or(150))) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_by_commit_and_a_bad_line_is_an_error() {
        let text = format!(
            "{HEAD}\n2026-01-01,aa,1.95.0,sign,100\n2026-01-01,aa,1.95.0,verify,200\n\
                            2026-01-02,bb,1.95.0,sign,90\n"
        );
        let records = parse(&text).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].counts["verify"], 200);
        assert_eq!(records[1].counts["sign"], 90);
        assert!(plot(&records).contains("sign: 90"));
        assert!(parse(&format!("{HEAD}\n2026-01-01,aa,1.95.0,sign\n")).is_err());
        assert!(parse(&format!("{HEAD}\n2026-01-01,aa,1.95.0,sign,many\n")).is_err());
    }
}

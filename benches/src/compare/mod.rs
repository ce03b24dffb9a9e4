//! `cargo xtask compare`: compares this project with its peers in one run.
//!
//! Cases in Rust are interleaved in one process. Peers in other languages run after them, on the
//! same processor, and report their own times. What did not run is listed with the reason.

#[cfg(feature = "peers")]
mod calls;
mod cases;
mod check;
mod foreign;
#[cfg(feature = "kernels")]
mod hashing;
mod markdown;
#[cfg(feature = "kernels")]
mod paths;
mod plot;
mod text;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::measure::{Measured, Median};

pub use check::check;
pub use markdown::markdown;
pub use plot::svg;
pub use text::text;

/// The group of whole calls, for comparison with signing.
pub(crate) const CALLS: &str = "a whole call";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many rounds each case runs.
    pub rounds: usize,
    /// Whether peers in other languages run, too.
    pub foreign: bool,
}

impl Extent {
    /// For published figures.
    pub const FULL: Self = Self { rounds: 61, foreign: true };
    /// For a check.
    pub const QUICK: Self = Self { rounds: 21, foreign: false };
}

/// The results.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Comparison {
    /// The format version, in JSON.
    pub version: u32,
    /// The machine of a run.
    pub machine: Machine,
    /// The groups, in display order.
    pub groups: Vec<Group>,
    /// What did not run, and why.
    pub skipped: Vec<String>,
}

/// The machine of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Its support for hashing, and the kernels that ran.
    pub has: String,
    /// One clock cycle, measured by a chain of multiplications.
    pub cycle_ns: f64,
    /// The operating system.
    pub system: String,
    /// The day of the run, such as `2026-11-24`.
    #[serde(default)]
    pub date: String,
    /// The peers' names and versions.
    pub versions: Vec<(String, String)>,
}

/// Cases that do the same work.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Group {
    /// The work.
    pub name: String,
    /// The first is ours.
    pub rows: Vec<Row>,
}

/// One case of a group.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Row {
    /// The case.
    pub name: String,
    /// Nanoseconds per operation.
    pub ns: Figure,
    /// The time relative to the group's first case; none for the first.
    pub ratio: Option<Figure>,
}

/// A median and its uncertainty.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Figure {
    /// The median.
    pub median: f64,
    /// The 95 % confidence interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// The median absolute deviation.
    pub spread: f64,
}

impl From<Median> for Figure {
    fn from(median: Median) -> Self {
        let (low, high) = median.interval;
        Self { median: median.value, low, high, spread: median.spread }
    }
}

impl Group {
    /// A group of interleaved cases; the first is ours.
    fn of(name: &str, measured: &[Measured]) -> Self {
        let row = |measured_one: &Measured| Row {
            name: measured_one.name.clone(),
            ns: Median::of(&measured_one.ns).into(),
            ratio: (measured_one.name != measured[0].name)
                .then(|| Median::ratio(measured_one, &measured[0]).into()),
        };
        Self { name: name.into(), rows: measured.iter().map(row).collect() }
    }

    /// A row of that name.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

/// The operations that are measured with each path, and their peers.
pub(crate) const BY_PATH: [(&str, &str); 5] = [
    ("sign one", cases::NAIVE_A),
    ("sign 64", cases::NAIVE_A),
    ("sign 1,024", cases::NAIVE_A),
    ("verify one", cases::TYPICAL),
    ("verify 256", cases::TYPICAL),
];

/// The name of the group that has a row for each path of an operation.
pub(crate) fn by_path(operation: &str) -> String {
    format!("{operation}, by path")
}

impl Group {
    /// How many times faster than the last row, the peer, the row with this name is.
    #[must_use]
    pub fn times_of_peer(&self, name: &str) -> Option<f64> {
        Some(self.rows.last()?.ns.median / self.row(name)?.ns.median)
    }
}

impl Comparison {
    /// A group of that name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Adds the groups of another process on the same machine.
    pub fn merge(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.skipped.extend(other.skipped);
    }
}

/// Measures everything.
#[must_use]
pub fn run(extent: Extent) -> Comparison {
    let mut groups = cases::all(extent);
    #[cfg(feature = "kernels")]
    groups.extend(paths::all(extent));
    let mut skipped = Vec::new();
    let mut versions = versions();
    if extent.foreign && cfg!(feature = "kernels") {
        foreign::add(&mut groups, &mut versions, &mut skipped);
    }
    if cfg!(all(feature = "kernels", not(feature = "peers"))) {
        skipped.push("ring, aws-lc-rs, calls: built without the feature `peers`".into());
    }
    Comparison { version: 1, machine: machine(versions), groups, skipped }
}

fn machine(versions: Vec<(String, String)>) -> Machine {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value).to_owned()
    };
    let name = field("model name");
    let processor = format!("{name} (family {}, model {})", field("cpu family"), field("model\t"));
    Machine {
        processor,
        has: cortexkey_kernels::Processor::detect().to_string(),
        cycle_ns: cases::cycle_ns(),
        system: std::env::consts::OS.into(),
        date: foreign::today(),
        versions,
    }
}

/// The crates of the peers in Rust, according to the lock file.
fn versions() -> Vec<(String, String)> {
    let lock = std::fs::read_to_string(folder().join("../Cargo.lock")).unwrap_or_default();
    // Of several versions the newest: the older ones are dependencies of others.
    let version = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let entries = lock.split(&entry).skip(1);
        let versions = entries.filter_map(|rest| rest.split('"').next());
        let number = |version: &&str| -> Vec<u32> {
            version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
        };
        versions.max_by_key(number).map(str::to_owned)
    };
    let crates = ["sha2", "hex", "rand", "chacha20", "subtle", "ring", "aws-lc-rs"];
    let with_version = crates.iter().filter_map(|name| Some(((*name).to_owned(), version(name)?)));
    let rustc = option_env!("CORTEXKEY_RUSTC").unwrap_or("unknown");
    std::iter::once(("rustc".to_owned(), rustc.to_owned())).chain(with_version).collect()
}

/// The folder of the benchmarks, where the peers in other languages are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

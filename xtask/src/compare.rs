//! `cargo xtask compare`: builds the comparison twice, with the kernels and without, and runs both pinned
//! to one processor.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::capi::installed;
use crate::run::{cargo, check, has, target_dir};

/// Runs it: `args` are the program's.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    let wanted = match args {
        [] => None,
        [one @ ("--check" | "--json" | "--markdown" | "--write")] => Some(*one),
        _ => {
            return Err(
                "compare takes one of --check, --json, --markdown, --write, or nothing".into()
            );
        }
    };
    if wanted == Some("--check") {
        return print(pinned(&build(root, "compare", "compare", &[])?).arg("--check"));
    }
    let alone = build(root, "compare", "compare-alone", &["--no-default-features"])?;
    let full = build(root, "compare", "compare", &["--features", "peers"])?;
    let report = target_dir(root).join("compare-alone.json");
    let measured = check(pinned(&alone).arg("--json"))?;
    std::fs::write(&report, measured).map_err(|e| format!("{}: {e}", report.display()))?;
    let mut full = pinned(&full);
    full.env("PKG_CONFIG_PATH", installed::install(root)?.pkgconfig);
    full.args(wanted);
    if wanted == Some("--write") {
        full.arg(root.join("docs"));
    }
    print(full.arg("--merge").arg(report))
}

/// Builds a program of the benches into its own folder, so that neither build invalidates the
/// other.
pub(crate) fn build(
    root: &Path,
    program: &str,
    folder: &str,
    features: &[&str],
) -> Result<PathBuf, String> {
    let target = target_dir(root).join(folder);
    let rustc = check(Command::new("rustc").arg("--version"))?;
    let mut build = cargo(root);
    build.args(["build", "--release", "--locked", "--quiet", "-p", "cortexkey-benches"]);
    build.args(["--bin", program]).args(features).env("CARGO_TARGET_DIR", &target);
    build.env("CORTEXKEY_RUSTC", rustc.split_whitespace().nth(1).unwrap_or("unknown"));
    check(&mut build)?;
    Ok(target.join("release").join(program))
}

/// On the last processor, which seldom handles interrupts; the peers that it starts stay there.
fn pinned(program: &Path) -> Command {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    if has("taskset") {
        let mut command = Command::new("taskset");
        command.args(["-c", &(count - 1).to_string()]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Lets it print to this process's output.
fn print(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("compare failed: {status}")) }
}

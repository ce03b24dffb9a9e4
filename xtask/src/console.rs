//! Runs the console in a real browser: its tests, and the pictures for the documents.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{capture, cargo, check, has, target_dir};
use crate::setup;

/// The tests that only `--all` runs.
const LONG: [&str; 2] = ["speed.test.mjs", "strings.test.mjs"];

/// No file of the short tests needs a tenth of this. A browser that hangs fails its file, and not the job.
const LIMIT_MS: &str = "180000";

/// Why the tests cannot run here after what they need was installed, if they cannot.
pub(crate) fn missing() -> Option<String> {
    setup::browser();
    let browser = ["chromium", "node", "npm"].into_iter().find(|program| !has(program))?;
    Some(format!("{browser} is not installed: apt-get install chromium fonts-inter nodejs npm"))
}

/// Runs the browser tests; returns how many passed. `all` opens every state in all four looks.
pub(crate) fn tests(root: &Path, all: bool) -> Result<u64, String> {
    missing().map_or(Ok(()), Err)?;
    let mut node = node(root)?;
    // Two at a time leave no processor idle while a browser waits for the console; figures need
    // the machine for themselves.
    let lanes = if all { "--test-concurrency=1" } else { "--test-concurrency=2" };
    node.args(["--test", lanes, "--test-reporter=tap"]);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(root))
        .map_err(|error| error.to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    // The figures need an idle machine, and the strings take minutes.
    let is_long = |path: &PathBuf| LONG.iter().any(|name| path.ends_with(name));
    files.retain(|path| all || !is_long(path));
    node.args(files).env("CI", "true").env("CONSOLE_LOOKS", if all { "all" } else { "" });
    if !all {
        node.env("CONSOLE_LIMIT_MS", LIMIT_MS);
    }
    let ran = capture(&mut node);
    let passed = ran.stdout.lines().find_map(|line| line.strip_prefix("# pass ")?.parse().ok());
    match passed {
        Some(passed) if ran.success => Ok(passed),
        _ => Err(ran.all()),
    }
}

/// Takes the pictures of the documents, into `docs/images`.
pub(crate) fn pictures(root: &Path) -> Result<(), String> {
    missing().map_or(Ok(()), Err)?;
    let mut node = node(root)?;
    node.arg(folder(root).join("pictures.mjs")).arg(root.join("docs/images"));
    check(&mut node).map(|printed| print!("{printed}"))
}

fn folder(root: &Path) -> PathBuf {
    root.join("crates/console/e2e")
}

/// Node, with the binary that it starts and the packages that it needs.
fn node(root: &Path) -> Result<Command, String> {
    let modules = setup::browser_packages(root)?;
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
    let mut node = Command::new("node");
    node.env("CONSOLE_BIN", target_dir(root).join("debug/cortexkey"));
    node.env("CONSOLE_MODULES", modules);
    Ok(node)
}

//! `cargo xtask fuzz`: builds the targets of `fuzz/` with the workspace's compiler and with
//! coverage instrumentation for our code, and runs each for a while.

use std::collections::VecDeque;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::run::{capture, cargo, check, target_dir};

/// The targets, each with a corpus under `fuzz/corpus`.
const TARGETS: [&str; 8] = [
    "request",
    "address",
    "compiled",
    "lint_reader",
    "lint_policy",
    "lint_expression",
    "lint_suppression",
    "lint_fix",
];

/// Takes `--seconds N` for each target, and the targets' names; without names, all.
pub(crate) fn run_with(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let (seconds, names) = match arguments {
        ["--seconds", seconds, names @ ..] => (whole_seconds(seconds)?, names),
        ["--seconds"] => return Err("--seconds takes a number, as in `--seconds 60`".into()),
        names => (60, names),
    };
    let targets = if names.is_empty() { &TARGETS[..] } else { names };
    let folder = target_dir(root).join("fuzz");
    let ran = run(root, &folder, &[&format!("-max_total_time={seconds}")], targets)?;
    println!("{}", ran.join("\n"));
    Ok(())
}

/// Every target for five seconds, for each pull request. They begin with the same inputs each time,
/// whatever was found before: a check of a change is not left to chance.
pub(crate) fn briefly(root: &Path) -> Result<(), String> {
    let folder = target_dir(root).join("fuzz-briefly");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let ran = run(root, &folder, &["-max_total_time=5", "-seed=1"], &TARGETS)?;
    println!("{}", ran.join("\n"));
    Ok(())
}

/// For libFuzzer, 0 means without limit.
fn whole_seconds(text: &str) -> Result<u32, String> {
    let seconds = text.parse::<NonZero<u32>>();
    seconds.map(NonZero::get).map_err(|error| format!("--seconds {text}: {error}"))
}

/// Runs as many at a time as there are processors; prints a result for each. Their findings go to
/// the folder.
fn run(
    root: &Path,
    folder: &Path,
    options: &[&str],
    targets: &[&str],
) -> Result<Vec<String>, String> {
    if let Some(unknown) = targets.iter().find(|target| !TARGETS.contains(target)) {
        return Err(format!("there is no target `{unknown}`; there are: {}", TARGETS.join(", ")));
    }
    build(root)?;
    let queue = Mutex::new(targets.iter().copied().collect::<VecDeque<_>>());
    let ran = Mutex::new(Vec::new());
    let next = || queue.lock().ok()?.pop_front();
    let work = || {
        while let Some(target) = next() {
            let outcome = fuzz(root, folder, target, options);
            if let Ok(mut ran) = ran.lock() {
                ran.push(outcome);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    ran.into_inner().unwrap_or_default().into_iter().collect()
}

fn build(root: &Path) -> Result<(), String> {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "-p", "cortexkey-fuzz", "--bins"]);
    // Only for our code: dependencies are built as for the tests.
    build.env("RUSTC_WORKSPACE_WRAPPER", root.join("fuzz/instrument.sh"));
    if let Some(library) = clangs_libfuzzer() {
        build.env("CUSTOM_LIBFUZZER_PATH", library);
    }
    check(&mut build).map(drop)
}

/// clang's own build of libFuzzer, if it has one; building it takes more than a minute.
pub(crate) fn clangs_libfuzzer() -> Option<PathBuf> {
    let processor = std::env::consts::ARCH;
    [format!("libclang_rt.fuzzer-{processor}.a"), "libclang_rt.fuzzer.a".into()]
        .iter()
        .filter_map(|name| {
            check(Command::new("clang").arg(format!("-print-file-name={name}"))).ok()
        })
        .map(|path| PathBuf::from(path.trim()))
        .find(|path| path.is_absolute() && path.exists())
}

/// One target; returns libFuzzer's last line, or all its output for an input that failed.
fn fuzz(root: &Path, folder: &Path, target: &str, options: &[&str]) -> Result<String, String> {
    let found = folder.join(target);
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let mut run = Command::new(program(root, target));
    run.args(options).args(["-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    run.arg(format!("-artifact_prefix={}-", found.display()));
    run.args([&found, &root.join("fuzz/corpus").join(target)]).current_dir(root);
    let ran = capture(&mut run);
    if !ran.success {
        return Err(format!("the fuzz target {target} failed\n{}", ran.all()));
    }
    let figure = |name: &str| {
        let line = ran.stderr.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    let units = figure("stat::number_of_executed_units");
    let memory = figure("stat::peak_rss_mb");
    Ok(format!("{target}: {units} inputs, {memory} MB"))
}

fn program(root: &Path, target: &str) -> PathBuf {
    target_dir(root).join("debug").join(target)
}

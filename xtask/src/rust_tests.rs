//! Runs the workspace's Rust tests, two binaries at a time: many of them wait for a server, a clock or a disk, which
//! leaves a processor idle.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

use crate::run::{Ran, capture, cargo};

/// How many test binaries run at a time. Each runs its own tests on all processors.
const LANES: usize = 2;

/// The targets that take longest. They start first, so that none of them runs alone at the end.
const LONG: [&str; 4] = ["tenant_shared", "double", "cortexkey_tenant", "it"];

/// What a run of tests came to.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// What the failed commands printed.
    pub(crate) output: String,
}

impl Counts {
    fn add(&mut self, ran: &Ran) {
        let mut failed = 0;
        for line in ran.stdout.lines().filter(|line| line.starts_with("test result:")) {
            let count = |what: &str| {
                let before = line.split(what).next()?;
                before.split_whitespace().last()?.parse::<u64>().ok()
            };
            self.passed += count(" passed").unwrap_or(0);
            failed += count(" failed").unwrap_or(0);
        }
        if !ran.success {
            // A binary that ended early has no result.
            failed = failed.max(1);
            self.output += &ran.all();
        }
        self.failed += failed;
    }
}

/// Runs the tests of all packages but one.
pub(crate) fn workspace(root: &Path, without: &str) -> Result<Counts, String> {
    let scope = ["--locked", "--workspace", "--exclude", without];
    let mut build = cargo(root);
    // Cargo sets it for xtask itself.
    build.env_remove("CARGO_MANIFEST_DIR");
    build.args(["test", "--no-run", "--message-format=json-render-diagnostics"]).args(scope);
    let ran = capture(&mut build);
    if !ran.success {
        // The errors are there as text; standard output has cargo's messages as JSON.
        return Err(ran.stderr);
    }
    let mut commands = binaries(&ran.stdout)?;
    let mut examples = cargo(root);
    examples.env_remove("CARGO_MANIFEST_DIR");
    examples.args(["test", "--doc", "--no-fail-fast"]).args(scope);
    commands.push(examples);
    Ok(run(commands, LANES))
}

/// Runs commands with tests, so many at a time, and counts what they report.
pub(crate) fn run(commands: Vec<Command>, lanes: usize) -> Counts {
    let waiting = Mutex::new(commands.into_iter());
    // In the head of a `while let`, the lock would be held while the command runs.
    let next = || lock(&waiting).next();
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(mut command) = next() {
                    let ran = capture(&mut command);
                    lock(&counts).add(&ran);
                }
            });
        }
    });
    counts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The test binaries in cargo's messages, the longest first.
fn binaries(messages: &str) -> Result<Vec<Command>, String> {
    let mut found = Vec::new();
    for message in messages.lines() {
        let message: Value =
            serde_json::from_str(message).map_err(|error| format!("{error}: {message}"))?;
        if let (Some(true), Some(binary)) =
            (message["profile"]["test"].as_bool(), message["executable"].as_str())
        {
            let manifest = message["manifest_path"].as_str().ok_or("cargo names no manifest")?;
            let name = message["target"]["name"].as_str().unwrap_or_default();
            let turn = LONG.iter().position(|long| *long == name).unwrap_or(LONG.len());
            found.push((turn, PathBuf::from(manifest), binary.to_owned()));
        }
    }
    found.sort();
    if found.is_empty() {
        return Err("cargo built no test binary".to_owned());
    }
    Ok(found.into_iter().map(|(_, manifest, binary)| binary_of(&manifest, &binary)).collect())
}

/// A test binary, as cargo starts it: in its package's folder.
fn binary_of(manifest: &Path, binary: &str) -> Command {
    let folder = manifest.parent().unwrap_or(manifest);
    let mut command = Command::new(binary);
    command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
    // A snapshot that differs is a failure, and never written.
    command.env("INSTA_UPDATE", "no");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_binaries_are_taken_the_longest_first() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","target":{"name":"a"},"profile":{"test":true},"executable":"/t/unit"}
{"reason":"compiler-artifact","manifest_path":"/b/Cargo.toml","target":{"name":"it"},"profile":{"test":true},"executable":"/t/it"}
{"reason":"compiler-artifact","manifest_path":"/b/Cargo.toml","target":{"name":"program"},"profile":{"test":false},"executable":"/t/program"}
{"reason":"compiler-artifact","manifest_path":"/b/Cargo.toml","target":{"name":"a"},"profile":{"test":true},"executable":null}
{"reason":"build-finished","success":true}"#;
        let commands = binaries(messages).unwrap();
        let names: Vec<_> = commands.iter().map(|one| one.get_program().to_owned()).collect();
        assert_eq!(names, ["/t/it", "/t/unit"]);
        assert_eq!(commands[0].get_current_dir(), Some(Path::new("/b")));
        assert!(binaries("").is_err());
        assert!(binaries("warning: unexpected").is_err());
    }

    #[test]
    fn two_lanes_run_two_commands_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let meets = |own: &str, other: &str| {
            let mut command = Command::new("sh");
            let wait =
                format!("for i in $(seq 1000); do [ -e {other} ] && exit 0; sleep 0.01; done");
            command.args(["-c", &format!("touch {own}; {wait}; exit 1")]);
            command.current_dir(&folder);
            command
        };
        let counts = run(vec![meets("a", "b"), meets("b", "a")], 2);
        assert_eq!(counts.failed, 0, "{}", counts.output);
    }

    #[test]
    fn each_command_counts_and_a_failure_without_a_result_as_well() {
        let say = |text: &str| {
            let mut echo = Command::new("sh");
            echo.args(["-c", text]);
            echo
        };
        let passes = "echo 'test result: ok. 3 passed; 0 failed; 1 ignored'";
        let counts = run(vec![say(passes), say(passes), say(passes)], 2);
        assert_eq!((counts.passed, counts.failed), (9, 0));
        let counts = run(vec![say("exit 1"), say(passes), say("exit 1")], 2);
        assert_eq!((counts.passed, counts.failed), (3, 2));
    }
}

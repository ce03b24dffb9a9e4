//! Runs the binary as a user would, without the user's own settings.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

pub(crate) mod definitions;
pub(crate) mod hook;
pub(crate) mod killer;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use cortexkey_core::auth::{Signer, Timestamp};
use serde_json::Value;

/// Compares a message with its snapshot: tests assert codes, and the wording is reviewed there.
#[allow(unused_macros, reason = "each test file uses some of it")]
macro_rules! wording {
    ($message:expr) => {
        insta::assert_snapshot!($crate::common::stable(&$message))
    };
}

/// A message without the parts that differ between runs: temporary folders, ports and times.
pub(crate) fn stable(message: &str) -> String {
    let temp = format!("{}/.tmp", std::env::temp_dir().display());
    let message = after_each(message, &temp, "FOLDER");
    let message = after_each(&message, "127.0.0.1:", "127.0.0.1:PORT");
    definitions::without_times(&message)
}

/// Replaces a text together with the letters and digits that follow it.
fn after_each(message: &str, start: &str, instead: &str) -> String {
    let mut parts = message.split(start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + instead + part.trim_start_matches(|c: char| c.is_ascii_alphanumeric())
    })
}

/// 128 letters and digits that no message may contain.
pub(crate) const CANARY: &str = "CANARYxQ7rV2mB9pK4sT8wZ1cF6hJ3nL5dG0yR7uE2iA9oP4kS8lM1bN6vC3xW5zCANARYxQ7rV2mB9pK4sT8wZ1cF6hJ3nL5dG0yR7uE2iA9oP4kS8lM1bN6vC3xW5z";

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, with an environment that contains only the search path.
pub(crate) fn cortexkey(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Where an instrumented program writes its coverage.
    if let Some(profile) = std::env::var_os("LLVM_PROFILE_FILE") {
        command.env("LLVM_PROFILE_FILE", profile);
    }
    command.stdin(Stdio::null());
    command
}

/// The headers of a request signed now, one per line.
pub(crate) fn signed(signer: &Signer) -> String {
    let headers = signer.sign_from_system(Timestamp::from_ms(now_ms()).unwrap()).unwrap();
    let lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    finish(&mut cortexkey(args))
}

/// Runs the binary with something on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    finish_with(&mut cortexkey(args), input)
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    ran(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

pub(crate) fn finish_with(command: &mut Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that writes before it has read everything would otherwise block, and this test with
    // it.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let ran = ran(child);
    writer.join().unwrap();
    ran
}

fn ran(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A tenant in a separate process, which ends with the test.
pub(crate) struct Tenant {
    pub(crate) process: Child,
    pub(crate) ready: Value,
}

impl Tenant {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A tenant with further arguments.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let mut command = cortexkey(&["tenant", "--quiet", "--explain"]);
        command.args(args);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, ready: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// Id and key of one of the seeded keys.
    pub(crate) fn key(&self, level: &str) -> (String, String) {
        let key = &self.ready["keys"][level];
        (key["id"].to_string(), key["key"].as_str().unwrap().to_owned())
    }

    /// A command with the settings of one of the seeded keys.
    pub(crate) fn with_key(&self, level: &str, args: &[&str]) -> Command {
        let key = &self.ready["keys"][level];
        let mut command = cortexkey(args);
        command.env("CORTEXKEY_FQDN", self.url());
        command.env("CORTEXKEY_API_KEY_ID", key["id"].to_string());
        command.env("CORTEXKEY_API_KEY", key["key"].as_str().unwrap());
        // As the console spells it.
        command.env("CORTEXKEY_API_KEY_TYPE", level.to_uppercase());
        command
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
